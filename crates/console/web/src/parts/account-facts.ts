// How near an account is to its end: pure questions about tokens and limits.

import type { QuotaGauge, TokenState } from '../api/types';
import type { Tone } from '../ui';

const DAY_MS = 86_400_000;

/** What is left of a token: a part of its life where both ends are known, and how bad that is. */
export interface TokenLeft {
  seconds: number | undefined;
  /** 0 to 1. */
  part: number | undefined;
  tone: Tone;
}

/**
 * How much of a token's life is left.
 *
 * A token that lives for days worries from its last three days on, a shorter one from its last tenth on; those are
 * renewed all the time.
 */
export function tokenLeft(token: TokenState, now: number): TokenLeft {
  if (token.dead !== undefined) return { seconds: 0, part: 0, tone: 'bad' };
  if (token.expires === undefined) return { seconds: undefined, part: undefined, tone: 'good' };
  const end = new Date(token.expires).getTime();
  const left = end - now;
  const life = token.since === undefined ? undefined : end - new Date(token.since).getTime();
  const part = life === undefined || life <= 0 ? undefined : Math.min(1, Math.max(0, left / life));
  const isLong = life === undefined || life > 3 * DAY_MS;
  let tone: Tone = 'good';
  if (left <= 0) tone = 'bad';
  else if (isLong ? left < 3 * DAY_MS : (part ?? 1) < 0.1) tone = 'warning';
  return { seconds: Math.max(0, left / 1000), part, tone };
}

/** How bad it is that so few calls are left. A limit of seconds or minutes refills by itself. */
export function quotaTone(quota: QuotaGauge): Tone {
  const part = quota.calls === 0 ? 0 : quota.left / quota.calls;
  if (quota.per_secs < 3600) return part < 0.1 ? 'warning' : 'busy';
  if (part < 0.02) return 'bad';
  return part < 0.1 ? 'warning' : 'busy';
}
