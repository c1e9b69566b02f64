// Reads a JSON text without touching its numbers: a literal stays the characters that the vendor wrote.

/** A value as it is written. */
export type Json =
  | { kind: 'scalar'; type: 'text' | 'number' | 'boolean' | 'null'; literal: string }
  | { kind: 'list'; items: Json[] }
  | { kind: 'object'; entries: [name: string, value: Json][] };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const BLANK = /[\s]*/y;
/** Deeper values are shown as the text that they are. */
const DEEPEST = 200;

/** The value that the text says, or nothing if it is no JSON. */
export function parseJson(text: string): Json | undefined {
  let at = 0;

  function take(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }

  function skip(character: string): boolean {
    take(BLANK);
    if (text[at] !== character) return false;
    at += 1;
    return true;
  }

  function word(literal: string, type: 'boolean' | 'null'): Json | undefined {
    if (!text.startsWith(literal, at)) return undefined;
    at += literal.length;
    return { kind: 'scalar', type, literal };
  }

  function value(depth: number): Json | undefined {
    take(BLANK);
    const first = text[at];
    if (first === undefined || depth > DEEPEST) return undefined;
    if (first === '{') return object(depth);
    if (first === '[') return list(depth);
    if (first === '"') {
      const literal = take(STRING);
      return literal === undefined ? undefined : { kind: 'scalar', type: 'text', literal };
    }
    if (first === 't') return word('true', 'boolean');
    if (first === 'f') return word('false', 'boolean');
    if (first === 'n') return word('null', 'null');
    const literal = take(NUMBER);
    return literal ? { kind: 'scalar', type: 'number', literal } : undefined;
  }

  function list(depth: number): Json | undefined {
    at += 1;
    const items: Json[] = [];
    if (skip(']')) return { kind: 'list', items };
    do {
      const item = value(depth + 1);
      if (!item) return undefined;
      items.push(item);
    } while (skip(','));
    return skip(']') ? { kind: 'list', items } : undefined;
  }

  function object(depth: number): Json | undefined {
    at += 1;
    const entries: [string, Json][] = [];
    if (skip('}')) return { kind: 'object', entries };
    do {
      take(BLANK);
      const name = take(STRING);
      if (name === undefined || !skip(':')) return undefined;
      const held = value(depth + 1);
      if (!held) return undefined;
      entries.push([textOf(name), held]);
    } while (skip(','));
    return skip('}') ? { kind: 'object', entries } : undefined;
  }

  const whole = value(0);
  take(BLANK);
  return at === text.length ? whole : undefined;
}

/** What a string literal says. */
export function textOf(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal.slice(1, -1);
  }
}
