// JSON as text: laid out for reading, every number and every text as it was written.

/** One piece of a JSON text. */
export interface Token {
  kind: 'key' | 'text' | 'number' | 'word' | 'mark' | 'space';
  text: string;
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SPACE = /[ \t\r\n]+/y;

function at(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}

/** Splits a JSON text into its pieces, or gives `undefined` if it is none. White space is left out. */
export function tokens(text: string): Token[] | undefined {
  const out: Token[] = [];
  let index = 0;
  while (index < text.length) {
    const space = at(SPACE, text, index);
    if (space !== undefined) {
      index += space.length;
      continue;
    }
    const string = at(STRING, text, index);
    if (string !== undefined) {
      index += string.length;
      const isKey = /^[ \t\r\n]*:/.test(text.slice(index, index + 64));
      out.push({ kind: isKey ? 'key' : 'text', text: string });
      continue;
    }
    const number = at(NUMBER, text, index);
    if (number !== undefined) {
      index += number.length;
      out.push({ kind: 'number', text: number });
      continue;
    }
    const word = at(WORD, text, index);
    if (word !== undefined) {
      index += word.length;
      out.push({ kind: 'word', text: word });
      continue;
    }
    const mark = text.charAt(index);
    if (!'{}[]:,'.includes(mark)) return undefined;
    out.push({ kind: 'mark', text: mark });
    index += 1;
  }
  return out;
}

/** Lays pieces out over lines, two spaces for each level; a text that is not JSON stays as it is. */
export function layOut(text: string): Token[] {
  const pieces = tokens(text);
  if (pieces === undefined) return [{ kind: 'space', text }];
  const out: Token[] = [];
  let depth = 0;
  const breakLine = () => out.push({ kind: 'space', text: `\n${'  '.repeat(Math.max(depth, 0))}` });
  pieces.forEach((piece, index) => {
    const next = pieces[index + 1];
    const before = pieces[index - 1];
    const closes = piece.text === '}' || piece.text === ']';
    if (piece.kind !== 'mark') {
      out.push(piece);
    } else if (piece.text === '{' || piece.text === '[') {
      out.push(piece);
      depth += 1;
      if (next !== undefined && next.text !== '}' && next.text !== ']') breakLine();
    } else if (closes) {
      depth -= 1;
      if (before?.kind !== 'mark' || (before.text !== '{' && before.text !== '[')) breakLine();
      out.push(piece);
    } else if (piece.text === ',') {
      out.push(piece);
      breakLine();
    } else {
      out.push(piece, { kind: 'space', text: ' ' });
    }
  });
  return out;
}

/** The laid out text. */
export function pretty(text: string): string {
  return layOut(text).map((piece) => piece.text).join('');
}
