// The versions of a text that is being edited, with what the server says of each: pure, so that nothing is lost by it.

/** As many versions can be taken back. */
const MOST_VERSIONS = 200;

/** What the server says of a text. */
export interface Said {
  text: string;
  revision: string;
}

/** A text and what the server says of it; while it is typed, that is still of an earlier text. */
export interface Version<V extends Said> {
  text: string;
  view: V;
}

/** All versions, and the text on disk. */
export interface Versions<V extends Said> {
  versions: readonly Version<V>[];
  /** Which one is in front. */
  at: number;
  /** The text on disk, as far as is known, and the name of that state of the file. */
  saved: string;
  revision: string;
}

/** The versions of a file that has just been read. */
export function opened<V extends Said>(view: V): Versions<V> {
  return { versions: [{ text: view.text, view }], at: 0, saved: view.text, revision: view.revision };
}

/** The version in front. */
export function front<V extends Said>({ versions, at }: Versions<V>): Version<V> {
  const version = versions[at];
  if (!version) throw new Error('there is always a version in front');
  return version;
}

/** Whether the text in front is another one than that on disk. */
export function isChanged<V extends Said>(all: Versions<V>): boolean {
  return front(all).text !== all.saved;
}

/** Whether the view in front is of an earlier text. */
export function isStale<V extends Said>(all: Versions<V>): boolean {
  return front(all).view.text !== front(all).text;
}

/** With a new version on top; what had been taken back is forgotten. A run of keys is one version. */
export function pushed<V extends Said>(all: Versions<V>, version: Version<V>, isTyped = false): Versions<V> {
  if (front(all).text === version.text) return replaced(all, version);
  const isRun = isTyped && isStale(all) && isChanged(all);
  const kept = all.versions.slice(0, isRun ? all.at : all.at + 1).slice(-MOST_VERSIONS);
  return { ...all, versions: [...kept, version], at: kept.length };
}

/** With what the server says of a text, if that is still the one in front. */
export function seen<V extends Said>(all: Versions<V>, text: string, view: V): Versions<V> {
  return front(all).text === text ? replaced(all, { text, view: { ...view, text } }) : all;
}

/** With the file as it is on disk now. What was changed here stays, and saving it says that the file has changed too. */
export function reread<V extends Said>(all: Versions<V>, view: V): Versions<V> {
  if (isChanged(all)) return all;
  return pushed({ ...all, saved: view.text, revision: view.revision }, { text: view.text, view });
}

/** One version back or forth. */
export function moved<V extends Said>(all: Versions<V>, step: 1 | -1): Versions<V> {
  return { ...all, at: Math.min(all.versions.length - 1, Math.max(0, all.at + step)) };
}

function replaced<V extends Said>(all: Versions<V>, version: Version<V>): Versions<V> {
  return { ...all, versions: all.versions.map((one, idx) => (idx === all.at ? version : one)) };
}
