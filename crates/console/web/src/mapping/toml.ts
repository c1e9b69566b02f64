// The little of TOML that the page writes itself: a text as a value. Everything else is the server's.

/** A text as a TOML string. */
export function tomlText(text: string): string {
  const escaped = text.replace(/["\\\u0000-\u001f\u007f]/g, (character) => {
    const known: Record<string, string> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' };
    return known[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

/** A rule that always writes this text. */
export function fixedRule(text: string): string {
  return `{ const = ${tomlText(text)} }`;
}
