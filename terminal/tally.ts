/** Counts what came of many messages, in memory that doesn't grow with them. The report shows it. */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Result } from "../group/result.ts";
import { showDuration } from "../plumbing/printable.ts";

const MOST_BARS = 8; // of the histogram; the last one holds the rest
const BAR_WIDTH = 40;

export interface Tally {
  startedAt: number;
  acked: number;
  undelivered: number;
  unknown: number;
  attempts: number;
  duplicates: number;
  /** How many messages took one attempt to be acked, two, … */
  byAttempts: number[];
  /** In microseconds. */
  timesToAck: RecordableHistogram;
}

export function createTally(): Tally {
  const counts = { acked: 0, undelivered: 0, unknown: 0, attempts: 0, duplicates: 0 };
  const byAttempts = new Array<number>(MOST_BARS).fill(0);
  return { startedAt: performance.now(), ...counts, byAttempts, timesToAck: createHistogram() };
}

export function addResult(tally: Tally, { outcome, attempts, duplicate, ms }: Result): void {
  tally[outcome] += 1;
  tally.attempts += attempts;
  if (duplicate) tally.duplicates += 1;
  if (outcome !== "acked") return;
  const bar = Math.min(attempts, MOST_BARS) - 1;
  tally.byAttempts[bar] = (tally.byAttempts[bar] ?? 0) + 1;
  tally.timesToAck.record(Math.max(1, Math.round(ms * 1000)));
}

export function countResults({ acked, undelivered, unknown }: Tally): number {
  return acked + undelivered + unknown;
}

/** What has come of them so far, in a line. */
export function showOutcomes(tally: Tally): string {
  const { acked, undelivered, unknown } = tally;
  return `${countResults(tally)} messages: ${acked} acked, ${undelivered} undelivered, ${unknown} unknown`;
}

/** The same with the rate, which means something only where the time was the run's, and no person's. */
export function showProgress(tally: Tally): string {
  const seconds = (performance.now() - tally.startedAt) / 1000;
  const rate = Math.round(tally.acked / seconds).toLocaleString("en");
  return `${showOutcomes(tally)}, in ${showDuration(seconds * 1000)} (${rate} acked a second)`;
}

/** Attempts and duplicates, the time to ack, and how many attempts messages took: a line for each. */
export function showTally(tally: Tally): string[] {
  const { attempts, duplicates, acked, timesToAck, byAttempts } = tally;
  const mean = (attempts / countResults(tally)).toFixed(2);
  const lines = [`attempts: ${attempts}, ${mean} a message; acked as duplicates: ${duplicates}`];
  if (acked === 0) return lines;
  const at = (percent: number) => showDuration(timesToAck.percentile(percent) / 1000);
  lines.push(`time to ack: median ${at(50)}, 99th percentile ${at(99)}`);
  const most = Math.max(...byAttempts);
  for (const [index, messages] of byAttempts.entries()) {
    if (messages === 0) continue;
    const label = `${index + 1}${index === MOST_BARS - 1 ? "+" : ""}`.padStart(3);
    const bar = "█".repeat(Math.ceil((messages / most) * BAR_WIDTH));
    lines.push(`${label} attempt${index === 0 ? " " : "s"} ${bar} ${messages}`);
  }
  return lines;
}
