import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CalendarEntry } from '../src/api/types';
import {
  addDays, addMonths, byDay, countStates, daysOf, entryState, flowsOf, hoursOf, isDay, monday, place, startOf, step,
  worstFirst,
} from '../src/pages/calendar/grid';

test('days are those of Beijing', () => {
  assert.equal(startOf('2026-11-27').toISOString(), '2026-11-26T16:00:00.000Z');
  assert.equal(addDays('2026-12-31', 1), '2027-01-01');
  assert.equal(addDays('2028-03-01', -1), '2028-02-29');
  assert.equal(addMonths('2026-01-31', 1), '2026-02-28');
  assert.equal(addMonths('2026-01-15', -1), '2025-12-15');
  assert.equal(monday('2026-11-27'), '2026-11-23');
  assert.equal(monday('2026-11-23'), '2026-11-23');
  assert.equal(monday('2026-11-29'), '2026-11-23');
});

test('only days that there are count as days', () => {
  assert.ok(isDay('2026-11-27'));
  for (const text of [null, '', '2026-02-30', '2026-13-01', '2026-1-1', 'today']) assert.ok(!isDay(text), String(text));
});

test('a view is whole weeks, or the one day', () => {
  assert.deepEqual(daysOf('day', '2026-11-27'), ['2026-11-27']);
  const week = daysOf('week', '2026-11-27');
  assert.deepEqual([week.length, week[0], week.at(-1)], [7, '2026-11-23', '2026-11-29']);
  const month = daysOf('month', '2026-11-27');
  assert.deepEqual([month.length, month[0], month.at(-1)], [42, '2026-10-26', '2026-12-06']);
  assert.equal(daysOf('month', '2027-02-10').length, 28);
  assert.equal(step('month', '2026-01-31', 1), '2026-02-01');
  assert.equal(step('week', '2026-11-27', -1), '2026-11-20');
  assert.equal(step('day', '2026-11-27', 1), '2026-11-28');
});

const ENTRIES: CalendarEntry[] = [
  { flow: 'b', at: '2026-11-26T15:30:00Z', ended: '2026-11-26T15:31:00Z', run: 1, verdict: 'reconciled' },
  { flow: 'a', at: '2026-11-27T00:10:00Z', run: 1 },
  { flow: 'a', at: '2026-11-27T00:20:00Z', ended: '2026-11-27T00:21:00Z', run: 2, verdict: 'failed' },
  { flow: 'a', at: '2026-11-27T03:59:00Z', run: 3, is_under_way: true },
  { flow: 'a', at: '2026-11-27T05:00:00Z' },
];

test('a run without an end is under way where the server says so, else it was cut off', () => {
  assert.deepEqual(place(ENTRIES).map(({ state }) => state), ['reconciled', 'cut-off', 'failed', 'running', 'planned']);
  assert.equal(entryState({ flow: 'a', at: '', run: 1, verdict: 'partial' }), 'partial');
});

test('entries are counted by day, hour and state, the worst first', () => {
  const placed = place(ENTRIES);
  const days = byDay(placed);
  assert.deepEqual([...days.keys()], ['2026-11-26', '2026-11-27']);
  const today = days.get('2026-11-27') ?? [];
  assert.deepEqual(countStates(today), [['failed', 1], ['cut-off', 1], ['running', 1], ['planned', 1]]);
  const hours = hoursOf(today);
  assert.deepEqual([hours.length, hours[8], hours[11], hours[13], hours[0]], [24, 'failed', 'running', 'planned', undefined]);
  assert.deepEqual(worstFirst(placed).map(({ state }) => state), ['failed', 'cut-off', 'running', 'reconciled', 'planned']);
  assert.deepEqual(flowsOf(placed), ['a', 'b']);
});
