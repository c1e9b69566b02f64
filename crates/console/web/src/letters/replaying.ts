// Watching letters go: which were sent again, and when that work has ended.

import { useCallback, useEffect, useRef, useState } from 'react';
import { api } from '../api/client';
import { useEvents } from '../events';

/** How often the flow is asked whether it still works, in case an event was missed. */
const LOOK_AGAIN_MS = 3_000;

/** Letters on their way. */
export interface Replaying {
  /** Their numbers. */
  letters: ReadonlySet<number>;
  /** How many are on their way: more than their numbers, if all of a flow's are sent. */
  n_sent: number;
  /** How many letters the flow had before. */
  total: number;
  /** These are being sent from now on, or all that there are. */
  begin: (letters: readonly number[], total: number, isAll?: boolean) => void;
  /** The server has taken them: from now on it can be asked whether it still works. */
  taken: () => void;
  /** Nothing is on its way any more. */
  end: () => void;
}

/**
 * Follows letters of `flow` that are sent again; `onEnded` is called when that work is over.
 *
 * The end of another run of the same flow does not count as theirs, if the replay has been heard of.
 */
export function useReplaying(flow: string, onEnded: () => void): Replaying {
  const [letters, setLetters] = useState<ReadonlySet<number>>(new Set());
  const run = useRef<number | undefined>(undefined);
  const ended = useRef(onEnded);
  ended.current = onEnded;
  const isWaiting = useRef(false);
  const sizes = useRef({ total: 0, n_sent: 0 });

  useEvents((event) => {
    if (!isWaiting.current) return;
    if (event.type === 'progress' && event.run.flow === flow && event.run.work === 'replay') run.current = event.run.id;
    if (event.type !== 'ended' || event.run.flow !== flow) return;
    if (run.current === undefined || run.current === event.run.id) ended.current();
  });

  const n_waiting = letters.size;
  const [isTaken, setTaken] = useState(false);
  useEffect(() => {
    if (n_waiting === 0 || !isTaken) return undefined;
    const stop = new AbortController();
    const look = () =>
      void api.flow(flow, stop.signal).then(
        (now) => {
          if (!stop.signal.aborted && now.running === undefined) ended.current();
        },
        // Without an answer it is asked again.
        () => {},
      );
    const timer = setInterval(look, LOOK_AGAIN_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [flow, n_waiting, isTaken]);

  const begin = useCallback((sent: readonly number[], before: number, isAll = false) => {
    run.current = undefined;
    isWaiting.current = true;
    sizes.current = { total: before, n_sent: isAll ? before : sent.length };
    setTaken(false);
    setLetters(new Set(sent));
  }, []);
  const taken = useCallback(() => setTaken(true), []);
  const end = useCallback(() => {
    isWaiting.current = false;
    setLetters(new Set());
  }, []);
  return { letters, ...(n_waiting > 0 ? sizes.current : { total: 0, n_sent: 0 }), begin, taken, end };
}
