// Keeping a page's data fresh: read again when something has happened, and now and then anyway.

import { useEffect, useRef } from 'react';
import type { LiveRun } from '../api/types';
import { type Event, useEvents, useIsLive } from '../events';
import { shownRun } from './flow-state';

/**
 * Reads again soon after an event that `matters`, every 15 seconds without the stream of events, and every `everySecs`
 * with it.
 *
 * Several events at once lead to one reading; a page that nobody looks at is not read.
 */
export function useFresh(reload: () => void, matters: (event: Event) => boolean, everySecs = 30): void {
  const isLive = useIsLive();
  const soon = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEvents((event) => {
    if ((event.type !== 'lagged' && !matters(event)) || soon.current !== undefined) return;
    soon.current = setTimeout(() => {
      soon.current = undefined;
      reload();
    }, 300);
  });
  useEffect(() => () => clearTimeout(soon.current), []);

  const wasLive = useRef(isLive);
  useEffect(() => {
    // What happened while the stream was cut is unknown.
    if (isLive && !wasLive.current) reload();
    wasLive.current = isLive;
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, (isLive ? everySecs : 15) * 1000);
    const onShown = () => {
      if (!document.hidden) reload();
    };
    document.addEventListener('visibilitychange', onShown);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', onShown);
    };
  }, [isLive, reload, everySecs]);
}

/** How often a page draws what running flows say of themselves, however many there are and however often they do. */
const DRAW_MS = 400;

/** Hears how far runs are: the newest word of each flow's run, several flows at a time. */
export function useProgress(advance: (runs: ReadonlyMap<string, LiveRun>) => void): void {
  const latest = useRef(advance);
  latest.current = advance;
  const news = useRef(new Map<string, LiveRun>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEvents((event) => {
    // What ended is not under way any more, even if the last word of it was not drawn yet.
    if (event.type === 'ended') news.current.delete(event.run.flow);
    if (event.type !== 'progress') return;
    news.current.set(event.run.flow, shownRun(news.current.get(event.run.flow), event.run) ?? event.run);
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      const runs = news.current;
      news.current = new Map();
      if (runs.size > 0) latest.current(runs);
    }, DRAW_MS);
  });
  useEffect(() => () => {
    clearTimeout(timer.current);
    timer.current = undefined;
  }, []);
}
