// The part of a long text that is shown, cut where a number was found.

/** A piece of the text. */
export interface Part {
  text: string;
  isHit: boolean;
}

/** The first `most` characters of a text, with every place of `find` on its own. */
export function cutOut(text: string, find: string | undefined, most: number): { parts: Part[]; n_shown: number } {
  const first = find ? text.indexOf(find) : -1;
  // A hit beyond what is shown moves the part that is shown.
  const from = first >= most ? Math.max(0, first - Math.floor(most / 2)) : 0;
  const shown = text.slice(from, from + most);
  if (!find) return { parts: [{ text: shown, isHit: false }], n_shown: shown.length };
  const parts: Part[] = from > 0 ? [{ text: '…', isHit: false }] : [];
  let at = 0;
  for (let hit = shown.indexOf(find); hit >= 0; hit = shown.indexOf(find, at)) {
    if (hit > at) parts.push({ text: shown.slice(at, hit), isHit: false });
    parts.push({ text: find, isHit: true });
    at = hit + find.length;
  }
  if (at < shown.length) parts.push({ text: shown.slice(at), isHit: false });
  return { parts, n_shown: shown.length };
}
