// Whether a flow needs somebody, and how far a run is: pure questions about the API's data.

import type { Counts, Flow, LiveRun, RunSummary } from '../api/types';
import { stateOf } from '../ui/badge';

/** Why a flow needs somebody. */
export type Need = 'unusable' | 'failed' | 'unreconciled' | 'partial' | 'cut-off' | 'dead-letters';

/** Everything that a person should look at in a flow; empty if all has arrived. */
export function needs(flow: Flow): Need[] {
  const out: Need[] = [];
  if (flow.has_file && !flow.is_usable) out.push('unusable');
  const last = flow.last_run;
  if (last !== undefined) {
    if (last.verdict === undefined) out.push('cut-off');
    else if (last.verdict !== 'reconciled') out.push(last.verdict);
  }
  if (flow.dead_letters > 0) out.push('dead-letters');
  return out;
}

/** How many flows need somebody, how many arrived in full when they last ran, and how many have never run. */
export function glance(flows: readonly Flow[]): { needy: number; well: number; idle: number } {
  let [needy, well, idle] = [0, 0, 0];
  for (const flow of flows) {
    if (needs(flow).length > 0) needy += 1;
    else if (flow.last_run === undefined) idle += 1;
    else well += 1;
  }
  return { needy, well, idle };
}

/**
 * The number of the run that is under way.
 *
 * In its first moments a run has no number yet (it is 0); then it is the newest of the history that has not ended.
 */
export function runningId(flow: Flow, runs: readonly RunSummary[] = flow.recent): number | undefined {
  if (flow.running === undefined) return undefined;
  if (flow.running.id > 0) return flow.running.id;
  const open = runs.filter((run) => run.ended === undefined).map((run) => run.id);
  return open.length === 0 ? undefined : Math.max(...open);
}

/** Which of two runs of a flow is shown as the one under way: its own run rather than the backfill beside it. */
export function shownRun(old: LiveRun | undefined, news: LiveRun | undefined): LiveRun | undefined {
  if (old === undefined || news === undefined) return news ?? old;
  return news.work === 'backfill' && old.work !== 'backfill' ? old : news;
}

/** Whether a flow is being run, here or by another process. */
export function isRunning(flow: Flow): boolean {
  return flow.running !== undefined || flow.elsewhere !== undefined;
}

/** Flows that need somebody first, then by name. */
export function byNeed(flows: readonly Flow[]): Flow[] {
  const weight = (flow: Flow): number => {
    const found = needs(flow);
    if (found.includes('failed') || found.includes('unusable')) return 0;
    return found.length > 0 ? 1 : 2;
  };
  return [...flows].sort((a, b) => weight(a) - weight(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Which flows a list shows. */
export type FlowFilter = 'all' | 'needy' | 'running';

/** The flows that have the text in a name and fit the filter. */
export function choose(flows: readonly Flow[], text: string, filter: FlowFilter): Flow[] {
  const wanted = text.trim().toLowerCase();
  return flows.filter((flow) => {
    if (filter === 'needy' && needs(flow).length === 0) return false;
    if (filter === 'running' && !isRunning(flow)) return false;
    if (wanted === '') return true;
    return [flow.name, flow.source_account, flow.stream, flow.sink_account, flow.target]
      .some((name) => name.toLowerCase().includes(wanted));
  });
}

/** The part of the slices that are proved, 0 to 1; `undefined` while none is known. */
export function progressOf(counts: Counts): number | undefined {
  const all = counts.open_slices + counts.proved_slices;
  return all === 0 ? undefined : counts.proved_slices / all;
}

/** Records a second so far; `undefined` in the first second. */
export function rateOf(run: LiveRun, now: number): number | undefined {
  const seconds = (now - new Date(run.started).getTime()) / 1000;
  return seconds < 1 ? undefined : run.counts.records / seconds;
}

/** The fates of records, which add up to all records that were read. */
export const FATES = ['new', 'changed', 'unchanged', 'older', 'filtered', 'refused', 'pending'] as const;

/** The sum of all fates. */
export function sumOf(counts: Counts): number {
  return FATES.reduce((sum, fate) => sum + counts[fate], 0);
}

/** How many runs ended in each way; those without a verdict count as cut off, but for the one under way. */
export function tally(runs: readonly RunSummary[], running?: number): Map<string, number> {
  const out = new Map<string, number>();
  for (const run of runs) {
    const state = stateOf(run, running);
    out.set(state, (out.get(state) ?? 0) + 1);
  }
  return out;
}

/** How long a run took, in seconds; `undefined` while it runs or if it was killed. */
export function secondsOf(run: RunSummary): number | undefined {
  if (run.ended === undefined) return undefined;
  return Math.max(0, (new Date(run.ended).getTime() - new Date(run.started).getTime()) / 1000);
}
