// The rules and the quiet hours, as a form that writes only what has changed.

import { type FormEvent, useEffect, useId, useState } from 'react';
import { api, type ApiError } from '../../api/client';
import type { AlertSettings } from '../../api/types';
import { useTexts } from '../../i18n';
import { asApiError, useAct } from '../../load';
import { guardLeaving } from '../../router';
import { useIsOperator } from '../../session';
import { Button, ErrorView, Field, Notice, Prose, useToasts } from '../../ui';
import { type AlertForm, carriedOver, changeOf, formOf, mistakesOf, type RuleForm } from './form';
import { alertTexts } from './texts';

function RuleRow({ rule, title, isLocked, isWrong, onChange }: {
  rule: RuleForm; title: string; isLocked: boolean; isWrong: boolean; onChange: (rule: RuleForm) => void;
}) {
  const t = useTexts(alertTexts);
  const id = useId();
  return (
    <li className="rule">
      <label className="check rule-name">
        <input
          type="checkbox"
          checked={rule.isOn}
          disabled={isLocked}
          onChange={(event) => onChange({ ...rule, isOn: event.target.checked })}
        />
        <span>{title} <code className="small muted">{rule.name}</code></span>
      </label>
      {rule.bound !== undefined && (
        <div className="rule-bound">
          <label htmlFor={id} className="sr-only">{t.boundOf(title)}</label>
          <input
            id={id}
            className="input"
            value={rule.bound}
            disabled={isLocked || !rule.isOn}
            spellCheck={false}
            autoComplete="off"
            aria-invalid={isWrong || undefined}
            aria-describedby={isWrong ? `${id}-wrong` : undefined}
            onChange={(event) => onChange({ ...rule, bound: event.target.value })}
          />
          {isWrong && <p id={`${id}-wrong`} className="field-error">{t.boundMissing}</p>}
        </div>
      )}
    </li>
  );
}

/** The form. */
export function Rules({ settings, onSaved }: { settings: AlertSettings; onSaved: () => void }) {
  const t = useTexts(alertTexts);
  const toasts = useToasts();
  const isOperator = useIsOperator();
  const [base, setBase] = useState(settings);
  const [form, setForm] = useState<AlertForm>(() => formOf(settings));
  const [isTried, setTried] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [isBusy, act] = useAct();
  const change = changeOf(base, form);
  const mistakes = mistakesOf(form);
  const isDirty = change !== undefined;

  // What somebody else has saved is taken over; what stands changed in the form stays.
  useEffect(() => {
    if (settings === base) return;
    setForm((old) => carriedOver(base, old, settings));
    setBase(settings);
  }, [settings, base]);

  useEffect(() => {
    if (!isDirty) return undefined;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    const free = guardLeaving(() => window.confirm(t.leave));
    return () => {
      window.removeEventListener('beforeunload', warn);
      free();
    };
  }, [isDirty, t.leave]);

  const send = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (change === undefined || mistakes.bounds.length > 0 || mistakes.isQuietWrong) return;
    void act(async () => {
      setError(undefined);
      try {
        await api.changeAlerts(change);
        setTried(false);
        toasts.good(t.saved);
        onSaved();
      } catch (cause) {
        setError(asApiError(cause));
      }
    });
  };
  const setRule = (rule: RuleForm) =>
    setForm((old) => ({ ...old, rules: old.rules.map((one) => (one.name === rule.name ? rule : one)) }));

  return (
    <form className="card alert-form" onSubmit={send} noValidate>
      {!isOperator && <p className="muted">{t.viewerOnly}</p>}
      <fieldset>
        <legend className="sr-only">{t.rules}</legend>
        <ul className="rules">
          {form.rules.map((rule) => (
            <RuleRow
              key={rule.name}
              rule={rule}
              title={base.rules.find((one) => one.name === rule.name)?.title ?? rule.name}
              isLocked={!isOperator}
              isWrong={isTried && mistakes.bounds.includes(rule.name)}
              onChange={setRule}
            />
          ))}
        </ul>
        <p className="small muted"><Prose text={t.boundHint} /></p>
      </fieldset>
      <fieldset>
        <legend>{t.quiet}</legend>
        <p className="small muted">{t.quietHelp}</p>
        <label className="check">
          <input
            type="checkbox"
            checked={form.isQuiet}
            disabled={!isOperator}
            onChange={(event) => setForm((old) => ({ ...old, isQuiet: event.target.checked }))}
          />
          {t.quietOn}
        </label>
        {form.isQuiet && (
          <div className="quiet">
            <Field label={t.quietFrom} error={isTried && mistakes.isQuietWrong ? t.quietForm : undefined}>
              {(control) => (
                <input {...control} type="time" value={form.quietFrom} disabled={!isOperator} onChange={(event) => setForm((old) => ({ ...old, quietFrom: event.target.value }))} />
              )}
            </Field>
            <Field label={t.quietUntil}>
              {(control) => (
                <input {...control} type="time" value={form.quietUntil} disabled={!isOperator} onChange={(event) => setForm((old) => ({ ...old, quietUntil: event.target.value }))} />
              )}
            </Field>
            <p className="small muted">{t.zone(base.zone)}</p>
          </div>
        )}
      </fieldset>
      {error && (error.status === 409
        ? <Notice tone="warning" title={t.changedMeanwhile}><Button small onClick={() => { setError(undefined); onSaved(); }}>{t.loadAgain}</Button></Notice>
        : <ErrorView error={error} />)}
      {isOperator && (
        <div className="row">
          <Button type="submit" look="primary" busy={isBusy} disabled={!isDirty}>{t.save}</Button>
          <Button look="quiet" disabled={!isDirty} onClick={() => { setForm(formOf(base)); setTried(false); setError(undefined); }}>{t.undo}</Button>
          {isDirty && <span className="small muted" role="status">{t.unsaved}</span>}
        </div>
      )}
    </form>
  );
}
