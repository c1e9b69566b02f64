// The text that is being edited: what it says, what it said before, and whether it is saved.

import { useCallback, useEffect, useRef, useState } from 'react';
import { api, type ApiError } from '../api/client';
import type { MappingEdit, MappingView } from '../api/types';
import { useLang } from '../i18n';
import { useEvents } from '../events';
import { asApiError } from '../load';
import type { Edit } from './drop';
import { front, isChanged, isStale, moved, opened, pushed, reread, seen, type Versions } from './versions';

/** After so long without a key the server is asked what the text says. */
const TYPING_MS = 400;
/** The draft, and what can be done with it. */
export interface Draft {
  view: MappingView;
  text: string;
  saved: string;
  revision: string;
  isChanged: boolean;
  /** Whether the view is of an earlier text. */
  isStale: boolean;
  isBusy: boolean;
  canUndo: boolean;
  canRedo: boolean;
  /** Changes the text as a person would; gives what was wrong, if it was not done. */
  edit: (edits: readonly Edit[]) => Promise<ApiError | undefined>;
  /** Takes over a typed text. */
  type: (text: string) => void;
  undo: () => void;
  redo: () => void;
  /** Saves; gives what was wrong, if it was not done. */
  save: () => Promise<ApiError | undefined>;
  /** Goes on with the file as it is on disk now, and with the own text or with theirs. */
  settle: (theirs: MappingView, keepsMine: boolean) => void;
}

/** The draft of a flow's mapping; nothing while it is loaded. */
export function useDraft(flow: string): { draft: Draft | undefined; error: ApiError | undefined; reload: () => void } {
  const lang = useLang();
  const [all, setAll] = useState<Versions<MappingView>>();
  const [error, setError] = useState<ApiError>();
  const [n_busy, setBusy] = useState(0);
  const [turn, setTurn] = useState(0);
  const now = useRef<Versions<MappingView>>(undefined);
  now.current = all;

  const change = useCallback((next: (old: Versions<MappingView>) => Versions<MappingView>) => {
    setAll((old) => (old ? next(old) : old));
  }, []);

  // Loaded at first; looked at again in another language, and when the files have changed.
  useEffect(() => {
    const stop = new AbortController();
    const before = now.current;
    const own = before && isChanged(before) ? front(before).text : undefined;
    const asked =
      before !== undefined && own !== undefined
        ? api.draft(flow, { text: own, revision: before.revision })
        : api.mapping(flow, stop.signal);
    asked.then(
      (view) => {
        if (stop.signal.aborted) return;
        setError(undefined);
        setAll((old) => (old === undefined ? opened(view) : own === undefined ? reread(old, view) : seen(old, own, view)));
      },
      (cause: unknown) => {
        if (!stop.signal.aborted) setError(asApiError(cause));
      },
    );
    return () => stop.abort();
  }, [flow, lang, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  useEvents((event) => {
    if (event.type === 'reloaded' && now.current && !isChanged(now.current)) reload();
  });

  // What is typed is looked at when the typing rests.
  const typed = all && isStale(all) ? front(all).text : undefined;
  useEffect(() => {
    if (typed === undefined) return undefined;
    let isOver = false;
    const timer = setTimeout(() => {
      api.draft(flow, { text: typed, revision: now.current?.revision ?? '' }).then(
        (view) => {
          if (isOver) return;
          setError(undefined);
          change((old) => seen(old, typed, view));
        },
        (cause: unknown) => {
          if (!isOver) setError(asApiError(cause));
        },
      );
    }, TYPING_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [flow, typed, change]);

  const busy = async <T>(work: () => Promise<T>): Promise<T | ApiError> => {
    setBusy((n) => n + 1);
    try {
      return await work();
    } catch (cause) {
      return asApiError(cause);
    } finally {
      setBusy((n) => n - 1);
    }
  };

  // One after the other: each edit is made from the text that the last one left.
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const edit = (edits: readonly Edit[]): Promise<ApiError | undefined> => {
    const work = queue.current.then(() =>
      busy(async () => {
        const before = now.current;
        if (!before) return undefined;
        let { text } = front(before);
        let view: MappingView | undefined;
        for (const one of edits) {
          const ask: MappingEdit = { text, revision: before.revision, target: one.target };
          if (one.rule) ask.rule = one.rule;
          view = await api.editMapping(flow, ask);
          text = view.text;
        }
        if (view) {
          const next = pushed(now.current ?? before, { text, view });
          now.current = next;
          setAll(next);
        }
        return undefined;
      }),
    );
    queue.current = work;
    return work;
  };

  const save = async (): Promise<ApiError | undefined> => {
    const before = now.current;
    if (before === undefined) return undefined;
    const { text } = front(before);
    return busy(async () => {
      const { revision } = await api.saveMapping(flow, { text, revision: before.revision });
      change((old) => ({ ...old, saved: text, revision }));
      return undefined;
    });
  };

  if (!all) return { draft: undefined, error, reload };
  const { view, text } = front(all);
  const draft: Draft = {
    view,
    text,
    saved: all.saved,
    revision: all.revision,
    isChanged: isChanged(all),
    isStale: isStale(all),
    isBusy: n_busy > 0,
    canUndo: all.at > 0,
    canRedo: all.at + 1 < all.versions.length,
    edit,
    type: (next) => change((old) => pushed(old, { text: next, view: front(old).view }, true)),
    undo: () => change((old) => moved(old, -1)),
    redo: () => change((old) => moved(old, 1)),
    save,
    settle: (theirs, keepsMine) =>
      change((old) => {
        const next = { ...old, saved: theirs.text, revision: theirs.revision };
        return keepsMine ? next : pushed(next, { text: theirs.text, view: theirs });
      }),
  };
  return { draft, error, reload };
}
