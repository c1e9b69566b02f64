// Texts in English and Chinese. A text that one language lacks is a compile error.

import type { ReactNode } from 'react';
import { type Lang, useLang } from './lang';

export { type Lang, currentLang, guessLang, setLang, useLang } from './lang';

type Text = string | ((...args: never[]) => ReactNode);

/** The same keys, each with a text that takes the same values. */
type Same<T extends Record<string, Text>> = { [K in keyof T]: T[K] extends string ? string : T[K] };

/** Texts in both languages. */
export interface Dictionary<T extends Record<string, Text>> {
  readonly en: Same<T>;
  readonly zh: Same<T>;
}

/** Declares the texts of one part of the page: `texts({ … }, { … })`, English first. */
export function texts<T extends Record<string, Text>>(en: T, zh: Same<T>): Dictionary<T> {
  return { en: en as Same<T>, zh };
}

/** The texts in the reader's language. */
export function useTexts<T extends Record<string, Text>>(dictionary: Dictionary<T>): Same<T> {
  return dictionary[useLang()];
}

/** The texts in one language, outside React. */
export function textsIn<T extends Record<string, Text>>(dictionary: Dictionary<T>, lang: Lang): Same<T> {
  return dictionary[lang];
}
