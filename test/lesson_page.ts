/** What a lesson's page says: its blocks of commands and of what one sees, as steps that can be played. */
import { readFileSync } from "node:fs";

/** The client's question; what is typed stands behind it. */
const PROMPT = /^Choose a receiver to send a message to \(.*\): ?/;

/** Stands for any lines, or none. */
export const CUT = "…";

export function isQuestion(line: string): boolean {
  return PROMPT.test(line);
}

export interface Step {
  terminal: number;
  /** What is to be seen before it, in any order; of a step that ends a block nothing follows. */
  sees: string[];
  does?: { start: string } | { type: string } | { interrupt: true };
}

/**
 * Reads the blocks ```console, and ```console 2 for what happens in a second terminal. There `$` starts a program,
 * `^C` ends it, and what stands behind the client's question is typed; all else is what one sees, `…` being anything.
 */
export function readSteps(file: string): Step[] {
  const page = readFileSync(file, "utf8");
  const blocks = [...page.matchAll(/^```console(?: (\d))?\n(.*?)^```$/gms)];
  return blocks.flatMap(([, terminal = "1", text = ""]) =>
    readBlock(Number(terminal), text.trimEnd().split("\n")),
  );
}

function readBlock(terminal: number, lines: readonly string[]): Step[] {
  const steps: Step[] = [];
  let sees: string[] = [];
  const step = (does: Step["does"]) => {
    steps.push({ terminal, sees, ...(does && { does }) });
    sees = [];
  };
  for (const line of lines) {
    const typed = line.replace(PROMPT, "");
    if (line.startsWith("$ ")) step({ start: line.slice(2) });
    else if (line === "^C") step({ interrupt: true });
    else if (typed !== line) step({ type: typed });
    else sees.push(line);
  }
  if (sees.length > 0) step(undefined);
  return steps;
}

/** What is left out of a comparison, besides. */
export interface Leniency {
  isCut: boolean; // how many attempts there are
  isAny: boolean; // which receivers they are made at
}

/** How lines of two runs are compared: without what differs in each. */
export function createNormalizer() {
  const names = new Map<string, string>(); // of receivers, by the short ids that the lists had so far
  return function normalize(lines: readonly string[], { isCut, isAny }: Leniency): string[] {
    for (const line of lines) {
      const [, id, name] = line.match(/^ +\d+: ([0-9a-f]{8}) .* (\S+)$/) ?? [];
      if (id && name) names.set(id, name);
    }
    return lines.map((line) => {
      const same = line
        .trimEnd()
        .replace(/^\d\d:\d\d:\d\d /, "TIME ")
        .replace(/\b[0-9a-f]{8}\b/g, (id) => (isAny ? "ID" : (names.get(id) ?? "ID")))
        .replace(/\b\d+-[0-9a-f]{3,6}\b/g, "ID")
        .replace(/\bclient-[0-9a-f]{6}\b/g, "client")
        .replace(/ --group-file \S+/, "") // said with `npm run test:secure`
        .replace("https://", "http://")
        .replace(/ (--discovery http:\S+|--port \d+)$/, "") // said when discovery has not its usual port
        .replace(/\b(127\.0\.0\.1:|port )\d+/g, "$1PORT")
        .replace(/#desk=\S+/, "")
        .replace(/seen \d+s ago/, "seen Ns ago")
        .replace(/\b(in|median|percentile) [\d.]+(ms|s)\b/g, "$1 N$2");
      return isCut ? same.replace(/\b(attempts?) \d+|\d+ attempts\b/g, "N attempts") : same;
    });
  };
}
