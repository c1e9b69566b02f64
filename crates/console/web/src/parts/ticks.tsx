// The recent runs of a flow as small bars: the colour is the verdict, the height the records.

import { memo } from 'react';
import type { RunSummary } from '../api/types';
import { useTexts } from '../i18n';
import { RUN_LOOK, type RunState, stateOf, useRunWords } from '../ui';
import { outlines } from './bars';
import { tally } from './flow-state';
import { partTexts } from './texts';

const WIDTH = 4;
const GAP = 1;
const HEIGHT = 22;
const MOST = 30;

/** How high a bar is: by the square root, so that a small run beside a huge one is still seen. */
export function barHeight(records: number, most: number): number {
  if (most <= 0) return 3;
  return Math.max(3, Math.round(Math.sqrt(records / most) * HEIGHT));
}

/** The runs, oldest first. */
export const Ticks = memo(function Ticks({ runs, runningId }: {
  runs: readonly RunSummary[]; runningId?: number | undefined;
}) {
  const t = useTexts(partTexts);
  const names = useRunWords();
  if (runs.length === 0) return <span className="muted small">{t.noRuns}</span>;
  const most = Math.max(...runs.map((run) => run.records));
  const words = [...tally(runs, runningId)].map(([state, n]) => `${names[state as RunState] ?? state} ${n}`).join(', ');
  const label = t.recent(runs.length, words);
  const boxes = runs.slice(-MOST).map((run, index, shown) => {
    const state = stateOf(run, runningId);
    const isBad = state !== 'reconciled' && state !== 'running';
    // What went wrong is seen whatever it read.
    const height = isBad ? Math.max(barHeight(run.records, most), HEIGHT * 0.6) : barHeight(run.records, most);
    const x = (MOST - shown.length + index) * (WIDTH + GAP);
    return { look: `fill-${RUN_LOOK[state].tone}`, x, y: HEIGHT - height, width: WIDTH, height };
  });
  return (
    <svg
      className="ticks"
      role="img"
      aria-label={label}
      width={MOST * (WIDTH + GAP)}
      height={HEIGHT}
      viewBox={`0 0 ${MOST * (WIDTH + GAP)} ${HEIGHT}`}
    >
      <title>{label}</title>
      {[...outlines(boxes)].map(([look, outline]) => <path key={look} className={look} d={outline} />)}
    </svg>
  );
});
