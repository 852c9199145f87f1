/** Texts for people: logs, screens and reports show what came from outside only through these. */

/** How a role is started, for hints that can be pasted: our images have `tsx` in their PATH, and say so. */
export const TSX = process.env.TSX ?? "npx tsx";

/** What would move the cursor of a terminal is shown as \x1b. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
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
