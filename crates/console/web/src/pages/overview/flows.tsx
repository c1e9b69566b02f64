// The flows of the overview: one row each, those that need somebody first.

import { useId, useState } from 'react';
import type { Flow } from '../../api/types';
import { count, span } from '../../format';
import { useLang, useTexts } from '../../i18n';
import { words } from '../../i18n/shared';
import { byNeed, choose, type FlowFilter, isRunning, needs, runningId } from '../../parts/flow-state';
import { RunElsewhere, RunProgress } from '../../parts/progress';
import { Ticks } from '../../parts/ticks';
import { links } from '../../router';
import { Badge, type Column, Empty, RunBadge, stateOf, Table, Time } from '../../ui';
import { overviewTexts } from './texts';

/** How a flow stands: what it does now, else how its last run ended. */
export function FlowState({ flow }: { flow: Flow }) {
  const t = useTexts(overviewTexts);
  const last = flow.last_run;
  return (
    <div className="flow-state">
      {isRunning(flow) ? <RunBadge state="running" /> : <RunBadge state={stateOf(last)} title={last?.reason} />}
      {flow.has_file && !flow.is_usable && <Badge tone="bad" icon="warning">{t.unusable}</Badge>}
      {!flow.has_file && <Badge tone="quiet" icon="info">{t.noFile}</Badge>}
      {flow.elsewhere && <RunElsewhere elsewhere={flow.elsewhere} />}
      {flow.running ? <RunProgress run={flow.running} /> : !flow.elsewhere && last && (
        <span className="small"><a href={links.run(flow.name, last.id)}><Time at={last.ended ?? last.started} only="relative" /></a></span>
      )}
      {flow.backfills.length > 0 && <span className="small muted">{t.backfilling(flow.backfills.length)}</span>}
    </div>
  );
}

/** The flows, with a filter where there are many. */
export function Flows({ flows }: { flows: readonly Flow[] }) {
  const t = useTexts(overviewTexts);
  const w = useTexts(words);
  const lang = useLang();
  const id = useId();
  const [text, setText] = useState('');
  const [filter, setFilter] = useState<FlowFilter>('all');
  const shown = choose(byNeed(flows), text, filter);
  const filters: [FlowFilter, string, number][] = [
    ['all', t.all, flows.length],
    ['needy', t.onlyNeedy, flows.filter((flow) => needs(flow).length > 0).length],
    ['running', t.onlyRunning, flows.filter(isRunning).length],
  ];

  const columns: Column<Flow>[] = [
    {
      id: 'flow',
      title: w.flow,
      header: true,
      label: '',
      cell: (flow) => (
        <div className="flow-name">
          <a href={links.flow(flow.name)}>{flow.name}</a>
          <span className="small muted flow-way">
            <span>{flow.source_account}/{flow.stream}</span> <span>→ {flow.sink_account}/{flow.target}</span>
          </span>
        </div>
      ),
    },
    { id: 'state', title: t.state, cell: (flow) => <FlowState flow={flow} /> },
    { id: 'recent', title: t.recent, cell: (flow) => <Ticks runs={flow.recent} runningId={runningId(flow)} /> },
    { id: 'records', title: t.lastRecords, numeric: true, isIdle: (flow) => flow.last_run === undefined, cell: (flow) => (flow.last_run ? count(flow.last_run.records) : '–') },
    {
      id: 'lag',
      title: w.lag,
      numeric: true,
      isIdle: (flow) => flow.lag_secs === undefined,
      cell: (flow) => <span className="nowrap">{flow.lag_secs === undefined ? '–' : span(flow.lag_secs, lang)}</span>,
    },
    {
      id: 'open',
      title: w.openSlices,
      numeric: true,
      isIdle: (flow) => flow.open_slices === 0,
      cell: (flow) => <span className={flow.open_slices > 0 ? '' : 'muted'}>{count(flow.open_slices)}</span>,
    },
    {
      id: 'dead',
      title: w.deadLetters,
      numeric: true,
      isIdle: (flow) => flow.dead_letters === 0,
      cell: (flow) => (flow.dead_letters > 0
        ? <a className="text-bad strong" href={links.letters(flow.name)}>{count(flow.dead_letters)}</a>
        : <span className="muted">0</span>),
    },
    {
      id: 'next',
      title: t.next,
      cell: (flow) => (flow.next_start
        ? <span className="nowrap" title={flow.schedule_words}><Time at={flow.next_start} only="relative" /></span>
        : <span className="muted">{t.byHand}</span>),
    },
  ];

  return (
    <div className="flows">
      <div className="filters">
        <div className="switch" role="group" aria-label={t.filter}>
          {filters.map(([value, label, n]) => (
            <button key={value} type="button" aria-pressed={filter === value} onClick={() => setFilter(value)}>
              {label} <span className="num">{count(n)}</span>
            </button>
          ))}
        </div>
        <label htmlFor={id} className="sr-only">{t.find}</label>
        <input id={id} className="input filter-text" type="search" placeholder={t.find} value={text} onChange={(event) => setText(event.target.value)} />
      </div>
      <Table
        caption={w.flows}
        columns={columns}
        rows={shown}
        rowKey={(flow) => flow.name}
        empty={<Empty icon="search" title={t.noneFits} />}
      />
    </div>
  );
}
