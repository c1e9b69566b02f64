// The calendar of runs: how those of the past ended, and when the next ones begin.

import { useMemo } from 'react';
import { api } from '../../api/client';
import { beijing, date } from '../../format';
import { useTexts } from '../../i18n';
import { useLoad } from '../../load';
import { useFresh } from '../../parts/fresh';
import { links, navigate, useLocation } from '../../router';
import { Empty, LinkButton, Page, RunBadge, Show, useNow } from '../../ui';
import { addDays, daysOf, isDay, place, startOf, step, type View } from './grid';
import { calendarTexts } from './texts';
import { DayView, MonthView, WeekView } from './views';

const VIEWS: readonly View[] = ['month', 'week', 'day'];

/** The page. */
export default function CalendarPage() {
  const t = useTexts(calendarTexts);
  const { query } = useLocation();
  const now = useNow();
  const today = date(now);
  const view = VIEWS.find((name) => name === query.get('view')) ?? 'week';
  const asked = query.get('at');
  const at = isDay(asked) ? asked : today;
  const flow = query.get('flow') ?? '';
  const needy = query.get('needy') === '1';

  const days = useMemo(() => daysOf(view, at), [view, at]);
  const first = days[0] ?? at;
  const last = days.at(-1) ?? at;
  const loaded = useLoad(`calendar ${first} ${last}`, (signal) =>
    api.calendar(startOf(first).toISOString(), startOf(addDays(last, 1)).toISOString(), signal));
  useFresh(loaded.reload, (event) => event.type === 'started' || event.type === 'ended' || event.type === 'reloaded', 120);
  const placed = useMemo(() => place(loaded.data ?? []), [loaded.data]);

  const to = (change: { view?: View; at?: string; flow?: string; needy?: string }): string =>
    links.calendar({ view, at, ...(flow === '' ? {} : { flow }), ...(needy ? { needy: '1' } : {}), ...change });
  const t0 = beijing(startOf(at));
  const heading = view === 'month'
    ? t.monthName(t0.year, t0.month)
    : view === 'week' ? t.span(first, last) : t.dayTitle(at, t0.weekday);
  const names: Record<View, string> = { month: t.month, week: t.week, day: t.day };

  return (
    <Page
      title={t.title}
      actions={
        <nav className="switch" aria-label={t.view}>
          {VIEWS.map((name) => (
            <a key={name} href={to({ view: name })} aria-current={name === view ? 'true' : undefined}>{names[name]}</a>
          ))}
        </nav>
      }
    >
      <div className="calendar-bar">
        <h2 aria-live="polite">{heading}</h2>
        <div className="row">
          <LinkButton small icon="back" href={to({ at: step(view, at, -1) })}>{t.before}</LinkButton>
          <LinkButton small href={to({ at: today })}>{t.today}</LinkButton>
          <LinkButton small icon="forward" href={to({ at: step(view, at, 1) })}>{t.after}</LinkButton>
        </div>
      </div>
      <Show loaded={loaded}>
        {(entries) => (
          <>
            {entries.length === 0 && view !== 'month' && <Empty icon="calendar" title={t.nothing}>{t.nothingHelp}</Empty>}
            {view === 'month' && <MonthView days={days} month={at.slice(0, 7)} today={today} placed={placed} />}
            {view === 'week' && entries.length > 0 && <WeekView days={days} today={today} placed={placed} />}
            {view === 'day' && entries.length > 0 && (
              <DayView
                day={at}
                placed={placed}
                flow={flow}
                needy={needy}
                onFlow={(name) => navigate(to({ flow: name }), { replace: true })}
                onNeedy={(only) => navigate(to({ needy: only ? '1' : '' }), { replace: true })}
              />
            )}
          </>
        )}
      </Show>
      <ul className="legend" aria-label={t.legend}>
        {(['reconciled', 'unreconciled', 'partial', 'failed', 'running', 'cut-off', 'planned'] as const).map((state) => (
          <li key={state}><RunBadge state={state} /></li>
        ))}
      </ul>
    </Page>
  );
}
