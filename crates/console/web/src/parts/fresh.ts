// Keeping a page's data fresh: read again when something has happened, and now and then anyway.

import { useEffect, useRef } from 'react';
import { type Event, useEvents, useIsLive } from '../events';

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
