// A flow: where it stands, what it does now, its timetable, its runs, and what can be done with it.

import { useCallback, useState } from 'react';
import { api } from '../../api/client';
import type { BackfillState, Flow, RunSummary } from '../../api/types';
import { count, dateTime, span } from '../../format';
import { useLang, useTexts } from '../../i18n';
import { words } from '../../i18n/shared';
import { shell } from '../../layout/texts';
import { useAct, useLoad } from '../../load';
import { isRunning, runningId, shownRun } from '../../parts/flow-state';
import { useFresh, useProgress } from '../../parts/fresh';
import { RunElsewhere, RunProgress } from '../../parts/progress';
import { links } from '../../router';
import { useIsOperator } from '../../session';
import {
  AskDialog, Button, Facts, LinkButton, Notice, Page, Prose, RunBadge, Section, Show, stateOf, Table, Time, useToasts,
} from '../../ui';
import { BackfillDialog } from './backfill';
import { RunCharts, RunTable } from './runs';
import { flowTexts } from './texts';

function Actions({ flow, onChanged }: { flow: Flow; onChanged: () => void }) {
  const t = useTexts(flowTexts);
  const toasts = useToasts();
  const isOperator = useIsOperator();
  const [dialog, setDialog] = useState<'cancel' | 'backfill'>();
  const [isBusy, act] = useAct();
  const close = () => setDialog(undefined);

  const start = () => act(async () => {
    try {
      await api.start(flow.name);
      toasts.good(t.started(flow.name));
      onChanged();
    } catch (cause) {
      toasts.bad(cause);
    }
  });
  const cancel = () => act(async () => {
    try {
      await api.cancel(flow.name);
      toasts.good(t.cancelled(flow.name));
      onChanged();
    } catch (cause) {
      toasts.bad(cause);
    } finally {
      // Messages are not seen behind a dialog.
      close();
    }
  });

  return (
    <>
      {isOperator && (flow.running ? (
        <Button icon="stop" look="danger" onClick={() => setDialog('cancel')}>{t.cancelRun}</Button>
      ) : (
        <Button icon="play" look="primary" busy={isBusy} disabled={!flow.is_usable} onClick={start}>{t.runNow}</Button>
      ))}
      {isOperator && (
        <Button icon="history" disabled={!flow.is_usable} onClick={() => setDialog('backfill')}>{t.backfill}</Button>
      )}
      {flow.has_file && <LinkButton icon="edit" href={links.mapping(flow.name)}>{t.openMapping}</LinkButton>}
      <LinkButton icon="letter" href={links.letters(flow.name)}>
        {t.openLetters}{flow.dead_letters > 0 && <span className="num"> {count(flow.dead_letters)}</span>}
      </LinkButton>
      {dialog === 'cancel' && (
        <AskDialog title={t.cancelTitle} submit={t.cancelSubmit} danger isBusy={isBusy} dismiss={t.keep} onClose={close} onSubmit={cancel}>
          <p>{t.cancelHelp}</p>
        </AskDialog>
      )}
      {dialog === 'backfill' && (
        <BackfillDialog
          flow={flow.name}
          onClose={close}
          onBegun={() => {
            close();
            onChanged();
          }}
        />
      )}
    </>
  );
}

function FlowFacts({ flow }: { flow: Flow }) {
  const t = useTexts(flowTexts);
  const w = useTexts(words);
  const lang = useLang();
  return (
    <div className="card">
      <Facts
        facts={[
          { name: t.source, value: <><a href={links.account(flow.source_account)}>{flow.source_account}</a>/{flow.stream}</> },
          { name: t.sink, value: <><a href={links.account(flow.sink_account)}>{flow.sink_account}</a>/{flow.target}</> },
          {
            name: t.timetable,
            value: flow.schedule === undefined ? t.byHand : (
              <>{flow.schedule_words ?? ''} <code className="code nowrap">{flow.schedule}</code></>
            ),
          },
          { name: t.nextStart, value: flow.next_start === undefined ? '–' : <Time at={flow.next_start} /> },
          {
            name: t.provedUntil,
            value: flow.proved_until === undefined ? '–' : <span className="num">{dateTime(flow.proved_until)}</span>,
          },
          { name: w.lag, value: flow.lag_secs === undefined ? '–' : <span className="num">{span(flow.lag_secs, lang)}</span> },
          { name: t.delivered, value: <span className="num">{count(flow.delivered)}</span> },
          { name: t.pendingRecords, value: <span className="num">{count(flow.pending)}</span> },
          { name: w.openSlices, value: <span className="num">{count(flow.open_slices)}</span> },
          {
            name: w.deadLetters,
            value: flow.dead_letters > 0
              ? <a className="text-bad strong num" href={links.letters(flow.name)}>{count(flow.dead_letters)}</a>
              : <span className="num">0</span>,
          },
        ]}
      />
    </div>
  );
}

function Backfills({ backfills }: { backfills: readonly BackfillState[] }) {
  const t = useTexts(flowTexts);
  const w = useTexts(words);
  return (
    <Table
      caption={t.backfills}
      columns={[
        {
          id: 'span',
          title: t.span,
          header: true,
          label: '',
          cell: (backfill) => <span className="num">{dateTime(backfill.from)} – {dateTime(backfill.until)}</span>,
        },
        { id: 'open', title: w.openSlices, numeric: true, cell: (backfill) => count(backfill.open_slices) },
      ]}
      rows={backfills}
      rowKey={(backfill) => `${backfill.from} ${backfill.until}`}
    />
  );
}

/** So many runs are shown until more are asked for; the charts have a hundred. */
const FIRST_ROWS = 30;

/** The runs of the history, with a button for older ones. */
function Runs({ flow }: { flow: Flow }) {
  const t = useTexts(flowTexts);
  const w = useTexts(words);
  const toasts = useToasts();
  const first = useLoad(`runs ${flow.name}`, (signal) => api.runs(flow.name, { limit: 100 }, signal));
  const [older, setOlder] = useState<{ runs: RunSummary[]; next: number | undefined }>();
  const [shownAtMost, setShownAtMost] = useState(FIRST_ROWS);
  const [isBusy, act] = useAct();
  useFresh(first.reload, (event) =>
    (event.type === 'started' && event.flow === flow.name) || (event.type === 'ended' && event.run.flow === flow.name), 120);

  return (
    <Show loaded={first}>
      {(page) => {
        const runs = [...page.runs, ...(older?.runs ?? []).filter((run) => !page.runs.some((newer) => newer.id === run.id))];
        const next = older === undefined ? page.next : older.next;
        const more = () => act(async () => {
          if (shownAtMost < runs.length) {
            setShownAtMost(runs.length);
            return;
          }
          try {
            const found = await api.runs(flow.name, { before: next, limit: 100 });
            setOlder((old) => ({ runs: [...(old?.runs ?? []), ...found.runs], next: found.next }));
            setShownAtMost(Infinity);
          } catch (cause) {
            toasts.bad(cause);
          }
        });
        return (
          <>
            {page.runs.length > 1 && <Section title={t.charts}><RunCharts runs={page.runs} /></Section>}
            <Section title={t.runs}>
              <RunTable flow={flow.name} runs={runs.slice(0, shownAtMost)} runningId={runningId(flow, page.runs)} />
              {(next !== undefined || shownAtMost < runs.length) && <p className="more"><Button busy={isBusy} onClick={more}>{w.loadMore}</Button></p>}
            </Section>
          </>
        );
      }}
    </Show>
  );
}

/** The page. */
export default function FlowPage({ flow: name }: { flow: string }) {
  const t = useTexts(flowTexts);
  const s = useTexts(shell);
  const loaded = useLoad(`flow ${name}`, (signal) => api.flow(name, signal));
  const { reload, setData } = loaded;
  useProgress((runs) => {
    const news = runs.get(name);
    if (news) setData((old) => old && { ...old, running: shownRun(old.running, news) ?? news });
  });
  useFresh(reload, (event) => {
    if (event.type === 'started') return event.flow === name;
    if (event.type === 'ended') return event.run.flow === name;
    return event.type === 'reloaded';
  });
  const onChanged = useCallback(() => reload(), [reload]);
  const flow = loaded.data;
  const underWay = flow && runningId(flow);

  return (
    <Page
      title={name}
      crumbs={[{ href: links.overview(), label: s.overview }]}
      badge={flow && (isRunning(flow) ? <RunBadge state="running" /> : <RunBadge state={stateOf(flow.last_run)} />)}
      actions={flow && <Actions flow={flow} onChanged={onChanged} />}
    >
      <Show loaded={loaded}>
        {(shown) => (
          <>
            {!shown.has_file && <Notice>{t.noFile}</Notice>}
            {shown.has_file && !shown.is_usable && <Notice tone="bad" title={t.unusable}>{t.unusableHelp}</Notice>}
            {shown.last_run?.reason && !isRunning(shown) && (
              <Notice tone={shown.last_run.verdict === 'failed' ? 'bad' : 'warning'}><Prose text={shown.last_run.reason} /></Notice>
            )}
            {shown.running && (
              <section className="card under-way" aria-label={t.runningNow}>
                <h2>{t.runningNow}</h2>
                <RunProgress run={shown.running} />
                {underWay !== undefined && <a href={links.run(name, underWay)}>{t.details}</a>}
              </section>
            )}
            {shown.elsewhere && (
              <section className="card under-way" aria-label={t.runningElsewhere}>
                <h2>{t.runningElsewhere}</h2>
                <RunElsewhere elsewhere={shown.elsewhere} />
                {shown.elsewhere.run !== undefined && <a href={links.run(name, shown.elsewhere.run)}>{t.details}</a>}
              </section>
            )}
            <Section title={t.facts}><FlowFacts flow={shown} /></Section>
            {shown.backfills.length > 0 && <Section title={t.backfills}><Backfills backfills={shown.backfills} /></Section>}
            <Runs flow={shown} />
          </>
        )}
      </Show>
    </Page>
  );
}
