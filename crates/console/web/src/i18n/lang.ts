// The language of the page: chosen in the header, kept in the browser, guessed from the browser at first.

import { useSyncExternalStore } from 'react';

/** A language that the console speaks. */
export type Lang = 'en' | 'zh';

const KEY = 'milkrun.lang';
const listeners = new Set<() => void>();

/** The language of a browser that asks for the first time. */
export function guessLang(wanted: readonly string[]): Lang {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

function stored(): Lang | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'en' || value === 'zh' ? value : undefined;
  } catch {
    return undefined;
  }
}

let lang: Lang = typeof window === 'undefined' ? 'en' : (stored() ?? guessLang(navigator.languages));

function apply(): void {
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
}

if (typeof document !== 'undefined') apply();

/** The language now, outside React. */
export function currentLang(): Lang {
  return lang;
}

/** Changes the language and keeps it. */
export function setLang(next: Lang): void {
  lang = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing still speaks it until it is closed.
  }
  apply();
  for (const listener of listeners) listener();
}

/** The language, in a component. */
export function useLang(): Lang {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => lang,
  );
}
