/** Shows the user of a client what goes on and what came of it; `client.ts` tells it, and it asks nothing back. */
import type { AttemptState, Result } from "../group/result.ts";
import type { GroupResult, Member } from "../group/send_to_all.ts";
import { shortId, showDuration } from "../plumbing/printable.ts";
import { showGroup } from "./group_table.ts";
import type { Screen } from "./screen.ts";
import { addResult, countResults, createTally, showOutcomes, showProgress, showTally } from "./tally.ts";

const MAX_LISTED = 20; // members of a group whose results are printed line by line

export interface ReportOptions {
  /** One result a line on stdout, and nothing else. */
  json: boolean;
  /** How many messages there will be; many are shown as a count, not one by one. */
  count: number;
}

export interface Report {
  /** How the attempt under way stands; not there where many are. */
  onAttempt: ((attempt: AttemptState) => void) | undefined;
  /** How a send to the group stands, and which member has its result now. */
  onMembers(members: readonly Member[], changed?: Member): void;
  /** What came of a message. @returns whether it was acked as needed */
  show(result: Result | GroupResult): boolean;
  /** What came of all. */
  end(): void;
}

export function createReport(screen: Screen, { json, count }: ReportOptions): Report {
  const isMany = count > 1;
  const tally = createTally();
  const live = (render: () => string) => screen.showLive(() => `  ${render()} `);
  if (isMany) live(() => showProgress(tally));

  function say(result: Result | GroupResult) {
    if (json) screen.print(JSON.stringify({ ...result, ms: Number(result.ms.toFixed(3)) }), process.stdout);
    else screen.print("group" in result ? showGroupResult(result) : showResult(result));
  }
  return {
    onAttempt: isMany ? undefined : (attempt) => live(() => showAttempt(attempt)),
    onMembers(members, changed) {
      const { result } = changed ?? {};
      if (result) addResult(tally, result);
      else if (!isMany) screen.showLive(() => showGroup(members, Math.max(3, screen.rows() - 4)));
      const isListed = !isMany && members.length <= MAX_LISTED;
      if (result && (json || isListed || (result.outcome !== "acked" && !isMany))) say(result);
    },
    show(result) {
      const isAcked = result.outcome === "acked";
      if (!isMany) screen.showLive(undefined);
      if (json || !isMany || !isAcked) say(result);
      if (!("group" in result)) addResult(tally, result);
      return isAcked;
    },
    end() {
      screen.showLive(undefined);
      if (countResults(tally) < 2 || json) return;
      const lines = [isMany ? showProgress(tally) : showOutcomes(tally), ...showTally(tally)];
      for (const line of lines) screen.print(line);
    },
  };
}

function showAttempt({ number, receiver, state, endsAt, reason }: AttemptState): string {
  const seconds = `${(Math.max(0, endsAt - performance.now()) / 1000).toFixed(1)}s`;
  const to = shortId(receiver?.id ?? "nobody");
  const what = { connecting: "connecting to", sent: "waiting for the ack of", pausing: "" }[state];
  const pause = `attempt ${number}: ${reason}, trying again in ${seconds}`;
  return `${what ? `attempt ${number}, ${what} ${to}, ${seconds} left` : pause} (Ctrl-C gives up)`;
}

/** A result in a line. */
export function showResult({ outcome, receiver, attempts, ms, duplicate, reason }: Result): string {
  const to = shortId(receiver);
  const after = attempts === 1 ? "after 1 attempt" : `after ${attempts} attempts`;
  if (outcome === "acked") {
    return `acked by ${to}, ${after}, in ${showDuration(ms)}${duplicate ? " (a duplicate: processed at an earlier attempt)" : ""}`;
  }
  if (attempts === 0) return `undelivered: nothing was sent: ${reason}`;
  if (receiver === "nobody") return `undelivered: nobody was in the group, ${after}: ${reason}`;
  if (outcome === "undelivered") return `undelivered: it never reached ${to}, ${after}: ${reason}`;
  return `unknown: ${to} may or may not have processed it, ${after}: ${reason}`;
}

/** The same for the group. */
export function showGroupResult({ outcome, need, acked, missing, gone, ms, reason }: GroupResult): string {
  if (reason !== undefined) return `group ${outcome}: ${reason}`;
  const names = (ids: string[]) => `${ids.slice(0, 5).map(shortId).join(", ")}${ids.length > 5 ? ", …" : ""}`;
  const parts = [`${acked.length} acked, ${need} needed`];
  if (missing.length > 0) parts.push(`no ack from ${missing.length}: ${names(missing)}`);
  if (gone.length > 0) parts.push(`no longer in the group: ${names(gone)}`);
  return `group ${outcome}: ${parts.join("; ")}; in ${showDuration(ms)}`;
}
