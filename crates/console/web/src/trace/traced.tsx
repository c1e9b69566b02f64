// One flow's way of a record: source, mapping, sending, target.

import type { ReactNode } from 'react';
import type { Traced } from '../api/types';
import { useTexts } from '../i18n';
import { links } from '../router';
import { useIsOperator } from '../session';
import { Badge, Icon, type IconName, JsonView, LinkButton, Notice, Time, type Tone } from '../ui';
import { Said } from '../letters/said';
import { RawPageButton } from './raw-page';
import { traceWords } from './words';

/** The way of a record that was delivered, or that waits. */
export function TracedWay({ traced, waits }: { traced: Traced; waits: boolean }) {
  const t = useTexts(traceWords);
  const isOperator = useIsOperator();
  const { flow, key, documents } = traced;
  const title = waits ? t.waits(flow) : t.delivered(flow);
  return (
    <article className="way" aria-label={title} data-flow={flow}>
      <header className="letter-head">
        <h2>{title}</h2>
        <Badge tone={waits ? 'busy' : 'good'} icon={waits ? 'clock' : 'check'}>{traced.target}</Badge>
        {traced.delivered_at !== undefined && <span className="letter-at muted"><Time at={traced.delivered_at} /></span>}
      </header>
      <ol className="steps">
        <Step title={t.source} icon="letter" tone="good">
          <dl className="facts-inline">
            <div><dt>{t.key}</dt><dd className="mono">{key}</dd></div>
            <div><dt>{t.page}</dt><dd><RawPageButton flow={flow} page={traced.page} find={key} /></dd></div>
          </dl>
          {traced.record === undefined ? <p className="muted">{t.notKept}</p> : <JsonView text={traced.record} label={t.source} />}
        </Step>
        <Step title={t.mapped} icon="route" tone={traced.problem === undefined ? 'good' : 'bad'}>
          <dl className="facts-inline">
            {traced.run?.mapping !== undefined && <div><dt>{t.versionOf(traced.run.id)}</dt><dd className="mono">{traced.run.mapping}</dd></div>}
            {traced.mapping_version !== undefined && traced.mapping_version !== traced.run?.mapping && <div><dt>{t.version}</dt><dd className="mono">{traced.mapping_version}</dd></div>}
            <div><dt className="sr-only">{t.mapped}</dt><dd><LinkButton small look="quiet" icon={isOperator ? 'edit' : 'route'} href={links.mapping(flow)}>{t.editMapping}</LinkButton></dd></div>
          </dl>
          {!waits && traced.run?.mapping === undefined && <p className="muted">{t.versionUnknown}</p>}
          {traced.problem !== undefined && <Notice tone="bad" title={t.problem}><p><Said text={traced.problem} /></p></Notice>}
          {documents.length > 0 && <p className="muted">{t.documents(documents.length)}</p>}
          {documents.map((document, idx) => <JsonView key={idx} text={document} label={t.documents(1)} />)}
          {documents.length === 0 && traced.problem === undefined && traced.record !== undefined && <p className="muted">{t.noDocuments}</p>}
        </Step>
        <Step title={t.sent} icon="play" tone={waits ? 'quiet' : 'good'}>
          {waits ? (
            <p>{t.notYet} {t.waitsHelp} <LinkButton small look="quiet" icon="forward" href={links.flow(flow)}>{t.toFlow}</LinkButton></p>
          ) : (
            <dl className="facts-inline">
              {traced.delivered_at !== undefined && <div><dt>{t.at}</dt><dd><Time at={traced.delivered_at} only="full" /></dd></div>}
              <div><dt>{t.byRun}</dt><dd><DeliveredBy traced={traced} /></dd></div>
              <div><dt>{t.idempotency}</dt><dd className="mono">{traced.idempotency_key ?? <span className="muted">{t.noIdempotency}</span>}</dd></div>
            </dl>
          )}
        </Step>
        {!waits && (
          <Step title={t.arrived} icon="check" tone="good">
            <dl className="facts-inline">
              <div><dt>{t.target}</dt><dd className="mono">{traced.target}</dd></div>
              <div><dt>{t.remoteId}</dt><dd className="mono">{traced.remote_id ?? <span className="muted">{t.noRemoteId}</span>}</dd></div>
            </dl>
          </Step>
        )}
      </ol>
    </article>
  );
}

/** The run that delivered it, if the history has it. */
function DeliveredBy({ traced: { flow, run } }: { traced: Traced }) {
  const t = useTexts(traceWords);
  if (run === undefined) return <span className="muted">{t.runUnknown}</span>;
  return <><a href={links.run(flow, run.id)}>{t.runNumber(run.id)}</a> · <Time at={run.started} only="full" /></>;
}

/** One step of the way. */
function Step({ title, icon, tone, children }: { title: string; icon: IconName; tone: Tone; children: ReactNode }) {
  return (
    <li className={`step step-${tone}`}>
      <span className="step-mark"><Icon name={icon} /></span>
      <div className="step-body">
        <h3>{title}</h3>
        {children}
      </div>
    </li>
  );
}
