// How far a run is, as it goes on.

import type { Elsewhere, LiveRun } from '../api/types';
import { count } from '../format';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { Time, useNow } from '../ui';
import { progressOf, rateOf } from './flow-state';
import { partTexts } from './texts';

/** A bar from 0 to 1; without a value it says only that something goes on. */
export function Bar({ value, label, tone = 'busy' }: { value: number | undefined; label: string; tone?: string }) {
  const percent = value === undefined ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      className={percent === undefined ? 'bar bar-unknown' : 'bar'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <div className={`bar-fill fill-${tone}`} style={{ width: `${percent ?? 30}%` }} />
    </div>
  );
}

/** A measure of something that is left; not a progress. */
export function Gauge({ value, label, tone }: { value: number; label: string; tone: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div className="bar" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <div className={`bar-fill fill-${tone}`} style={{ width: `${percent}%` }} />
    </div>
  );
}

/** The bar and the figures of a run under way. */
export function RunProgress({ run }: { run: LiveRun }) {
  const t = useTexts(partTexts);
  const w = useTexts(words);
  const now = useNow();
  const { counts } = run;
  const rate = rateOf(run, now);
  const all = counts.open_slices + counts.proved_slices;
  return (
    <div className="progress">
      <Bar value={progressOf(counts)} label={t.progress} />
      <p className="small num">
        {run.work !== 'run' && <span className="strong">{run.work === 'backfill' ? w.backfill : w.replay} · </span>}
        {t.recordsAt(counts.records, rate === undefined ? '' : count(Math.round(rate)))}
        {all > 0 && <span className="muted"> · {t.slicesOf(counts.proved_slices, all)}</span>}
      </p>
      {run.waits_for && <p className="small muted">{t.waits(run.waits_for)}</p>}
    </div>
  );
}

/** Who runs a flow, where it is not this program. */
export function RunElsewhere({ elsewhere }: { elsewhere: Elsewhere }) {
  const t = useTexts(partTexts);
  return <p className="small">{t.elsewhere(elsewhere.who)} · <Time at={elsewhere.since} only="relative" /></p>;
}
