/** How a send to the group looks while it goes on: a row for each receiver. */

import type { Receiver } from "../lib/messages.ts";
import { shortId } from "../plumbing/log.ts";
import { duration, type Result } from "./results.ts";

/** What the sender knows of one member of the group. */
export interface Member {
  receiver: Receiver;
  attempt: number;
  /** When the attempt under way ends without an ack, by `performance.now()`. */
  deadline: number;
  /** Once there is one. */
  result?: Result;
}

/** The table, with at most `rows` rows; what doesn't fit is counted. Those that still wait come first. */
export function showGroup(members: readonly Member[], rows: number, now = performance.now()): string {
  const acked = members.filter(({ result }) => result?.outcome === "acked").length;
  const title = `  ${acked} of ${members.length} acked (Ctrl-C gives up) `;
  const fits = members.length <= rows;
  const shown = fits ? members : members.filter(({ result }) => result === undefined).slice(0, rows);
  const lines = shown.map((member) => `  ${members.indexOf(member)}`.padEnd(6) + showMember(member, now));
  if (!fits) lines.push(`  … and ${members.length - shown.length} more`);
  return [...lines, title].join("\n");
}

function showMember({ receiver, attempt, deadline, result }: Member, now: number): string {
  const who = `${shortId(receiver.id)}  ${receiver.host}:${receiver.port}`.padEnd(34);
  const tries = attempt > 1 ? `, attempt ${attempt}` : "";
  if (result === undefined) {
    return `${who}◌ waiting, ${(Math.max(0, deadline - now) / 1000).toFixed(1)}s left${tries}`;
  }
  if (result.outcome === "acked") {
    return `${who}✔ acked in ${duration(result.ms)}${tries}${result.duplicate ? ", duplicate" : ""}`;
  }
  return `${who}✖ ${result.left ? "left the group" : result.outcome}${tries}`;
}
