// The three views of the calendar: a month of days, a week of hours for each flow, a day of runs.

import { useId, useMemo, useState } from 'react';
import { beijing, between, clock } from '../../format';
import { useLang, useTexts } from '../../i18n';
import { words } from '../../i18n/shared';
import { type Box, outlines } from '../../parts/bars';
import { links } from '../../router';
import { Button, Icon, RUN_LOOK, RunBadge, type RunState, Table, useNow, useRunWords } from '../../ui';
import { byDay, countStates, type Day, flowsOf, hoursOf, type Placed, startOf, worstFirst } from './grid';
import { calendarTexts } from './texts';

const DAY_MS = 86_400_000;

/** States and their numbers in words. */
function useCounted(): (placed: readonly Placed[]) => string {
  const t = useTexts(calendarTexts);
  const names = useRunWords();
  return (placed) => {
    const counted = countStates(placed);
    return counted.length === 0 ? t.none : counted.map(([state, n]) => `${names[state]} ${n}`).join(', ');
  };
}

/** A month: each day leads to itself. */
export function MonthView({ days, month, today, placed }: { days: readonly Day[]; month: string; today: Day; placed: readonly Placed[] }) {
  const t = useTexts(calendarTexts);
  const names = useRunWords();
  const counted = useCounted();
  const found = useMemo(() => byDay(placed), [placed]);
  return (
    <div className="month">
      <div className="month-head" aria-hidden="true">
        {[1, 2, 3, 4, 5, 6, 0].map((day) => <span key={day}>{t.weekday(day)}</span>)}
      </div>
      <ol className="month-days">
        {days.map((day) => {
          const here = found.get(day) ?? [];
          const isOther = day.slice(0, 7) !== month;
          return (
            <li key={day} className={`month-day${isOther ? ' month-other' : ''}${day === today ? ' month-today' : ''}`}>
              <a
                href={links.calendar({ view: 'day', at: day })}
                aria-current={day === today ? 'date' : undefined}
              >
                <span className="sr-only">{t.dayTitle(day, beijing(startOf(day)).weekday)}, {counted(here)}</span>
                <span className="month-number num" aria-hidden="true">{Number(day.slice(8))}</span>
                <span className="month-counts" aria-hidden="true">
                  {countStates(here).map(([state, n]) => (
                    <span key={state} className={`month-count badge-${RUN_LOOK[state].tone}`} title={names[state]}>
                      <Icon name={RUN_LOOK[state].icon} /><span className="num">{n}</span>
                    </span>
                  ))}
                </span>
              </a>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** The class that colours a state. */
const lookOf = (state: RunState): string => (state === 'planned' ? 'hour-planned' : `fill-${RUN_LOOK[state].tone}`);

/** The hours of a day as a strip. */
function Hours({ placed, label }: { placed: readonly Placed[]; label: string }) {
  const boxes = hoursOf(placed).map((state, hour) => {
    const x = hour * 4 + 0.4;
    if (state === undefined) return { look: 'hour-none', x, y: 6, width: 3.2, height: 2 };
    return { look: lookOf(state), x, y: 1, width: 3.2, height: 12 };
  });
  return (
    <svg className="hours" viewBox="0 0 96 14" preserveAspectRatio="none" role="img" aria-label={label}>
      <title>{label}</title>
      {[...outlines(boxes)].map(([look, outline]) => <path key={look} className={look} d={outline} />)}
    </svg>
  );
}

/** A week: a row for each flow, a strip of hours for each day. */
export function WeekView({ days, today, placed }: { days: readonly Day[]; today: Day; placed: readonly Placed[] }) {
  const t = useTexts(calendarTexts);
  const w = useTexts(words);
  const counted = useCounted();
  const cells = useMemo(() => {
    const out = new Map<string, Placed[]>();
    for (const [day, list] of byDay(placed)) {
      for (const one of list) {
        const key = `${one.entry.flow} ${day}`;
        const there = out.get(key);
        if (there) there.push(one);
        else out.set(key, [one]);
      }
    }
    return out;
  }, [placed]);
  const flows = useMemo(() => flowsOf(placed), [placed]);
  return (
    <>
      <div className="week-wrap" role="group" aria-label={t.week} tabIndex={0}>
        <table className="week">
          <caption className="sr-only">{t.week}</caption>
          <thead>
            <tr>
              <th scope="col">{w.flow}</th>
              {days.map((day) => (
                <th key={day} scope="col" className={day === today ? 'week-today' : undefined}>
                  <a href={links.calendar({ view: 'day', at: day })} aria-current={day === today ? 'date' : undefined}>
                    {t.dayTitle(day.slice(5), beijing(startOf(day)).weekday)}
                  </a>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {flows.map((flow) => (
              <tr key={flow}>
                <th scope="row"><a href={links.flow(flow)}>{flow}</a></th>
                {days.map((day) => {
                  const here = cells.get(`${flow} ${day}`) ?? [];
                  return (
                    <td key={day} className={day === today ? 'week-today' : undefined}>
                      <Hours placed={here} label={counted(here)} />
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="small muted">{t.hours}</p>
    </>
  );
}

/** So many runs of a day are listed until the others are asked for. */
const LISTED = 100;

/** A day: a line of time for each flow, and the runs as a list. */
export function DayView({ day, placed, flow, needy, onFlow, onNeedy }: {
  day: Day;
  placed: readonly Placed[];
  /** Only this one. */
  flow: string;
  /** Only what did not reconcile. */
  needy: boolean;
  onFlow: (flow: string) => void;
  onNeedy: (needy: boolean) => void;
}) {
  const t = useTexts(calendarTexts);
  const w = useTexts(words);
  const lang = useLang();
  const now = useNow();
  const counted = useCounted();
  const id = useId();
  const [isWhole, setWhole] = useState(false);
  const from = startOf(day).getTime();
  const x = (at: number): number => Math.min(100, Math.max(0, ((at - from) / DAY_MS) * 100));
  const boxOf = ({ entry, state }: Placed): Box => {
    const begins = new Date(entry.at).getTime();
    const start = x(begins);
    const end = x(entry.ended ? new Date(entry.ended).getTime() : state === 'running' ? now : begins);
    return { look: lookOf(state), x: start, y: 1, width: Math.max(0.22, end - start), height: 8 };
  };
  const byFlow = useMemo(() => {
    const out = new Map<string, Placed[]>(flowsOf(placed).map((name) => [name, []]));
    for (const one of placed) out.get(one.entry.flow)?.push(one);
    return out;
  }, [placed]);
  const isNeedy = (state: RunState): boolean => state !== 'reconciled' && state !== 'planned' && state !== 'running';
  const wanted = worstFirst(
    placed.filter(({ entry, state }) => (flow === '' || entry.flow === flow) && (!needy || isNeedy(state))),
  );
  const listed = isWhole ? wanted : wanted.slice(0, LISTED);
  const isToday = now >= from && now < from + DAY_MS;

  return (
    <>
      <div className="card lanes">
        <div className="lane-scale num small muted" aria-hidden="true">
          {[0, 6, 12, 18, 24].map((hour) => <span key={hour} style={{ left: `${(hour / 24) * 100}%` }}>{String(hour).padStart(2, '0')}:00</span>)}
        </div>
        <ul>
          {[...byFlow].map(([name, here]) => (
            <li key={name} className="lane">
              <a className="lane-name" href={links.flow(name)}>{name}</a>
              <svg className="lane-line" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={t.timeline(name, counted(here))}>
                <title>{t.timeline(name, counted(here))}</title>
                {[25, 50, 75].map((at) => <line key={at} className="lane-grid" x1={at} x2={at} y1={0} y2={10} vectorEffect="non-scaling-stroke" />)}
                {[...outlines(here.map(boxOf))].map(([look, outline]) => <path key={look} className={look} d={outline} />)}
                {isToday && <line className="lane-now" x1={x(now)} x2={x(now)} y1={0} y2={10} vectorEffect="non-scaling-stroke" />}
              </svg>
            </li>
          ))}
        </ul>
      </div>
      <h2 className="day-list">{t.list}</h2>
      <p className="small muted">{t.listHint}</p>
      <div className="filters day-filters">
        <label htmlFor={id} className="sr-only">{w.flow}</label>
        <select id={id} className="input filter-text" value={flow} onChange={(event) => onFlow(event.target.value)}>
          <option value="">{t.allFlows}</option>
          {[...byFlow.keys()].map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
        <label className="check">
          <input type="checkbox" checked={needy} onChange={(event) => onNeedy(event.target.checked)} />
          {t.needYou}
        </label>
      </div>
      <Table
        caption={t.list}
        rows={listed}
        rowKey={({ entry }) => `${entry.flow} ${entry.at} ${entry.run ?? ''}`}
        empty={<p className="muted">{t.nothing}</p>}
        columns={[
          { id: 'at', title: t.at, numeric: false, cell: ({ entry }) => <span className="num">{clock(entry.at)}</span> },
          { id: 'flow', title: w.flow, header: true, label: '', cell: ({ entry }) => <a href={links.flow(entry.flow)}>{entry.flow}</a> },
          {
            id: 'state',
            title: w.verdict,
            cell: ({ entry, state }) => (entry.run === undefined
              ? <RunBadge state={state} />
              : <a className="plain" href={links.run(entry.flow, entry.run)}><RunBadge state={state} /></a>),
          },
          {
            id: 'took',
            title: w.duration,
            numeric: true,
            isIdle: ({ entry }) => entry.ended === undefined,
            cell: ({ entry }) => (entry.ended === undefined ? '–' : between(entry.at, entry.ended, lang)),
          },
        ]}
      />
      {listed.length < wanted.length && (
        <p className="more"><Button onClick={() => setWhole(true)}>{t.moreRuns(wanted.length - listed.length)}</Button></p>
      )}
    </>
  );
}
