/** How a send to the group looks while it goes on: a row for each member. The report shows it as its live lines. */
import type { Member } from "../group/send_to_all.ts";
import { printable, shortId, showDuration } from "../plumbing/printable.ts";

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

function showMember({ receiver, attempt, result }: Member, now: number): string {
  const { id, host, port, name = `${host}:${port}` } = receiver;
  const who = `${shortId(id)}  ${printable(name)}`.padEnd(34);
  const number = result?.attempts ?? attempt?.number ?? 1;
  const tries = number > 1 ? `, attempt ${number}` : "";
  if (result === undefined) return `${who}◌ ${showState(attempt, now)}${tries}`;
  if (result.outcome === "acked")
    return `${who}✔ acked in ${showDuration(result.ms)}${tries}${result.duplicate ? ", duplicate" : ""}`;
  return `${who}✖ ${result.gone ? "no longer in the group" : result.outcome}${tries}`;
}

function showState(attempt: Member["attempt"], now: number): string {
  if (attempt === undefined) return "not tried yet";
  const seconds = `${(Math.max(0, attempt.endsAt - now) / 1000).toFixed(1)}s`;
  if (attempt.state === "pausing") return `${attempt.reason}, again in ${seconds}`;
  return `${attempt.state === "sent" ? "waiting" : "connecting"}, ${seconds} left`;
}
