// The rule of one field of the target: read, written as TOML, taken away.

import { type FormEvent, type Ref, useEffect, useId, useState } from 'react';
import type { ApiError } from '../api/client';
import type { Mistake, Rule, TargetField } from '../api/types';
import { useTexts } from '../i18n';
import { Badge, Button, ErrorView, Field, Mistakes } from '../ui';
import { useKind } from './cells';
import { nameOf } from './paths';
import { fixedRule } from './toml';
import { mappingWords } from './words';

/** The panel; `path` is the field that is chosen. */
export function RulePanel({ path, field, rule, hint, canEdit, isFree, isBusy, error, mistakes, sourcePaths, listId, ruleRef, onToml, onFrom, onRemove, onLine }: {
  path: string | undefined;
  field: TargetField | undefined;
  rule: Rule | undefined;
  /** What to say above the rule. */
  hint: string | undefined;
  canEdit: boolean;
  /** Whether the target takes any field. */
  isFree: boolean;
  isBusy: boolean;
  error: ApiError | undefined;
  /** Mistakes in the lines of this rule. */
  mistakes: readonly Mistake[];
  sourcePaths: ReadonlySet<string>;
  /** The id of the list of the source's fields. */
  listId: string;
  ruleRef: Ref<HTMLTextAreaElement>;
  onToml: (toml: string) => void;
  onFrom: (source: string) => void;
  onRemove: () => void;
  onLine: (line: number) => void;
}) {
  const t = useTexts(mappingWords);
  const kind = useKind();
  const id = useId();
  const written = rule?.toml ?? '';
  const [toml, setToml] = useState(written);
  const [from, setFrom] = useState('');
  const [fixed, setFixed] = useState('');
  useEffect(() => setToml(written), [written, path]);
  useEffect(() => {
    setFrom('');
    setFixed('');
  }, [path, written]);

  if (path === undefined) {
    return (
      <section className="map-panel" aria-label={t.rule}>
        <h2>{t.rule}</h2>
        <p className="muted">{t.chooseField}</p>
        <Reference />
      </section>
    );
  }
  const title = field?.title ?? '';
  const submit = (then: () => void) => (event: FormEvent) => {
    event.preventDefault();
    then();
  };
  const isUnknown = from !== '' && !sourcePaths.has(from);
  return (
    <section className="map-panel" aria-labelledby={id}>
      <h2 id={id}><span className="mono">{nameOf(path)}</span> {title !== '' && title !== nameOf(path) && <small>{title}</small>}</h2>
      <p className="map-panel-about">
        <code>{path}</code>
        {field && kind(field.kind) !== '' && <Badge tone="quiet">{kind(field.kind)}</Badge>}
        {field?.required && <Badge tone="warning">{t.required}</Badge>}
        {field && !field.is_declared && !isFree && <Badge tone="quiet">{t.undeclared}</Badge>}
        {rule && <Badge tone="busy">{t.ruleKinds[rule.kind] ?? rule.kind}</Badge>}
        {rule && <Button small look="quiet" icon="list" onClick={() => onLine(rule.line)}>{t.toLine(rule.line)}</Button>}
      </p>
      {hint !== undefined && <p className="map-hint">{hint}</p>}
      {mistakes.length > 0 && <Mistakes mistakes={mistakes} />}
      {error && <ErrorView error={error} />}
      {rule?.kind !== 'fields' && (
        <form onSubmit={submit(() => onToml(toml))}>
          <Field label={t.ruleText} hint={t.ruleHint}>
            {(control) => (
              <textarea
                {...control}
                ref={ruleRef}
                className="map-toml"
                rows={Math.min(14, Math.max(3, toml.split('\n').length + Math.floor(toml.length / 46)))}
                spellCheck={false}
                autoCapitalize="off"
                readOnly={!canEdit}
                value={toml}
                onChange={(event) => setToml(event.target.value)}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
                }}
              />
            )}
          </Field>
          {canEdit && (
            <p className="map-panel-acts">
              <Button type="submit" look="primary" busy={isBusy} disabled={toml.trim() === '' || toml === written}>{t.apply}</Button>
              {rule && <Button look="danger" busy={isBusy} onClick={onRemove}>{t.remove}</Button>}
            </p>
          )}
        </form>
      )}
      {canEdit && rule?.kind !== 'fields' && (
        <>
          <form className="map-fill" onSubmit={submit(() => { if (sourcePaths.has(from)) onFrom(from); })}>
            <Field label={t.fillFrom} error={isUnknown ? t.noSuchField : undefined}>
              {(control) => (
                <input {...control} className="mono" list={listId} autoComplete="off" spellCheck={false} value={from} onChange={(event) => setFrom(event.target.value)} />
              )}
            </Field>
            <Button type="submit" disabled={!sourcePaths.has(from)} aria-label={`${t.fill}: ${t.fillFrom}`}>{t.fill}</Button>
          </form>
          <form className="map-fill" onSubmit={submit(() => onToml(fixedRule(fixed)))}>
            <Field label={t.fillFixed}>
              {(control) => <input {...control} className="mono" autoComplete="off" spellCheck={false} value={fixed} onChange={(event) => setFixed(event.target.value)} />}
            </Field>
            <Button type="submit" disabled={fixed === ''} aria-label={`${t.fill}: ${t.fillFixed}`}>{t.fill}</Button>
          </form>
        </>
      )}
      <Reference />
    </section>
  );
}

/** The keys of a rule in one line each. */
function Reference() {
  const t = useTexts(mappingWords);
  return (
    <details className="map-reference">
      <summary>{t.reference}</summary>
      <dl>
        {t.referenceRows.map(([written, meaning]) => (
          <div key={written}>
            <dt><code>{written}</code></dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
