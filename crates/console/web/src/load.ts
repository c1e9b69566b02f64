// Loading for pages: data, its error, and what makes it be read again.

import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError } from './api/client';
import { useLang } from './i18n';

/** What a page has of its data. While it is read again, the old data stays. */
export interface Loaded<T> {
  data: T | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
  /** Reads it again. */
  reload: () => void;
  /** Changes what is shown without asking the server. */
  setData: (change: (old: T | undefined) => T | undefined) => void;
}

/** Anything thrown, as an error of the API. */
export function asApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  return new ApiError(0, { kind: 'unexpected', message: cause instanceof Error ? cause.message : String(cause) });
}

/**
 * Reads data when the page opens, and again when `key` or the language changes.
 *
 * Without an answer from the server it tries again every five seconds.
 */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const lang = useLang();
  const [state, setState] = useState<{ key: string; data?: T; error?: ApiError; isLoading: boolean }>({
    key,
    isLoading: true,
  });
  const [turn, setTurn] = useState(0);
  const loader = useRef(load);
  loader.current = load;

  useEffect(() => {
    const stop = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    setState((old) => (old.key === key ? { ...old, isLoading: true } : { key, isLoading: true }));
    loader.current(stop.signal).then(
      (data) => {
        if (!stop.signal.aborted) setState({ key, data, isLoading: false });
      },
      (cause: unknown) => {
        if (stop.signal.aborted) return;
        const error = asApiError(cause);
        setState((old) => ({ ...old, error, isLoading: false }));
        if (error.problem.kind === 'offline') again = setTimeout(() => setTurn((n) => n + 1), 5_000);
      },
    );
    return () => {
      stop.abort();
      clearTimeout(again);
    };
  }, [key, lang, turn]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const setData = useCallback(
    (change: (old: T | undefined) => T | undefined) =>
      setState((old) => {
        const data = change(old.data);
        return data === undefined ? old : { ...old, data };
      }),
    [],
  );
  const isCurrent = state.key === key;
  return {
    data: isCurrent ? state.data : undefined,
    error: isCurrent ? state.error : undefined,
    isLoading: isCurrent ? state.isLoading : true,
    reload,
    setData,
  };
}

/** One act at a time: runs it, and says whether it is under way. */
export function useAct(): [isBusy: boolean, act: (work: () => Promise<void>) => Promise<void>] {
  const [isBusy, setBusy] = useState(false);
  const busy = useRef(false);
  const act = useCallback(async (work: () => Promise<void>) => {
    if (busy.current) return;
    busy.current = true;
    setBusy(true);
    try {
      await work();
    } finally {
      busy.current = false;
      setBusy(false);
    }
  }, []);
  return [isBusy, act];
}
