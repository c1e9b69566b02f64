// Light or dark: as the device says, or as the reader has chosen. `public/boot.js` applies it before the first paint.

import { useSyncExternalStore } from 'react';

/** What the reader has chosen. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'milkrun.theme';
const listeners = new Set<() => void>();

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

let theme: Theme = typeof window === 'undefined' ? 'system' : stored();

/** Changes the theme and keeps it. */
export function setTheme(next: Theme): void {
  theme = next;
  try {
    if (next === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing still shows it until it is closed.
  }
  if (next === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  for (const listener of listeners) listener();
}

/** Whether the page is dark now, however that came. */
function isDark(): boolean {
  return theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  const media = matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', listener);
  return () => {
    listeners.delete(listener);
    media.removeEventListener('change', listener);
  };
}

/** The choice, in a component. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => theme);
}

/** Whether the page is dark, in a component; charts need it. */
export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, isDark);
}
