// The dialog that begins a backfill: which span, and how much of the limits it may take.

import { useState } from 'react';
import { api, type ApiError } from '../../api/client';
import type { Backfill } from '../../api/types';
import { fromBeijing, fromInput, beijing, toInput } from '../../format';
import { useTexts } from '../../i18n';
import { asApiError, useAct } from '../../load';
import { AskDialog, ErrorView, Field, serverNow, useToasts } from '../../ui';
import { flowTexts } from './texts';

/** What stands in the fields. */
export interface BackfillForm {
  from: string;
  until: string;
  share: string;
}

/** What is wrong with a field, by the name of the text that says it. */
export type BackfillMistakes = Partial<Record<keyof BackfillForm, 'fromMissing' | 'untilMissing' | 'untilBefore' | 'shareRange'>>;

/** Reads the fields: what to ask for, or what is wrong. */
export function readBackfill(form: BackfillForm): { ask: Backfill } | { mistakes: BackfillMistakes } {
  const from = fromInput(form.from);
  const until = fromInput(form.until);
  const mistakes: BackfillMistakes = {};
  if (from === undefined) mistakes.from = 'fromMissing';
  if (until === undefined) mistakes.until = 'untilMissing';
  if (from !== undefined && until !== undefined && until <= from) mistakes.until = 'untilBefore';
  const share = form.share.trim();
  if (share !== '' && (!/^\d{1,3}$/.test(share) || Number(share) < 1 || Number(share) > 100)) mistakes.share = 'shareRange';
  if (Object.keys(mistakes).length > 0 || from === undefined || until === undefined) return { mistakes };
  const ask: Backfill = { from: from.toISOString(), until: until.toISOString() };
  if (share !== '') ask.share = Number(share);
  return { ask };
}

/** The dialog. It offers the last seven whole days, and the command line's share. */
export function BackfillDialog({ flow, onClose, onBegun }: { flow: string; onClose: () => void; onBegun: () => void }) {
  const t = useTexts(flowTexts);
  const toasts = useToasts();
  const [form, setForm] = useState<BackfillForm>(() => {
    const today = beijing(serverNow());
    const day = (back: number) => toInput(fromBeijing(today.year, today.month, today.day - back));
    return { from: day(7), until: day(0), share: '20' };
  });
  const [mistakes, setMistakes] = useState<BackfillMistakes>({});
  const [error, setError] = useState<ApiError>();
  const [isBusy, act] = useAct();
  const change = (field: keyof BackfillForm) => (event: { target: { value: string } }) =>
    setForm((old) => ({ ...old, [field]: event.target.value }));
  const messageOf = (field: keyof BackfillForm): string | undefined => {
    const name = mistakes[field];
    return name === undefined ? undefined : t[name];
  };

  const send = () => {
    const read = readBackfill(form);
    if ('mistakes' in read) {
      setMistakes(read.mistakes);
      return;
    }
    setMistakes({});
    void act(async () => {
      setError(undefined);
      try {
        await api.backfill(flow, read.ask);
        toasts.good(t.backfillBegun);
        onBegun();
      } catch (cause) {
        setError(asApiError(cause));
      }
    });
  };

  return (
    <AskDialog title={t.backfillTitle} submit={t.backfillSubmit} onClose={onClose} onSubmit={send} isBusy={isBusy}>
      <p>{t.backfillHelp}</p>
      <Field label={t.from} hint={t.beijing} error={messageOf('from')}>
        {(control) => <input {...control} type="datetime-local" value={form.from} onChange={change('from')} />}
      </Field>
      <Field label={t.until} hint={t.beijing} error={messageOf('until')}>
        {(control) => <input {...control} type="datetime-local" value={form.until} onChange={change('until')} />}
      </Field>
      <Field label={t.share} hint={t.shareHint} error={messageOf('share')}>
        {(control) => <input {...control} inputMode="numeric" value={form.share} onChange={change('share')} />}
      </Field>
      {error && <ErrorView error={error} />}
    </AskDialog>
  );
}
