// A JSON value as lines to be read, each with its path, and marked where it differs from another value.

import { type Json, parseJson, textOf } from './json';

/** How a line came to differ. */
export type Mark = 'added' | 'changed' | 'removed';

/** One line of a pretty-printed value. */
export interface Line {
  /** How deep it lies. */
  depth: number;
  /** The name of the field, if it begins one. */
  name?: string;
  /** What stands there, a comma behind it where JSON wants one. */
  text: string;
  /** What it is, for its colour. */
  type: 'text' | 'number' | 'boolean' | 'null' | 'bracket';
  /** Its path: `lines[0].qty`. */
  path: string;
  /** How it differs. */
  mark?: Mark;
}

/** The lines of a value. */
export function linesOf(value: Json): Line[] {
  const lines: Line[] = [];
  write(value, 0, undefined, '', '', lines);
  return lines;
}

/** The lines of a JSON text; of one that is no JSON, its own lines. */
export function linesOfText(text: string): Line[] {
  const value = parseJson(text);
  if (value) return linesOf(value);
  return text.split('\n').map((line) => ({ depth: 0, text: line, type: 'text', path: '' }));
}

function write(value: Json, depth: number, name: string | undefined, path: string, comma: string, to: Line[]): void {
  const head = name === undefined ? { depth, path } : { depth, name, path };
  if (value.kind === 'scalar') {
    // Escapes of letters are undone: a name in Chinese is to be read.
    const shown = value.type === 'text' ? JSON.stringify(textOf(value.literal)) : value.literal;
    to.push({ ...head, text: shown + comma, type: value.type });
    return;
  }
  const [open, close] = value.kind === 'list' ? ['[', ']'] : ['{', '}'];
  const n = value.kind === 'list' ? value.items.length : value.entries.length;
  if (n === 0) {
    to.push({ ...head, text: open + close + comma, type: 'bracket' });
    return;
  }
  to.push({ ...head, text: open, type: 'bracket' });
  const next = (idx: number) => (idx + 1 < n ? ',' : '');
  if (value.kind === 'list') {
    value.items.forEach((item, idx) => write(item, depth + 1, undefined, `${path}[${idx}]`, next(idx), to));
  } else {
    value.entries.forEach(([key, held], idx) => write(held, depth + 1, key, join(path, key), next(idx), to));
  }
  to.push({ depth, path, text: close + comma, type: 'bracket' });
}

function join(path: string, name: string): string {
  const shown = /[.[\]"]/.test(name) ? JSON.stringify(name) : name;
  return path ? `${path}.${shown}` : shown;
}

/**
 * The lines of `after`, marked where `before` had something else.
 *
 * What only `before` had is put in as removed lines behind the field that stood before it. Without a `before` nothing
 * is marked.
 */
export function difference(before: string | undefined, after: string): Line[] {
  const now = parseJson(after);
  const then = before === undefined ? undefined : parseJson(before);
  if (!now || !then) return linesOfText(after);
  const lines: Line[] = [];
  compare(then, now, 0, undefined, '', '', lines);
  return lines;
}

function compare(
  then: Json,
  now: Json,
  depth: number,
  name: string | undefined,
  path: string,
  comma: string,
  to: Line[],
): void {
  if (now.kind === 'object' && then.kind === 'object') {
    const old = new Map(then.entries);
    const own = new Set(now.entries.map(([key]) => key));
    const members: Member[] = now.entries.map(([key, value]) => ({ key, path: join(path, key), now: value, then: old.get(key) }));
    // Each removed field goes behind the one that it stood behind.
    then.entries.forEach(([key, value], idx) => {
      if (own.has(key)) return;
      const before = then.entries[idx - 1]?.[0];
      const place = before === undefined ? 0 : members.findIndex((member) => member.key === before) + 1;
      members.splice(place, 0, { key, path: join(path, key), then: value });
    });
    wrap('{', '}', members, depth, name, path, comma, to);
    return;
  }
  if (now.kind === 'list' && then.kind === 'list') {
    const members: Member[] = [];
    for (let idx = 0; idx < Math.max(now.items.length, then.items.length); idx += 1) {
      members.push({ path: `${path}[${idx}]`, now: now.items[idx], then: then.items[idx] });
    }
    wrap('[', ']', members, depth, name, path, comma, to);
    return;
  }
  const same = now.kind === 'scalar' && then.kind === 'scalar' && now.literal === then.literal;
  const from = to.length;
  write(now, depth, name, path, comma, to);
  if (!same) mark(to, from, 'changed');
}

interface Member {
  key?: string;
  path: string;
  now?: Json | undefined;
  then?: Json | undefined;
}

function wrap(
  open: string,
  close: string,
  members: Member[],
  depth: number,
  name: string | undefined,
  path: string,
  comma: string,
  to: Line[],
): void {
  const head = name === undefined ? { depth, path } : { depth, name, path };
  if (members.length === 0) {
    to.push({ ...head, text: open + close + comma, type: 'bracket' });
    return;
  }
  to.push({ ...head, text: open, type: 'bracket' });
  const last = members.reduce((found, member, idx) => (member.now === undefined ? found : idx), -1);
  members.forEach((member, idx) => {
    const behind = member.now !== undefined && idx < last ? ',' : '';
    const from = to.length;
    if (member.now && member.then) {
      compare(member.then, member.now, depth + 1, member.key, member.path, behind, to);
    } else if (member.now) {
      write(member.now, depth + 1, member.key, member.path, behind, to);
      mark(to, from, 'added');
    } else if (member.then) {
      write(member.then, depth + 1, member.key, member.path, '', to);
      mark(to, from, 'removed');
    }
  });
  to.push({ depth, path, text: close + comma, type: 'bracket' });
}

function mark(lines: Line[], from: number, how: Mark): void {
  for (let idx = from; idx < lines.length; idx += 1) {
    const line = lines[idx];
    if (line) line.mark = how;
  }
}
