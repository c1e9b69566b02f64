// The text that is being edited: what it says, what it said before, and whether it is saved.

import { useCallback, useEffect, useRef, useState } from 'react';
import { api, type ApiError } from '../api/client';
import type { MappingEdit, MappingView } from '../api/types';
import { useLang } from '../i18n';
import { asApiError } from '../load';
import type { Edit } from './drop';

/** After so long without a key the server is asked what the text says. */
const TYPING_MS = 400;
/** As many versions can be taken back. */
const MOST_VERSIONS = 200;

/** A text, and what the server says of it; while it is typed, that is still of an earlier text. */
interface Version {
  text: string;
  view: MappingView;
}

interface State {
  versions: Version[];
  at: number;
  /** The text on disk, as far as is known, and the name of that state of the file. */
  saved: string;
  revision: string;
}

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
  const [state, setState] = useState<State>();
  const [error, setError] = useState<ApiError>();
  const [n_busy, setBusy] = useState(0);
  const [turn, setTurn] = useState(0);
  const now = useRef<State>(undefined);
  now.current = state;

  const change = useCallback((next: (old: State) => State) => {
    setState((old) => (old ? next(old) : old));
  }, []);

  // Loaded at first, and looked at again in another language.
  useEffect(() => {
    const stop = new AbortController();
    const before = now.current;
    const isKept = before !== undefined && before.versions[before.at]?.view.flow === flow;
    const text = before?.versions[before.at]?.text ?? '';
    const asked = isKept && before ? api.draft(flow, { text, revision: before.revision }) : api.mapping(flow, stop.signal);
    asked.then(
      (view) => {
        if (stop.signal.aborted) return;
        setError(undefined);
        if (isKept) change((old) => withView(old, text, view));
        else setState({ versions: [{ text: view.text, view }], at: 0, saved: view.text, revision: view.revision });
      },
      (cause: unknown) => {
        if (!stop.signal.aborted) setError(asApiError(cause));
      },
    );
    return () => stop.abort();
  }, [flow, lang, turn, change]);

  const current = state?.versions[state.at];
  const isStale = current !== undefined && current.view.text !== current.text;

  // What is typed is looked at when the typing rests.
  const typed = isStale ? current.text : undefined;
  useEffect(() => {
    if (typed === undefined) return undefined;
    let isOver = false;
    const timer = setTimeout(() => {
      const revision = now.current?.revision ?? '';
      api.draft(flow, { text: typed, revision }).then(
        (view) => {
          if (isOver) return;
          setError(undefined);
          change((old) => withView(old, typed, view));
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
    const work = queue.current.then(async () => {
      const result = await busy(async () => {
        const before = now.current;
        let text = before?.versions[before.at]?.text ?? '';
        let view: MappingView | undefined;
        for (const one of edits) {
          const ask: MappingEdit = { text, revision: before?.revision ?? '', target: one.target };
          if (one.rule) ask.rule = one.rule;
          view = await api.editMapping(flow, ask);
          text = view.text;
        }
        if (view && now.current) {
          const next = pushed(now.current, { text: view.text, view }, false);
          now.current = next;
          setState(next);
        }
        return undefined;
      });
      return result;
    });
    queue.current = work;
    return work;
  };

  const save = async (): Promise<ApiError | undefined> => {
    const before = now.current;
    const text = before?.versions[before.at]?.text;
    if (before === undefined || text === undefined) return undefined;
    return busy(async () => {
      const { revision } = await api.saveMapping(flow, { text, revision: before.revision });
      change((old) => ({ ...old, saved: text, revision }));
      return undefined;
    });
  };

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  if (!state || !current) return { draft: undefined, error, reload };
  const draft: Draft = {
    view: current.view,
    text: current.text,
    saved: state.saved,
    revision: state.revision,
    isChanged: current.text !== state.saved,
    isStale,
    isBusy: n_busy > 0,
    canUndo: state.at > 0,
    canRedo: state.at + 1 < state.versions.length,
    edit,
    type: (text) => change((old) => pushed(old, { text, view: current.view }, true)),
    undo: () => change((old) => ({ ...old, at: Math.max(0, old.at - 1) })),
    redo: () => change((old) => ({ ...old, at: Math.min(old.versions.length - 1, old.at + 1) })),
    save,
    settle: (theirs, keepsMine) =>
      change((old) => {
        const next = { ...old, saved: theirs.text, revision: theirs.revision };
        return keepsMine ? next : pushed(next, { text: theirs.text, view: theirs }, false);
      }),
  };
  return { draft, error, reload };
}

/** With a new version on top; what had been taken back is forgotten. A run of keys is one version. */
function pushed(old: State, version: Version, isTyped: boolean): State {
  const top = old.versions[old.at];
  if (top?.text === version.text) {
    return { ...old, versions: old.versions.map((one, idx) => (idx === old.at ? version : one)) };
  }
  const isRun = isTyped && top !== undefined && top.view.text !== top.text && top.text !== old.saved;
  const kept = old.versions.slice(0, isRun ? old.at : old.at + 1).slice(-MOST_VERSIONS);
  return { ...old, versions: [...kept, version], at: kept.length };
}

/** With what the server says of a text, if it is still the one in front. */
function withView(old: State, text: string, view: MappingView): State {
  return {
    ...old,
    versions: old.versions.map((one, idx) => (idx === old.at && one.text === text ? { text, view: { ...view, text } } : one)),
  };
}
