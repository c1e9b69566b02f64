// The lines between the fields of the source and those of the target, made from the rules.

import { parentOf } from './paths';
import type { Field, Row } from './tree';

/** What is needed of a rule. */
export interface RuleLike {
  target: string;
  from: string[];
  kind: string;
  /** As it is written; not all that is asked of a rule needs it. */
  toml?: string;
}

/** A line of a rule. */
export interface MapLine<R extends RuleLike> {
  id: string;
  /** The row of the source that it begins at. */
  source: string;
  /** The row of the target that it ends at. */
  target: string;
  rule: R;
  /** Whether it stands for fields that are folded away. */
  isFolded: boolean;
}

/** The path of the row for a path of a rule: a list may be written with and without `[*]`. */
export function known(path: string, paths: { has(path: string): boolean }): string {
  if (paths.has(path)) return path;
  const bare = path.endsWith('[*]') ? path.slice(0, -3) : `${path}[*]`;
  return paths.has(bare) ? bare : path;
}

/** The lines between rows that are shown, and those that stand for folded ones. Each pair of rows has one at most. */
export function linesOf<R extends RuleLike>(
  rules: readonly R[],
  source: readonly Row<Field>[],
  target: readonly Row<Field>[],
): MapLine<R>[] {
  const left = new Map(source.map((row) => [row.path, row]));
  const right = new Map(target.map((row) => [row.path, row]));
  const lines = new Map<string, MapLine<R>>();
  for (const rule of rules) {
    const to = shownAt(known(rule.target, right), right);
    if (to === undefined) continue;
    for (const path of rule.from) {
      const from = shownAt(known(path, left), left);
      if (from === undefined) continue;
      const id = `${from.path}\u0000${to.path}`;
      const isFolded = from.isFolded || to.isFolded;
      const there = lines.get(id);
      if (!there || (there.isFolded && !isFolded)) {
        lines.set(id, { id, source: from.path, target: to.path, rule, isFolded });
      }
    }
  }
  return [...lines.values()];
}

/** The row that shows a field: its own, or the folded one that it is in. */
function shownAt(path: string, rows: ReadonlyMap<string, Row<Field>>): { path: string; isFolded: boolean } | undefined {
  if (rows.has(path)) return { path, isFolded: false };
  for (let up = parentOf(path); up !== undefined; up = parentOf(up)) {
    const row = rows.get(up);
    if (row) return row.isOpen ? undefined : { path: up, isFolded: true };
  }
  return undefined;
}

/** The paths that rules read and that no sample had. */
export function unseen(rules: readonly RuleLike[], source: readonly Field[]): string[] {
  const seen = new Set(source.map((field) => field.path));
  const missing = new Set<string>();
  for (const path of rules.flatMap((rule) => rule.from)) {
    if (!seen.has(known(path, seen)) && path !== '' && path !== '@') missing.add(path);
  }
  return [...missing];
}

/** The rule that fills a field. */
export function ruleOf<R extends RuleLike>(rules: readonly R[], target: string): R | undefined {
  return rules.find((rule) => rule.target === target) ?? rules.find((rule) => bare(rule.target) === bare(target));
}

function bare(path: string): string {
  return path.endsWith('[*]') ? path.slice(0, -3) : path;
}
