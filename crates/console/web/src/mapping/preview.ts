// What the draft would make of records, asked again whenever it has changed.

import { useEffect, useMemo, useRef, useState } from 'react';
import { api, type ApiError } from '../api/client';
import type { MappingPreview, MappingPreviewRequest, Previewed } from '../api/types';
import { useLang } from '../i18n';
import { asApiError } from '../load';

/** The draft has to rest so long. */
const REST_MS = 350;
/** So many of the newest records are shown. */
const N_RECORDS = 5;

/** A record of the preview, and what the saved mapping makes of it. */
export interface Compared {
  now: Previewed;
  before: Previewed | undefined;
}

/** The preview. */
export interface PreviewState {
  records: Compared[] | undefined;
  mistakes: MappingPreview['mistakes'];
  error: ApiError | undefined;
  /** Whether it is of an earlier text. */
  isStale: boolean;
}

/** The preview of `text`, compared with that of `saved`; with these letters, or with the newest records. */
export function usePreview(flow: string, text: string, saved: string, letters: readonly number[]): PreviewState {
  const lang = useLang();
  const [state, setState] = useState<{ key: string; now?: MappingPreview; before?: MappingPreview; error?: ApiError }>();
  const base = useRef<{ key: string; preview: Promise<MappingPreview> }>(undefined);
  const wanted = letters.join(',');
  const key = `${lang}\n${wanted}\n${text}`;

  useEffect(() => {
    const ids = wanted === '' ? [] : wanted.split(',').map(Number);
    const ask = (what: string): Promise<MappingPreview> => {
      const request: MappingPreviewRequest = { text: what, limit: ids.length > 0 ? Math.min(50, ids.length) : N_RECORDS };
      if (ids.length > 0) request.letters = ids;
      return api.previewMapping(flow, request);
    };
    let isOver = false;
    const timer = setTimeout(() => {
      const baseKey = `${lang}\n${wanted}\n${saved}`;
      if (base.current?.key !== baseKey) {
        const preview = ask(saved);
        // What fails is asked again the next time.
        preview.catch(() => {
          if (base.current?.preview === preview) base.current = undefined;
        });
        base.current = { key: baseKey, preview };
      }
      const before = base.current.preview;
      const now = text === saved ? before : ask(text);
      Promise.all([before, now]).then(
        ([old, fresh]) => {
          if (!isOver) setState({ key, now: fresh, before: old });
        },
        (cause: unknown) => {
          if (!isOver) setState((last) => ({ ...last, key, error: asApiError(cause) }));
        },
      );
    }, state === undefined ? 0 : REST_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [flow, text, saved, wanted, lang, key]);

  const isStale = state?.key !== key;
  return useMemo(() => {
    // What only deserves a warning keeps nothing from being mapped.
    const mistakes = (state?.now?.mistakes ?? []).filter((mistake) => !mistake.is_warning);
    const records = state?.now && mistakes.length === 0 ? compared(state.now, state.before) : undefined;
    return { records, mistakes, error: state?.error, isStale };
  }, [state, isStale]);
}

function compared(now: MappingPreview, before: MappingPreview | undefined): Compared[] {
  const old = new Map(before?.records.map((record) => [nameOf(record), record]));
  return now.records.map((record) => ({ now: record, before: old.get(nameOf(record)) }));
}

function nameOf(record: Previewed): string {
  return record.letter === undefined ? (record.key ?? record.record) : `#${record.letter}`;
}
