// Fields of one side as a tree whose rows can be folded and filtered.

import { nameOf, parentOf } from './paths';

/** A field of either side, as far as the tree cares. */
export interface Field {
  path: string;
}

/** One row. */
export interface Row<F extends Field> {
  path: string;
  name: string;
  depth: number;
  /** What is known of it; a row that only holds others has nothing. */
  field: F | undefined;
  /** How many rows lie in it. */
  n_children: number;
  /** Whether those are shown. */
  isOpen: boolean;
}

/** A tree. */
export interface Tree<F extends Field> {
  roots: string[];
  children: ReadonlyMap<string, string[]>;
  fields: ReadonlyMap<string, F>;
}

/** Sorts fields into a tree; what they are in is added, in the order of its first field. */
export function treeOf<F extends Field>(fields: readonly F[]): Tree<F> {
  const roots: string[] = [];
  const children = new Map<string, string[]>();
  const known = new Map<string, F>();
  const placed = new Set<string>();

  function place(path: string): void {
    if (placed.has(path)) return;
    placed.add(path);
    const parent = parentOf(path);
    if (parent === undefined) {
      roots.push(path);
      return;
    }
    place(parent);
    const siblings = children.get(parent);
    if (siblings) siblings.push(path);
    else children.set(parent, [path]);
  }

  for (const field of fields) {
    if (!known.has(field.path)) known.set(field.path, field);
    place(field.path);
  }
  return { roots, children, fields: known };
}

/** What to show of a tree. */
export interface Shown<F extends Field> {
  /** Folded rows. */
  folded: ReadonlySet<string>;
  /** Whether a row is wanted; rows that hold a wanted one are shown too, and nothing is folded. */
  wants?: ((path: string, field: F | undefined) => boolean) | undefined;
}

/** The rows that are shown, from above. */
export function rowsOf<F extends Field>(tree: Tree<F>, shown: Shown<F>): Row<F>[] {
  const { wants } = shown;
  const wanted = wants ? new Set<string>() : undefined;
  if (wants && wanted) {
    const look = (path: string): boolean => {
      const inside = (tree.children.get(path) ?? []).map(look).some(Boolean);
      const is = inside || wants(path, tree.fields.get(path));
      if (is) wanted.add(path);
      return is;
    };
    tree.roots.forEach(look);
  }
  const rows: Row<F>[] = [];
  const add = (path: string, depth: number): void => {
    if (wanted && !wanted.has(path)) return;
    const children = tree.children.get(path) ?? [];
    const isOpen = children.length > 0 && (wanted !== undefined || !shown.folded.has(path));
    rows.push({ path, name: nameOf(path), depth, field: tree.fields.get(path), n_children: children.length, isOpen });
    if (isOpen) children.forEach((child) => add(child, depth + 1));
  };
  tree.roots.forEach((root) => add(root, 0));
  return rows;
}

/** Whether every word of the filter is somewhere in the texts, whatever the case. */
export function matches(filter: string, texts: readonly string[]): boolean {
  const all = texts.join('\n').toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

/** Which row a key leads to from `current`; nothing if it leads nowhere. */
export function rowAt<F extends Field>(rows: readonly Row<F>[], current: string | undefined, key: string): string | undefined {
  const idx = rows.findIndex((row) => row.path === current);
  switch (key) {
    case 'ArrowDown':
      return rows[idx + 1]?.path;
    case 'ArrowUp':
      return rows[idx < 0 ? 0 : idx - 1]?.path;
    case 'Home':
      return rows[0]?.path;
    case 'End':
      return rows.at(-1)?.path;
    case 'PageDown':
      return rows[Math.min(rows.length - 1, idx + 10)]?.path;
    case 'PageUp':
      return rows[Math.max(0, idx - 10)]?.path;
    default:
      return undefined;
  }
}
