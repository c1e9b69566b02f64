// Texts in English and Chinese. A text that one language lacks is a compile error.

import { useLang } from './lang';

export { type Lang, currentLang, guessLang, setLang, useLang } from './lang';

/** The same keys; each text may say something else, each function takes the same values. */
type Same<T> = T extends string ? string : T extends (...args: never[]) => unknown ? T : { [K in keyof T]: Same<T[K]> };

/** Texts in both languages. */
export interface Dictionary<T> {
  readonly en: Same<T>;
  readonly zh: Same<T>;
}

/** Declares the texts of one part of the page: `texts({ … }, { … })`, English first. */
export function texts<T extends object>(en: T, zh: Same<T>): Dictionary<T> {
  return { en: en as unknown as Same<T>, zh };
}

/** The texts in the reader's language. */
export function useTexts<T>(dictionary: Dictionary<T>): Same<T> {
  return dictionary[useLang()];
}
