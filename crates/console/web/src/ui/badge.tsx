// Badges: a state as an icon, a word and a colour.

import type { ReactNode } from 'react';
import type { Health, RunSummary, Verdict } from '../api/types';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { Icon, type IconName } from './icons';

/** What a colour says. */
export type Tone = 'good' | 'warning' | 'bad' | 'busy' | 'quiet';

/** A word with an icon and a colour. */
export function Badge({ tone, icon, children, title }: {
  tone: Tone; icon?: IconName | undefined; children: ReactNode; title?: string | undefined;
}) {
  return (
    <span className={`badge badge-${tone}`} title={title}>
      {icon && <Icon name={icon} />}
      {children}
    </span>
  );
}

/** How a run stands: its verdict; else it is running, or was cut off. */
export type RunState = Verdict | 'running' | 'cut-off' | 'never' | 'planned';

/** The colour and the icon of each state. */
export const RUN_LOOK: Record<RunState, { tone: Tone; icon: IconName }> = {
  reconciled: { tone: 'good', icon: 'check' },
  unreconciled: { tone: 'warning', icon: 'unequal' },
  partial: { tone: 'warning', icon: 'partial' },
  failed: { tone: 'bad', icon: 'cross' },
  running: { tone: 'busy', icon: 'dots' },
  'cut-off': { tone: 'quiet', icon: 'stop' },
  never: { tone: 'quiet', icon: 'clock' },
  planned: { tone: 'quiet', icon: 'clock' },
};

const isVerdict = (text: string): text is Verdict => text in RUN_LOOK;

/**
 * How a run of the history stands.
 *
 * A run without verdict is under way if the server said so, or if it is the one that `runningId` names.
 */
export function stateOf(run: Pick<RunSummary, 'id' | 'verdict' | 'is_under_way'> | undefined, runningId?: number): RunState {
  if (run === undefined) return 'never';
  if (run.verdict !== undefined && isVerdict(run.verdict)) return run.verdict;
  return run.is_under_way === true || runningId === run.id ? 'running' : 'cut-off';
}

/** The words for the states of runs. */
export function useRunWords(): Record<RunState, string> {
  const t = useTexts(words);
  return {
    reconciled: t.reconciled,
    unreconciled: t.unreconciled,
    partial: t.partial,
    failed: t.failed,
    running: t.running,
    'cut-off': t.cutOff,
    never: t.neverRun,
    planned: t.planned,
  };
}

/** How a run stands, as a badge. */
export function RunBadge({ state, title }: { state: RunState; title?: string | undefined }) {
  const { tone, icon } = RUN_LOOK[state];
  const name = useRunWords()[state];
  return <Badge tone={tone} icon={icon} title={title}>{name}</Badge>;
}

/** The colour and the icon of what `milkrun doctor` says. */
export const HEALTH_LOOK: Record<Health, { tone: Tone; icon: IconName }> = {
  good: { tone: 'good', icon: 'check' },
  warning: { tone: 'warning', icon: 'warning' },
  bad: { tone: 'bad', icon: 'cross' },
};
