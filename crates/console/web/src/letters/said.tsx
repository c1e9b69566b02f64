// A sentence in which names stand between backticks, as everything that Milkrun says.

/** The sentence, its names as code. */
export function Said({ text }: { text: string }) {
  return text.split('`').map((part, idx, parts) =>
    // An odd backtick at the end is only a character.
    idx % 2 === 1 && idx < parts.length - 1 ? <code key={idx}>{part}</code> : idx % 2 === 1 ? `\`${part}` : part,
  );
}
