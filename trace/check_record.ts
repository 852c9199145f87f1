/**
 * The checker: reads what the processes of a run recorded (`--record`), and says whether the promises
 * of the protocol held, with the lines that break them.
 *
 *     tsx receiver.ts --record receiver.jsonl
 *     tsx client.ts --to all --count 10 --record client.jsonl
 *     npm run check-record -- receiver.jsonl client.jsonl
 *
 * It needs the records of all that took part: where one is missing, it can't tell.
 * Exit code 0: all held; 1: one is broken; 2: can't tell.
 */
import { readFileSync } from "node:fs";
import { readJson } from "../plumbing/read_json.ts";
import { runIfMain } from "../plumbing/run.ts";
import { checkRecord, PROMISES, type RecordedEvent, type Verdict } from "./check_promises.ts";
import { TraceEventSchema } from "./events.ts";

/**
 * Reads one record. A last line that was cut (a full disk) counts as not written.
 *
 * @throws {Error} "Cannot read …" for a file that isn't there, or a line that is no event
 */
export function readRecord(file: string): RecordedEvent[] {
  return readLines(file).map(({ line, where }) => {
    const event = readJson(TraceEventSchema, line);
    if ("problem" in event) throw new Error(`Cannot read ${where}: ${event.problem}`);
    return { ...event.value, where };
  });
}

function readLines(file: string): { line: string; where: string }[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  const lines = text.split("\n");
  lines.pop(); // what follows the last newline is nothing, or a line that was cut
  return lines.map((line, index) => ({ line, where: `${file}:${index + 1}` }));
}

/** All that was recorded, each event once: a file may be named twice, and the monitor keeps the same events. */
export function readRecords(files: readonly string[]): RecordedEvent[] {
  const seen = new Set<string>();
  return files.flatMap(readRecord).filter(({ where: _where, ...event }) => {
    const key = JSON.stringify(event);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

async function main(files: string[]): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  if (files.length === 0 || files.some((file) => file.startsWith("-"))) {
    say("Cannot check: name the records\nTry: npm run check-record -- receiver.jsonl client.jsonl");
    return 2;
  }
  let events: RecordedEvent[];
  try {
    events = readRecords(files);
  } catch (error) {
    say((error as Error).message);
    return 2;
  }
  const verdict = checkRecord(events);
  if (events.length === 0) verdict.unclear.push("there is no event");
  say(`${events.length} events, ${new Set(events.map(({ process }) => process)).size} processes`);
  for (const line of showVerdict(verdict)) say(line);
  if (verdict.broken.length > 0) return 1;
  return verdict.unclear.length > 0 ? 2 : 0;
}

function showVerdict({ broken, unclear }: Verdict): string[] {
  const lines: string[] = [];
  for (const [promise, meaning] of Object.entries(PROMISES)) {
    const found = broken.filter((each) => each.promise === promise);
    const state = found.length > 0 ? "✖ broken" : unclear.length > 0 ? "? unclear" : "✔ held  ";
    lines.push(`${state}  ${promise}: ${meaning}`);
    for (const { why, where } of found.slice(0, 10)) lines.push(`    ${why} (${where.join(", ")})`);
    if (found.length > 10) lines.push(`    … and ${found.length - 10} more`);
  }
  if (broken.length === 0) for (const why of unclear.slice(0, 10)) lines.push(`? can't tell: ${why}`);
  return lines;
}

await runIfMain(import.meta, main);
