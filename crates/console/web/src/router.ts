// Where the page is: the part of the address after `#`, so that any server that serves the page serves all of it.

import { useSyncExternalStore } from 'react';

/** Each page and what its address carries. */
export type Route =
  | { page: 'overview' }
  | { page: 'flow'; flow: string }
  | { page: 'run'; flow: string; run: number }
  | { page: 'mapping'; flow: string }
  | { page: 'letters'; flow: string }
  | { page: 'trace' }
  | { page: 'calendar' }
  | { page: 'accounts' }
  | { page: 'account'; account: string }
  | { page: 'alerts' }
  | { page: 'doctor' }
  | { page: 'audit' }
  | { page: 'missing' };

/** An address, read. */
export interface Location {
  readonly route: Route;
  readonly query: URLSearchParams;
  /** The text after `#`. */
  readonly hash: string;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function routeOf(parts: readonly string[]): Route {
  const [first, second, third, fourth] = parts;
  const n = parts.length;
  if (n === 0) return { page: 'overview' };
  if (first === 'flows' && second !== undefined) {
    if (n === 2) return { page: 'flow', flow: second };
    if (n === 3 && third === 'mapping') return { page: 'mapping', flow: second };
    if (n === 3 && third === 'dead-letters') return { page: 'letters', flow: second };
    if (n === 4 && third === 'runs' && fourth !== undefined && /^\d+$/.test(fourth)) {
      return { page: 'run', flow: second, run: Number(fourth) };
    }
  }
  if (first === 'accounts' && n === 2 && second !== undefined) return { page: 'account', account: second };
  if (n === 1) {
    switch (first) {
      case 'trace':
      case 'calendar':
      case 'accounts':
      case 'alerts':
      case 'doctor':
      case 'audit':
        return { page: first };
    }
  }
  return { page: 'missing' };
}

/** Reads what stands after `#` (the sign itself may be there). */
export function parseHash(hash: string): Location {
  const text = hash.replace(/^#/, '');
  const [path = '', search = ''] = text.split('?', 2);
  const parts = path.split('/').filter((part) => part !== '').map(decode);
  return { route: routeOf(parts), query: new URLSearchParams(search), hash: text };
}

type Query = Record<string, string | number | undefined>;

/** An address: `link(['flows', name], { tab: 'runs' })`. Parts are escaped; parameters without a value are left out. */
export function link(parts: readonly (string | number)[], query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  const path = parts.map((part) => encodeURIComponent(String(part))).join('/');
  return `#/${path}${text === '' ? '' : `?${text}`}`;
}

/** The addresses of all pages. */
export const links = {
  overview: () => link([]),
  flow: (flow: string) => link(['flows', flow]),
  run: (flow: string, run: number) => link(['flows', flow, 'runs', run]),
  mapping: (flow: string, query?: Query) => link(['flows', flow, 'mapping'], query),
  letters: (flow: string, query?: Query) => link(['flows', flow, 'dead-letters'], query),
  trace: (id?: string, flow?: string) => link(['trace'], { id, flow }),
  calendar: (query?: Query) => link(['calendar'], query),
  accounts: () => link(['accounts']),
  account: (account: string) => link(['accounts', account]),
  alerts: () => link(['alerts']),
  doctor: () => link(['doctor']),
  audit: () => link(['audit']),
};

type Blocker = () => boolean;
const blockers = new Set<Blocker>();
/** An address without `#`, such as a person would type it: what should stand behind one, if it leads to a page. */
export function plainAddress(path: string, search: string): string | undefined {
  const hash = `${path.replace(/^\/+/, '/')}${search}`;
  const { route } = parseHash(hash);
  return path === '/' || route.page === 'missing' ? undefined : hash;
}

function here(): Location {
  if (typeof window === 'undefined') return parseHash('');
  const { pathname, search, hash } = window.location;
  const plain = hash === '' ? plainAddress(pathname, search) : undefined;
  if (plain !== undefined) history.replaceState(null, '', `/#${plain}`);
  return parseHash(window.location.hash);
}

let current = here();
const listeners = new Set<() => void>();

/**
 * Asks `mayLeave` before the page changes, as long as the returned function has not been called.
 *
 * It answers at once (`window.confirm` will do); the address is put back if it says no.
 */
export function guardLeaving(mayLeave: Blocker): () => void {
  blockers.add(mayLeave);
  return () => blockers.delete(mayLeave);
}

if (typeof window !== 'undefined') {
  window.addEventListener('hashchange', () => {
    const next = parseHash(window.location.hash);
    if (next.hash === current.hash) return;
    const leaves = next.hash.split('?')[0] !== current.hash.split('?')[0];
    if (leaves && ![...blockers].every((mayLeave) => mayLeave())) {
      history.replaceState(null, '', `#${current.hash}`);
      return;
    }
    current = next;
    for (const listener of listeners) listener();
  });
}

/** Goes to an address that `link` or `links` made. */
export function navigate(to: string, { replace = false }: { replace?: boolean } = {}): void {
  if (replace) {
    history.replaceState(null, '', to);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    window.location.hash = to.replace(/^#/, '');
  }
}

/** Where the page is, in a component. */
export function useLocation(): Location {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
