// Which lines of one text another one lacks: to compare two versions of a file.

/** One line of a comparison. */
export interface DiffLine {
  /** In both, only in the old text, or only in the new one. */
  side: 'both' | 'old' | 'new';
  text: string;
}

/** Texts longer than this are compared by their differing middle only, line by line. */
const MOST_CELLS = 4_000_000;

/** The lines of both texts in order; what is in one only is marked. */
export function diffLines(before: string, after: string): DiffLine[] {
  const old = before.split('\n');
  const now = after.split('\n');
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < now.length - head &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  ) {
    tail += 1;
  }
  const both = (text: string): DiffLine => ({ side: 'both', text });
  return [
    ...old.slice(0, head).map(both),
    ...middle(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...old.slice(old.length - tail).map(both),
  ];
}

function middle(old: string[], now: string[]): DiffLine[] {
  const apart: DiffLine[] = [
    ...old.map((text): DiffLine => ({ side: 'old', text })),
    ...now.map((text): DiffLine => ({ side: 'new', text })),
  ];
  if (old.length === 0 || now.length === 0 || old.length * now.length > MOST_CELLS) return apart;
  // The longest run of lines that both have, by the usual table.
  const width = now.length + 1;
  const table = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      const next = table[(i + 1) * width + j + 1] ?? 0;
      const down = table[(i + 1) * width + j] ?? 0;
      const right = table[i * width + j + 1] ?? 0;
      table[i * width + j] = old[i] === now[j] ? next + 1 : Math.max(down, right);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    const [one, other] = [old[i], now[j]];
    if (one !== undefined && one === other) {
      lines.push({ side: 'both', text: one });
      i += 1;
      j += 1;
    } else if (one !== undefined && (other === undefined || (table[(i + 1) * width + j] ?? 0) >= (table[i * width + j + 1] ?? 0))) {
      lines.push({ side: 'old', text: one });
      i += 1;
    } else if (other !== undefined) {
      lines.push({ side: 'new', text: other });
      j += 1;
    }
  }
  return lines;
}

/** The lines of a comparison that differ, with so many around them; a gap is nothing. */
export function around(lines: readonly DiffLine[], n_around = 2): (DiffLine | undefined)[] {
  const shown: (DiffLine | undefined)[] = [];
  lines.forEach((line, idx) => {
    const isNear = lines.slice(Math.max(0, idx - n_around), idx + n_around + 1).some((near) => near.side !== 'both');
    if (isNear) shown.push(line);
    else if (shown.length === 0 || shown.at(-1) !== undefined) shown.push(undefined);
  });
  return shown;
}
