/** What comes of a message, and how the user is told. */
import { shortId } from "./log.ts";

export interface Result {
  id: string;
  /** The id of the receiver that it was sent to. */
  receiver: string;
  /**
   * - `acked`: the ack came
   * - `undelivered`: there never was a connection, so it provably did not arrive
   * - `unknown`: it was sent and no ack came; it may or may not have been processed
   */
  outcome: "acked" | "undelivered" | "unknown";
  attempts: number;
  /** From the first attempt to the end, in milliseconds. */
  ms: number;
  /** The receiver said that it had processed the message at an earlier attempt. */
  duplicate?: boolean;
  /** Why it isn't acked. */
  reason?: string;
}

/** A result in a line. */
export function showResult({ outcome, receiver, attempts, ms, duplicate, reason }: Result): string {
  const to = shortId(receiver);
  const after = attempts === 1 ? "after 1 attempt" : `after ${attempts} attempts`;
  if (outcome === "acked") {
    return `acked by ${to}, ${after}, in ${seconds(ms)}${duplicate ? " (processed at an earlier attempt)" : ""}`;
  }
  if (outcome === "undelivered") return `undelivered: it never reached ${to}, ${after}: ${reason}`;
  return `unknown: ${to} may or may not have processed it, ${after}: ${reason}`;
}

/** Counts results, in memory that doesn't grow with them. */
export interface Tally {
  add(result: Result): void;
  /** True when there is nothing but acks. */
  allAcked(): boolean;
  /** What came of all of them, in a line. */
  show(): string;
}

export function createTally(): Tally {
  const startedAt = performance.now();
  const counts = { acked: 0, undelivered: 0, unknown: 0 };
  let attempts = 0;
  return {
    add(result) {
      counts[result.outcome] += 1;
      attempts += result.attempts;
    },
    allAcked: () => counts.undelivered + counts.unknown === 0,
    show() {
      const ms = performance.now() - startedAt;
      const messages = counts.acked + counts.undelivered + counts.unknown;
      const rate = Math.round(counts.acked / (ms / 1000)).toLocaleString("en");
      const outcomes = `${counts.acked} acked, ${counts.undelivered} undelivered, ${counts.unknown} unknown`;
      return `${messages} messages, ${attempts} attempts: ${outcomes}, in ${seconds(ms)} (${rate} acked a second)`;
    },
  };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)}ms` : `${(ms / 1000).toFixed(1)}s`;
}
