// Paths of fields: `a.b`, `lines[*].qty`, names with dots in quotes.

const NAME = /"(?:[^"\\]|\\.)*"|[^.[\]"]+/y;

/** The parts of a path: names as written, and `[*]` or `[0]` for what is in a list. */
export function partsOf(path: string): string[] {
  const parts: string[] = [];
  let at = 0;
  while (at < path.length) {
    if (path[at] === '.') {
      at += 1;
    } else if (path[at] === '[') {
      const end = path.indexOf(']', at);
      const stop = end < 0 ? path.length : end + 1;
      parts.push(path.slice(at, stop));
      at = stop;
    } else {
      NAME.lastIndex = at;
      const name = NAME.exec(path)?.[0] ?? path.slice(at);
      parts.push(name);
      at += name.length;
    }
  }
  return parts;
}

/** A path of parts. */
export function pathOf(parts: string[]): string {
  return parts.reduce((path, part) => (path && !part.startsWith('[') ? `${path}.${part}` : path + part), '');
}

/** The field that a field is in: that of `lines[*].qty` is `lines`. At the top there is none. */
export function parentOf(path: string): string | undefined {
  const parts = partsOf(path);
  const last = parts.pop();
  if (last !== undefined && !last.startsWith('[') && parts.at(-1)?.startsWith('[')) parts.pop();
  return parts.length > 0 ? pathOf(parts) : undefined;
}

/** What a field is called within its parent; `[*]` for the elements of a list of plain values. */
export function nameOf(path: string): string {
  const last = partsOf(path).at(-1) ?? path;
  if (!last.startsWith('"')) return last;
  try {
    return String(JSON.parse(last));
  } catch {
    return last;
  }
}

/** The lists that a field is in, outermost first: of `a[*].b[*].c` these are `a` and `a[*].b`. */
export function listsOf(path: string): string[] {
  const parts = partsOf(path);
  return parts.flatMap((part, idx) => (part === '[*]' ? [pathOf(parts.slice(0, idx))] : []));
}

/** The innermost list that a field is in. */
export function listOf(path: string): string | undefined {
  return listsOf(path).at(-1);
}
