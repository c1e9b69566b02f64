// The rows of both sides: which are shown, which are folded, and how one moves among them.

import { useMemo, useState } from 'react';
import type { MappingView, Rule, SourceField, TargetField } from '../api/types';
import { listsOf } from './paths';
import { known, ruleOf, unseen } from './lines';
import { matches, type Row, rowsOf, type Tree, treeOf } from './tree';

/** A field of the source as it is shown: one that only a rule knows has no kind. */
export interface Seen {
  path: string;
  kind: SourceField['kind'] | 'unknown';
  samples: readonly string[];
}

/** Which fields of the target are shown. */
export type Which = 'all' | 'filled' | 'empty' | 'missing';

/** One side of the editor. */
export interface Side<F extends { path: string }> {
  tree: Tree<F>;
  rows: Row<F>[];
  n_fields: number;
  n_shown: number;
  filter: string;
  setFilter: (filter: string) => void;
  toggle: (path: string) => void;
}

/** Both sides. */
export interface Sides {
  source: Side<Seen>;
  target: Side<TargetField>;
  which: Which;
  setWhich: (which: Which) => void;
  /** The rule of each field of the target. */
  ruleAt: ReadonlyMap<string, Rule>;
  /** Adds a field that neither the target nor a rule names yet; nothing where the target declares all it takes. */
  addField: ((path: string) => void) | undefined;
}

/** Both sides of a view, with what the reader has folded and filtered. */
export function useSides(view: MappingView): Sides {
  const [which, setWhich] = useState<Which>('all');

  const sourceTree = useMemo(() => {
    const more = unseen(view.rules, view.source).map((path): Seen => ({ path, kind: 'unknown', samples: [] }));
    return treeOf<Seen>([...view.source, ...more]);
  }, [view.source, view.rules]);
  const [added, setAdded] = useState<readonly string[]>([]);
  const targetTree = useMemo(
    () => treeOf<TargetField>([...view.target, ...added.map((path) => ({ path, title: '', kind: 'any', required: false, is_declared: false }))]),
    [view.target, added],
  );
  const ruleAt = useMemo(() => {
    const rules = new Map<string, Rule>();
    const paths = new Set([...targetTree.fields.keys(), ...targetTree.children.keys()]);
    for (const path of paths) {
      const rule = ruleOf(view.rules, path);
      if (rule && known(rule.target, paths) === path) rules.set(path, rule);
    }
    return rules;
  }, [view.rules, targetTree]);

  const source = useSide(sourceTree, view.source.length, (path, field) => [path, ...(field?.samples ?? [])]);
  const isWanted = (path: string, field: TargetField | undefined): boolean => {
    const isFilled = ruleAt.has(path);
    if (which === 'filled') return isFilled;
    if (which === 'empty') return !isFilled && field !== undefined;
    if (which === 'missing') return !isFilled && field?.required === true && !targetTree.children.has(path);
    return true;
  };
  const target = useSide(targetTree, view.target.length, (path, field) => [path, field?.title ?? ''], which === 'all' ? undefined : isWanted);
  const isFree = view.target.every((field) => !field.is_declared);
  const addField = isFree ? (path: string) => setAdded((old) => [...old, path]) : undefined;
  return { source, target, which, setWhich, ruleAt, addField };
}

function useSide<F extends { path: string }>(
  tree: Tree<F>,
  n_fields: number,
  textsOf: (path: string, field: F | undefined) => string[],
  also?: (path: string, field: F | undefined) => boolean,
): Side<F> {
  const [filter, setFilter] = useState('');
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const words = filter.trim();
  const wants =
    words === '' && !also
      ? undefined
      : (path: string, field: F | undefined) => (words === '' || matches(words, textsOf(path, field))) && (also?.(path, field) ?? true);
  const rows = rowsOf(tree, { folded, wants });
  const toggle = (path: string) =>
    setFolded((old) => {
      const next = new Set(old);
      if (!next.delete(path)) next.add(path);
      return next;
    });
  const n_shown = wants ? rows.filter((row) => row.field !== undefined && wants(row.path, row.field)).length : n_fields;
  return { tree, rows, n_fields, n_shown, filter, setFilter, toggle };
}

/** Whether a field of the source is a list. */
export function isSourceList(tree: Tree<Seen>, path: string): boolean {
  return tree.fields.get(path)?.kind === 'list' || hasElements(tree, path);
}

/** Whether a field of the target is a list. */
export function isTargetList(tree: Tree<TargetField>, path: string, rule: Rule | undefined): boolean {
  const kind = tree.fields.get(path)?.kind;
  return kind === 'list' || kind === 'lines' || rule?.kind === 'each' || hasElements(tree, path);
}

function hasElements(tree: Tree<{ path: string }>, path: string): boolean {
  return (tree.children.get(path) ?? []).some((child) => listsOf(child).includes(path));
}
