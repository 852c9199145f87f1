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
import { printable } from "../plumbing/printable.ts";
import { runIfMain } from "../plumbing/run.ts";
import { checkRecord, PROMISES } from "./check_promises.ts";
import { MAX_FOUND, type Verdict } from "./findings.ts";
import { type RecordedEvent, readRecords } from "./read_records.ts";

const MAX_SHOWN = 10; // of each promise, and of what else is found

/** All events of one record at once, for who looks at a few. */
export function readRecord(file: string): RecordedEvent[] {
  return [...readRecords([file])];
}

async function main(files: string[]): Promise<number> {
  if (files.length === 0 || files.some((file) => file.startsWith("-"))) {
    say("Cannot check: name the records");
    say("Try: npm run check-record -- receiver.jsonl client.jsonl");
    return 2;
  }
  // It reads in one go and changes nothing: a signal ends it at once, as it does a program that doesn't listen.
  for (const signal of ["SIGINT", "SIGTERM"]) process.removeAllListeners(signal);
  const records = readRecords(files);
  let verdict: Verdict;
  try {
    verdict = checkRecord(records);
  } catch (error) {
    say((error as Error).message);
    return 2;
  }
  const { broken, unclear, events, processes } = verdict;
  if (events === 0) unclear.push("there is no event");
  say(`${events} events, ${processes} processes`);
  for (const line of [...showVerdict(verdict), ...showInformation(verdict, records.cut)]) say(line);
  if (broken.length > 0) return 1;
  return unclear.length > 0 ? 2 : 0;
}

/** What stands in a record may be anybody's text. */
function say(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

function showVerdict({ broken, unclear }: Verdict): string[] {
  const lines: string[] = [];
  for (const [promise, meaning] of Object.entries(PROMISES)) {
    const found = broken.filter((each) => each.promise === promise);
    const state = found.length > 0 ? "✖ broken" : unclear.length > 0 ? "? unclear" : "✔ held  ";
    lines.push(`${state}  ${promise}: ${meaning}`);
    lines.push(...showSome(found.map(({ why, where }) => `    ${why} (${where.join(", ")})`)));
  }
  if (broken.length === 0) lines.push(...showSome(unclear.map((why) => `? can't tell: ${why}`)));
  return lines;
}

/** What has no say in the exit code. */
function showInformation({ repeated }: Verdict, cut: readonly string[]): string[] {
  return [
    ...showSome(cut.map((where) => `ℹ not written: a line that was cut (${where})`)),
    ...showSome(repeated.map(({ why, where }) => `ℹ processed again: ${why} (${where.join(", ")})`)),
  ];
}

function showSome(lines: string[]): string[] {
  const more = lines.length - MAX_SHOWN;
  if (more <= 0) return lines;
  const count = lines.length < MAX_FOUND ? `${more}` : `at least ${more}`;
  return [...lines.slice(0, MAX_SHOWN), `    … and ${count} more`];
}

await runIfMain(import.meta, main);
