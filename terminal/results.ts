/** What comes of messages, and how the user is told. */
import { createHistogram } from "node:perf_hooks";
import { shortId } from "../plumbing/log.ts";

/**
 * What a sender knows of a message in the end.
 * - `acked`: an ack came
 * - `undelivered`: there never was a connection, so it provably did not arrive
 * - `unknown`: it was sent and no ack came; it may or may not have been processed
 */
export type Outcome = "acked" | "undelivered" | "unknown";

export interface Result {
  id: string;
  /** The id of the receiver that acked, or else of the last that it was sent to. */
  receiver: string;
  outcome: Outcome;
  attempts: number;
  /** From the first attempt to the end, in milliseconds. */
  ms: number;
  /** The receiver said that it had processed the message at an earlier attempt. */
  duplicate?: boolean;
  /** Why it isn't acked. */
  reason?: string;
  /** The receiver is no member of the group any more. */
  left?: boolean;
}

export interface GroupResult {
  /** The id of the message, the same for all. */
  group: string;
  /** Of the group: enough have acked; none was reached; or neither. */
  outcome: Outcome;
  need: number;
  /** The ids of the receivers that acked, of those that didn't, and of those that left meanwhile. */
  acked: string[];
  missing: string[];
  left: string[];
  ms: number;
}

/** A result in a line. */
export function showResult({ outcome, receiver, attempts, ms, duplicate, reason }: Result): string {
  const to = shortId(receiver);
  const after = attempts === 1 ? "after 1 attempt" : `after ${attempts} attempts`;
  if (outcome === "acked") {
    return `acked by ${to}, ${after}, in ${duration(ms)}${duplicate ? " (a duplicate: processed at an earlier attempt)" : ""}`;
  }
  if (outcome === "undelivered") return `undelivered: it never reached ${to}, ${after}: ${reason}`;
  return `unknown: ${to} may or may not have processed it, ${after}: ${reason}`;
}

/** The same for the group. */
export function showGroupResult({ outcome, need, acked, missing, left, ms }: GroupResult): string {
  const names = (ids: string[]) => `${ids.slice(0, 5).map(shortId).join(", ")}${ids.length > 5 ? ", …" : ""}`;
  const parts = [`${acked.length} acked, ${need} needed`];
  if (missing.length > 0) parts.push(`no ack from ${missing.length}: ${names(missing)}`);
  if (left.length > 0) parts.push(`left the group: ${names(left)}`);
  return `group ${outcome}: ${parts.join("; ")}; in ${duration(ms)}`;
}

/** Counts results, in memory that doesn't grow with them. */
export interface Tally {
  add(result: Result): void;
  count(): number;
  /** What has come of them so far, in a line. */
  showProgress(): string;
  /** How often which outcome, attempts and duplicates, the time to ack, and how many attempts messages took. */
  show(): string[];
}

const MOST_BARS = 8; // of the histogram; the last one holds the rest
const BAR_WIDTH = 40;

export interface CreateTallyOptions {
  /** Whether the time from now on is the run's, and no person's; then the rate means something. @default {true} */
  isTimed?: boolean;
}

export function createTally({ isTimed = true }: CreateTallyOptions = {}): Tally {
  const startedAt = performance.now();
  const outcomes = { acked: 0, undelivered: 0, unknown: 0 };
  const byAttempts = new Array<number>(MOST_BARS).fill(0);
  const timesToAck = createHistogram(); // in microseconds
  let attempts = 0;
  let duplicates = 0;
  const count = () => outcomes.acked + outcomes.undelivered + outcomes.unknown;

  function showOutcomes() {
    const { acked, undelivered, unknown } = outcomes;
    return `${count()} messages: ${acked} acked, ${undelivered} undelivered, ${unknown} unknown`;
  }

  function showProgress() {
    const seconds = (performance.now() - startedAt) / 1000;
    const rate = Math.round(outcomes.acked / seconds).toLocaleString("en");
    return `${showOutcomes()}, in ${duration(seconds * 1000)} (${rate} acked a second)`;
  }

  return {
    add(result) {
      outcomes[result.outcome] += 1;
      attempts += result.attempts;
      if (result.duplicate) duplicates += 1;
      if (result.outcome !== "acked") return;
      const bar = Math.min(result.attempts, MOST_BARS) - 1;
      byAttempts[bar] = (byAttempts[bar] ?? 0) + 1;
      timesToAck.record(Math.max(1, Math.round(result.ms * 1000)));
    },
    count,
    showProgress,
    show() {
      const lines = [isTimed ? showProgress() : showOutcomes()];
      lines.push(
        `attempts: ${attempts}, ${(attempts / count()).toFixed(2)} a message; acked as duplicates: ${duplicates}`,
      );
      if (outcomes.acked === 0) return lines;
      const at = (percent: number) => duration(timesToAck.percentile(percent) / 1000);
      lines.push(`time to ack: median ${at(50)}, 99th percentile ${at(99)}`);
      const most = Math.max(...byAttempts);
      for (const [index, messages] of byAttempts.entries()) {
        if (messages === 0) continue;
        const label = `${index + 1}${index === MOST_BARS - 1 ? "+" : ""}`.padStart(3);
        const bar = "█".repeat(Math.ceil((messages / most) * BAR_WIDTH));
        lines.push(`${label} attempt${index === 0 ? " " : "s"} ${bar} ${messages}`);
      }
      return lines;
    },
  };
}

/** A duration for people. */
export function duration(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)}ms`;
  return ms < 1000 ? `${ms.toFixed(1)}ms` : `${(ms / 1000).toFixed(1)}s`;
}
