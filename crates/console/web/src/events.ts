// What happens at the server, as it happens: one stream for the whole page.

import { useEffect, useRef, useSyncExternalStore } from 'react';
import { address } from './api/client';
import type { Event as ServerEvent } from './api/types';
import { currentLang } from './i18n';

/** What the server says, and that some of it was lost: then everything has to be read again. */
export type Event = ServerEvent | { type: 'lagged' };

type Listener = (event: Event) => void;

const KINDS = ['progress', 'started', 'ended', 'reloaded', 'incident'] as const;

const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
let source: EventSource | undefined;
let isLive = false;
let again: ReturnType<typeof setTimeout> | undefined;

/** How long to wait after the server has refused the stream; a cut one the browser opens again by itself. */
const AGAIN_MS = 15_000;

function setLive(live: boolean): void {
  if (isLive === live) return;
  isLive = live;
  for (const watcher of watchers) watcher();
}

/** Begins to listen, in the language of the page; called again, it begins anew. */
export function openEvents(): void {
  closeEvents();
  const opened = new EventSource(address(['events'], { lang: currentLang() }));
  source = opened;
  opened.onopen = () => setLive(true);
  opened.onerror = () => {
    setLive(false);
    if (opened.readyState === EventSource.CLOSED) again = setTimeout(openEvents, AGAIN_MS);
  };
  opened.addEventListener('lagged', () => {
    for (const listener of listeners) listener({ type: 'lagged' });
  });
  for (const kind of KINDS) {
    opened.addEventListener(kind, (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as ServerEvent;
      for (const listener of listeners) listener(event);
    });
  }
}

/** Listens no more. */
export function closeEvents(): void {
  clearTimeout(again);
  source?.close();
  source = undefined;
  setLive(false);
}

/** Hears what happens, as long as the component is there. */
export function useEvents(listener: Listener): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const hear: Listener = (event) => latest.current(event);
    listeners.add(hear);
    return () => {
      listeners.delete(hear);
    };
  }, []);
}

/** Whether the stream is open. */
export function useIsLive(): boolean {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => isLive,
  );
}
