// Which change of a mapping is meant when a line is drawn from a field of the source to one of the target.

import { known, ruleOf, type RuleLike } from './lines';
import { listOf, listsOf } from './paths';
import { tomlText } from './toml';

/** One change, as the server takes it. */
export interface Edit {
  target: string;
  rule: { from: string } | { toml: string } | undefined;
}

/** Why a line cannot be drawn as it is. */
export type Refusal =
  /** The source has many values, the target one. `list` is the source's list. */
  | { why: 'many'; list: string }
  /** The lines of the target are not filled yet: they need a list first. `list` is the target's list. */
  | { why: 'no-list'; list: string }
  /** The lines of the target are made from another list. */
  | { why: 'other-list'; list: string; each: string }
  /** The target is a list, or holds further fields; the source is neither. */
  | { why: 'shape' };

/** What a line means. */
export type Drop =
  /** These changes, one after the other. */
  | { do: 'edit'; edits: Edit[] }
  /** The same, but what stands there now would be lost: ask first. */
  | { do: 'ask'; edits: Edit[]; was: string }
  /** It is there already. */
  | { do: 'nothing' }
  /** It cannot be; `instead` is what could be meant. */
  | { do: 'refuse'; refusal: Refusal; instead?: Edit[] };

/** What is known of the two ends. */
export interface Ends {
  source: { path: string; isList: boolean };
  target: { path: string; isList: boolean; hasFields: boolean };
}

/** What drawing a line means, with the rules as they are. */
export function dropped(ends: Ends, rules: readonly RuleLike[]): Drop {
  const source = ends.source.path;
  const target = ends.target.path;
  const there = ruleOf(rules, target);
  const isFilled = there?.from.some((path) => same(path, source)) ?? false;

  if (ends.target.isList && ends.target.hasFields) return ontoList(ends, rules, there, isFilled);
  if (ends.target.hasFields && !ends.source.isList) return { do: 'refuse', refusal: { why: 'shape' } };
  if (isFilled && there?.kind === 'from') return { do: 'nothing' };

  const wanted = listsOf(target).map((list) => ({ list, each: eachOf(list, rules) }));
  const given = listsOf(source);
  const inner = wanted.at(-1);
  const last = given.at(-1);
  if (!inner) {
    if (last !== undefined) {
      const one = source.replaceAll('[*]', '[0]');
      const instead: Edit[] = [{ target, rule: { toml: `{ from = ${tomlText(one)} }` } }];
      return { do: 'refuse', refusal: { why: 'many', list: last }, instead };
    }
  } else if (inner.each === undefined) {
    // With the first field of its lines, the server makes the list too: from the list that the field is in.
    if (last === undefined) return { do: 'refuse', refusal: { why: 'no-list', list: inner.list } };
  } else if (last !== undefined && !given.every((list) => wanted.some((at) => at.each !== undefined && same(at.each, list)))) {
    return { do: 'refuse', refusal: { why: 'other-list', list: last, each: inner.each } };
  }
  const edits: Edit[] = [{ target, rule: { from: source } }];
  // An expression that is said of a field's value stays, and is said of another one.
  const stays = there?.kind === 'from' || (there?.kind === 'expr' && /(^|[{,\s])from\s*=/.test(there.toml ?? ''));
  return there && !stays ? { do: 'ask', edits, was: there.kind } : { do: 'edit', edits };
}

function ontoList(ends: Ends, rules: readonly RuleLike[], there: RuleLike | undefined, isFilled: boolean): Drop {
  if (!ends.source.isList) return { do: 'refuse', refusal: { why: 'shape' } };
  if (isFilled) return { do: 'nothing' };
  const { path: target } = ends.target;
  const { path: source } = ends.source;
  if (there?.kind === 'each') return { do: 'ask', edits: [{ target, rule: { from: source } }], was: there.kind };
  const edits: Edit[] = [{ target, rule: { toml: `{ each = ${tomlText(relative(source, target, rules))} }` } }];
  return there ? { do: 'ask', edits, was: there.kind } : { do: 'edit', edits };
}

/** The path of a list as a rule for `target` writes it: from the element of the lines that it is in, or from the record. */
function relative(source: string, target: string, rules: readonly RuleLike[]): string {
  const outer = listOf(target);
  const each = outer === undefined ? undefined : eachOf(outer, rules);
  if (each === undefined) return source;
  const element = `${each}[*].`;
  return source.startsWith(element) ? source.slice(element.length) : `$.${source}`;
}

/** The list of the source that a list of the target is made from. */
function eachOf(list: string, rules: readonly RuleLike[]): string | undefined {
  const rule = ruleOf(rules, list);
  if (rule) return rule.from[0] === undefined ? undefined : bare(rule.from[0]);
  // A view may name the rules of its fields only: they say which list they are read from.
  const inside = rules.find((other) => listOf(other.target) === list && other.from.some((path) => listOf(path) !== undefined));
  return inside?.from.map(listOf).find((path) => path !== undefined);
}

function bare(path: string): string {
  return path.endsWith('[*]') ? path.slice(0, -3) : path;
}

function same(one: string, other: string): boolean {
  return known(bare(one), new Set([bare(other)])) === bare(other);
}

/** What taking a rule away by one of its lines means; a choice of several fields is to be mended by hand. */
export function removed(rule: RuleLike): Edit | undefined {
  return rule.kind === 'from' && rule.from.length > 1 ? undefined : { target: rule.target, rule: undefined };
}
