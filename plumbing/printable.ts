/** Texts for people: logs, screens and reports show what came from outside only through these. */

/** How a role is started, for hints that can be pasted: our images say so, `tsx` in the client's, `node` in the others. */
export const TSX = process.env.TSX ?? "npx tsx";

/**
 * Any text from outside, as it may be shown on a terminal: log, screen, report of an error and checker pass all that
 * they show through here. What would move the cursor, turn the direction of what is read, or is no character (C0,
 * C1, the embedding and isolating controls of Unicode, half a surrogate pair) is shown as \x1b or \u202e. JSON stays JSON.
 */
export function printable(text: string): string {
  return HARMLESS.test(text) ? text : text.replace(HARMFUL, escaped);
}

const HARMLESS = /^[ -~]*$/; // most texts: ten times as quick
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const HARMFUL = /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\p{Surrogate}]/gu;

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  const isShort = code < 0x7f; // what JSON itself leaves as it is must be written as JSON writes it
  return isShort ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** The first eight characters, enough for people to tell ids apart. */
export function shortId(id: string): string {
  return printable(id.slice(0, 8));
}

/** A text in quotes; a long one is cut, and says so with "…". */
export function quoted(text: string, atMost = 80): string {
  const isCut = text.length > atMost;
  return `${JSON.stringify(isCut ? text.slice(0, atMost) : text)}${isCut ? "…" : ""}`;
}

/** A duration for people. */
export function showDuration(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)}ms`;
  return ms < 1000 ? `${ms.toFixed(1)}ms` : `${(ms / 1000).toFixed(1)}s`;
}
