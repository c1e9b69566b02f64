// The runs of a flow: as charts, and as a list that goes back as far as they are kept.

import { useMemo } from 'react';
import type { RunSummary } from '../../api/types';
import { between, count, shortTime, span } from '../../format';
import { useLang, useTexts } from '../../i18n';
import { words } from '../../i18n/shared';
import { BarChart } from '../../parts/chart';
import { secondsOf } from '../../parts/flow-state';
import { links } from '../../router';
import { type Column, Empty, Prose, RUN_LOOK, RunBadge, serverNow, stateOf, Table, Time, Took } from '../../ui';
import { flowTexts } from './texts';

/** The records and the times of the runs that have ended. */
export function RunCharts({ runs }: { runs: readonly RunSummary[] }) {
  const t = useTexts(flowTexts);
  const lang = useLang();
  const ended = useMemo(() => runs.filter((run) => run.ended !== undefined).slice(0, 100).reverse(), [runs]);
  const charts = useMemo(() => {
    const now = serverNow();
    const bar = (run: RunSummary, value: number) => ({
      label: shortTime(run.started, now),
      value,
      tone: RUN_LOOK[stateOf(run)].tone,
    });
    return {
      records: ended.map((run) => bar(run, run.records)),
      seconds: ended.map((run) => bar(run, secondsOf(run) ?? 0)),
    };
  }, [ended]);
  if (ended.length < 2) return null;
  const describe = (title: string, bars: readonly { value: number }[], format: (n: number) => string): string => {
    const values = bars.map((bar) => bar.value);
    return t.chartLabel(title, values.length, format(Math.min(...values)), format(Math.max(...values)));
  };
  const seconds = (n: number): string => span(n, lang);
  return (
    <>
      <div className="charts">
        <figure className="card">
          <figcaption>{t.chartRecords}</figcaption>
          <BarChart bars={charts.records} format={count} label={describe(t.chartRecords, charts.records, count)} />
        </figure>
        <figure className="card">
          <figcaption>{t.chartSeconds}</figcaption>
          <BarChart bars={charts.seconds} format={seconds} label={describe(t.chartSeconds, charts.seconds, seconds)} />
        </figure>
      </div>
      <p className="small muted">{t.chartHint}</p>
    </>
  );
}

/** The runs as a table, newest first. */
export function RunTable({ flow, runs, runningId }: {
  flow: string; runs: readonly RunSummary[]; runningId: number | undefined;
}) {
  const t = useTexts(flowTexts);
  const w = useTexts(words);
  const lang = useLang();
  const columns: Column<RunSummary>[] = [
    { id: 'id', title: t.run, header: true, label: '', cell: (run) => <a className="nowrap num" href={links.run(flow, run.id)}>{t.runNumber(run.id)}</a> },
    { id: 'verdict', title: w.verdict, cell: (run) => <RunBadge state={stateOf(run, runningId)} /> },
    { id: 'started', title: w.started, cell: (run) => <Time at={run.started} /> },
    {
      id: 'took',
      title: w.duration,
      numeric: true,
      cell: (run) => {
        if (run.ended !== undefined) return <span className="nowrap">{between(run.started, run.ended, lang)}</span>;
        return stateOf(run, runningId) === 'running' ? <Took from={run.started} /> : '–';
      },
    },
    { id: 'records', title: w.records, numeric: true, cell: (run) => count(run.records) },
    { id: 'documents', title: w.documents, numeric: true, cell: (run) => count(run.documents) },
    { id: 'calls', title: w.calls, numeric: true, cell: (run) => count(run.calls) },
  ];
  // What is still under way has not ended badly yet.
  const reasonOf = (run: RunSummary): string | undefined => (stateOf(run, runningId) === 'running' ? undefined : run.reason);
  if (runs.some((run) => reasonOf(run) !== undefined)) {
    columns.push({
      id: 'reason',
      title: w.reason,
      isIdle: (run) => reasonOf(run) === undefined,
      cell: (run) => {
        const reason = reasonOf(run);
        return reason === undefined ? null : <span className="small break"><Prose text={reason} /></span>;
      },
    });
  }
  return (
    <Table caption={t.runs} columns={columns} rows={runs} rowKey={(run) => run.id} empty={<Empty icon="history" title={t.noRuns} />} />
  );
}
