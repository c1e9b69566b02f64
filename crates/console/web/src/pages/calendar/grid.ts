// The calendar's arithmetic: days, weeks and months in Beijing, and what falls into them.

import type { CalendarEntry } from '../../api/types';
import { beijing, date, fromBeijing } from '../../format';
import { type RunState, stateOf } from '../../ui/badge';

/** How much the calendar shows at once. */
export type View = 'month' | 'week' | 'day';

/** A day in Beijing, as `2026-11-27`. */
export type Day = string;

const DAY_MS = 86_400_000;

/** Midnight, Beijing time, when a day begins. */
export function startOf(day: Day): Date {
  const [year, month, of] = day.split('-').map(Number) as [number, number, number];
  return fromBeijing(year, month, of);
}

/** Whether a text names a day that there is. */
export function isDay(text: string | null): text is Day {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && date(startOf(text)) === text;
}

/** A day so many days later. */
export function addDays(day: Day, days: number): Day {
  return date(startOf(day).getTime() + days * DAY_MS);
}

/** The same day so many months later, or the last day of that month if it is shorter. */
export function addMonths(day: Day, months: number): Day {
  const t = beijing(startOf(day));
  const first = fromBeijing(t.year, t.month + months, 1);
  const f = beijing(first);
  const length = beijing(fromBeijing(f.year, f.month + 1, 0)).day;
  return date(fromBeijing(f.year, f.month, Math.min(t.day, length)));
}

/** The Monday of a day's week. */
export function monday(day: Day): Day {
  return addDays(day, -((beijing(startOf(day)).weekday + 6) % 7));
}

/** The days that a view shows; a month is filled up to whole weeks. */
export function daysOf(view: View, day: Day): Day[] {
  const row = (first: Day, n: number): Day[] => Array.from({ length: n }, (_, index) => addDays(first, index));
  if (view === 'day') return [day];
  if (view === 'week') return row(monday(day), 7);
  const first = `${day.slice(0, 8)}01`;
  const start = monday(first);
  const next = addMonths(first, 1);
  const days = (startOf(next).getTime() - startOf(start).getTime()) / DAY_MS;
  return row(start, Math.ceil(days / 7) * 7);
}

/** The view before or after. */
export function step(view: View, day: Day, by: 1 | -1): Day {
  if (view === 'month') return addMonths(`${day.slice(0, 8)}01`, by);
  return addDays(day, view === 'week' ? by * 7 : by);
}

/** How an entry stands. */
export function entryState(entry: CalendarEntry): RunState {
  return entry.run === undefined ? 'planned' : stateOf({ ...entry, id: entry.run });
}

/** States from the worst to the best; what needs somebody is to be seen first. */
export const WORST_FIRST: readonly RunState[] = ['failed', 'unreconciled', 'partial', 'cut-off', 'running', 'reconciled', 'planned', 'never'];

/** An entry with its state. */
export interface Placed {
  entry: CalendarEntry;
  state: RunState;
}

/** Gives each entry its state. */
export function place(entries: readonly CalendarEntry[]): Placed[] {
  return entries.map((entry) => ({ entry, state: entryState(entry) }));
}

/** Entries by the day that they begin on. */
export function byDay(placed: readonly Placed[]): Map<Day, Placed[]> {
  const out = new Map<Day, Placed[]>();
  for (const one of placed) {
    const day = date(one.entry.at);
    const list = out.get(day);
    if (list) list.push(one);
    else out.set(day, [one]);
  }
  return out;
}

/** How many entries are in each state, the worst first. */
export function countStates(placed: readonly Placed[]): [state: RunState, n: number][] {
  const counts = new Map<RunState, number>();
  for (const { state } of placed) counts.set(state, (counts.get(state) ?? 0) + 1);
  return WORST_FIRST.flatMap((state): [RunState, number][] => {
    const n = counts.get(state);
    return n === undefined ? [] : [[state, n]];
  });
}

/** The worst state in each hour of a day; `undefined` where nothing is. */
export function hoursOf(placed: readonly Placed[]): (RunState | undefined)[] {
  const hours: (RunState | undefined)[] = Array.from({ length: 24 }, () => undefined);
  for (const { entry, state } of placed) {
    const { hour } = beijing(entry.at);
    const there = hours[hour];
    if (there === undefined || WORST_FIRST.indexOf(state) < WORST_FIRST.indexOf(there)) hours[hour] = state;
  }
  return hours;
}

/** What needs somebody first, what is still to come last; by time among equals. */
export function worstFirst(placed: readonly Placed[]): Placed[] {
  const weight = ({ state }: Placed): number => WORST_FIRST.indexOf(state);
  return [...placed].sort((a, b) => weight(a) - weight(b) || (a.entry.at < b.entry.at ? -1 : a.entry.at > b.entry.at ? 1 : 0));
}

/** All flows that have entries, by name. */
export function flowsOf(placed: readonly Placed[]): string[] {
  return [...new Set(placed.map(({ entry }) => entry.flow))].sort();
}
