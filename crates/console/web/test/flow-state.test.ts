import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Counts, Flow, LiveRun, RunSummary, Verdict } from '../src/api/types';
import { quotaTone, tokenLeft } from '../src/parts/account-facts';
import { type Box, outlines } from '../src/parts/bars';
import {
  byNeed, choose, glance, needs, progressOf, rateOf, runningId, secondsOf, shownRun, sumOf, tally,
} from '../src/parts/flow-state';
import { barHeight } from '../src/parts/ticks';
import { stateOf } from '../src/ui/badge';

const COUNTS: Counts = {
  pages: 0, records: 0, new: 0, changed: 0, unchanged: 0, older: 0, filtered: 0, refused: 0, pending: 0, documents: 0,
  open_slices: 0, proved_slices: 0, splits: 0, readings_in_vain: 0, expected: 0,
};

const run = (id: number, verdict?: Verdict): RunSummary => ({
  id, flow: 'f', started: '2026-11-27T00:00:00Z', records: 1, documents: 1, calls: 1,
  ...(verdict ? { verdict, ended: '2026-11-27T00:00:30Z' } : {}),
});

const live = (id: number): LiveRun => ({
  id, flow: 'f', started: '2026-11-27T00:00:00Z', work: 'run', counts: { ...COUNTS, records: 500 }, calls: 1,
});

const flow = (name: string, change: Partial<Flow> = {}): Flow => ({
  name, source_account: 'src', stream: 'orders', sink_account: 'dst', target: 'orders', is_usable: true, has_file: true,
  recent: [], delivered: 0, open_slices: 0, pending: 0, dead_letters: 0, backfills: [], ...change,
});

test('a flow needs somebody for each thing that is wrong', () => {
  assert.deepEqual(needs(flow('a')), []);
  assert.deepEqual(needs(flow('a', { last_run: run(1, 'reconciled') })), []);
  assert.deepEqual(needs(flow('a', { last_run: run(1, 'partial'), dead_letters: 2 })), ['partial', 'dead-letters']);
  assert.deepEqual(needs(flow('a', { last_run: run(1) })), ['cut-off']);
  assert.deepEqual(needs(flow('a', { is_usable: false })), ['unusable']);
  // Without a file nothing can be mended; its past is all there is.
  assert.deepEqual(needs(flow('a', { is_usable: false, has_file: false })), []);
});

test('those that need somebody come first, the rest by name', () => {
  const flows = [
    flow('well'), flow('also-well'), flow('letters', { dead_letters: 1 }), flow('failed', { last_run: run(1, 'failed') }),
  ];
  assert.deepEqual(byNeed(flows).map((one) => one.name), ['failed', 'letters', 'also-well', 'well']);
  assert.deepEqual(glance([...flows, flow('ran', { last_run: run(1, 'reconciled') })]), { needy: 2, well: 1, idle: 2 });
});

test('a list is cut by text and by state', () => {
  const elsewhere = { who: 'process 1 on h', since: '2026-11-27T00:00:00Z' };
  const flows = [
    flow('a', { source_account: 'Kuaimai' }), flow('b', { running: live(1) }), flow('c', { dead_letters: 1 }), flow('d', { elsewhere }),
  ];
  const names = (text: string, filter: 'all' | 'needy' | 'running') => choose(flows, text, filter).map((one) => one.name);
  assert.deepEqual(names('', 'all'), ['a', 'b', 'c', 'd']);
  assert.deepEqual(names(' kuai ', 'all'), ['a']);
  assert.deepEqual(names('', 'running'), ['b', 'd']);
  assert.deepEqual(names('', 'needy'), ['c']);
});

test("a flow's own run is shown rather than the backfill beside it", () => {
  const backfill: LiveRun = { ...live(8), work: 'backfill' };
  assert.equal(shownRun(undefined, backfill), backfill);
  assert.equal(shownRun(backfill, live(9))?.id, 9);
  assert.equal(shownRun(live(9), backfill)?.id, 9);
  assert.equal(shownRun(live(9), { ...live(9), calls: 2 })?.calls, 2);
  assert.equal(shownRun(live(9), undefined)?.id, 9);
});

test('a run without number is the newest that has not ended', () => {
  assert.equal(runningId(flow('a', { recent: [run(1)] })), undefined);
  assert.equal(runningId(flow('a', { running: live(7), recent: [run(3)] })), 7);
  assert.equal(runningId(flow('a', { running: live(0), recent: [run(2), run(3, 'failed'), run(4)] })), 4);
  assert.equal(runningId(flow('a', { running: live(0) })), undefined);
});

test('runs without verdict run or were cut off', () => {
  assert.equal(stateOf(undefined), 'never');
  assert.equal(stateOf(run(1, 'partial')), 'partial');
  assert.equal(stateOf(run(2), 2), 'running');
  assert.equal(stateOf(run(2), 3), 'cut-off');
  assert.equal(stateOf({ ...run(2), is_under_way: true }), 'running');
  assert.deepEqual([...tally([run(1, 'failed'), run(2, 'failed'), run(3), run(4)], 4)], [['failed', 2], ['cut-off', 1], ['running', 1]]);
  assert.equal(secondsOf(run(1, 'failed')), 30);
  assert.equal(secondsOf(run(1)), undefined);
});

test('progress is the part of proved slices', () => {
  assert.equal(progressOf(COUNTS), undefined);
  assert.equal(progressOf({ ...COUNTS, open_slices: 3, proved_slices: 1 }), 0.25);
  const began = new Date('2026-11-27T00:00:00Z').getTime();
  assert.equal(rateOf(live(1), began + 10_000), 50);
  assert.equal(rateOf(live(1), began), undefined);
});

test('the fates add up', () => {
  assert.equal(sumOf({ ...COUNTS, new: 1, changed: 2, unchanged: 4, older: 8, filtered: 16, refused: 32, pending: 64, documents: 128 }), 127);
});

test('bars of small runs are still seen', () => {
  assert.equal(barHeight(0, 0), 3);
  assert.equal(barHeight(1, 1_000_000), 3);
  assert.equal(barHeight(25, 100), 11);
  assert.equal(barHeight(100, 100), 22);
});

test('a token worries in its last days, a short one in its last tenth', () => {
  const now = new Date('2026-11-27T00:00:00Z').getTime();
  const at = (hours: number): string => new Date(now + hours * 3_600_000).toISOString();
  assert.equal(tokenLeft({ expires: at(24 * 5), since: at(-24 * 25) }, now).tone, 'good');
  assert.equal(tokenLeft({ expires: at(24 * 2), since: at(-24 * 28) }, now).tone, 'warning');
  assert.equal(tokenLeft({ expires: at(1), since: at(-1) }, now).tone, 'good');
  assert.equal(tokenLeft({ expires: at(0.1), since: at(-1.9) }, now).tone, 'warning');
  assert.equal(tokenLeft({ expires: at(-1), since: at(-3) }, now).tone, 'bad');
  assert.equal(tokenLeft({ dead: 'refused', expires: at(5) }, now).tone, 'bad');
  assert.deepEqual(tokenLeft({ since: at(-1) }, now), { seconds: undefined, part: undefined, tone: 'good' });
  assert.equal(tokenLeft({ expires: at(1), since: at(-1) }, now).part, 0.5);
});

test('a limit of a day worries, one of a second refills', () => {
  assert.equal(quotaTone({ calls: 100, per_secs: 86_400, left: 50 }), 'busy');
  assert.equal(quotaTone({ calls: 100, per_secs: 86_400, left: 9 }), 'warning');
  assert.equal(quotaTone({ calls: 100, per_secs: 86_400, left: 0 }), 'bad');
  assert.equal(quotaTone({ calls: 15, per_secs: 1, left: 0 }), 'warning');
  assert.equal(quotaTone({ calls: 0, per_secs: 1, left: 0 }), 'warning');
});

test('bars of one look become one path', () => {
  const bar = (look: string, x: number): Box =>
    ({ look, x, y: 1, width: 2.12345, height: 3 });
  assert.deepEqual([...outlines([bar('a', 0), bar('b', 5), bar('a', 10)])], [
    ['a', 'M0 1h2.123v3h-2.123zM10 1h2.123v3h-2.123z'],
    ['b', 'M5 1h2.123v3h-2.123z'],
  ]);
});
