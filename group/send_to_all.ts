/** A send to all of the group: one message, an ack from each, done as soon as enough have acked. */
import { setMaxListeners } from "node:events";
import type { Receiver } from "../lib/messages.ts";
import { createChildController } from "../plumbing/child_controller.ts";
import { inLanes } from "../plumbing/lanes.ts";
import { problemWithOpenFiles } from "../plumbing/open_files.ts";
import type { AttemptState, Outcome, Result, SendOptions } from "./result.ts";

/** How many acks make it done. */
export type Need = number | "majority" | "all";

/** What the sender knows of one member of the group. */
export interface Member {
  receiver: Receiver;
  /** Once it was tried. */
  attempt?: AttemptState;
  /** Once there is one. */
  result?: Result;
}

export interface GroupResult {
  /** The id of the message, the same for all. */
  group: string;
  /** Of the group: enough have acked; none was reached; or neither. */
  outcome: Outcome;
  need: number;
  /** The ids of the members that acked, of those that didn't, and of those that are members no longer. */
  acked: string[];
  missing: string[];
  gone: string[];
  ms: number;
  /** Why nothing was sent, if nothing was. */
  reason?: string;
}

/** A way to send to one member, and to try again: the client's `sendMessage`. */
export type Send = (to: Receiver, options: SendOptions) => Promise<Result>;

/** Enough have acked. */
export interface Enough {
  need: number;
  /** The ids of the receivers whose acks there are. */
  ackedBy: string[];
}

export interface SendToAllOptions {
  /** The id of the message. */
  id: string;
  need: Need;
  /** Gives it up. */
  signal: AbortSignal;
  /** Is told of the members when they are known, and of each that has its result. */
  onChange?: (members: readonly Member[], changed?: Member) => void;
  /** Is told once, when enough have acked, before the others are given up. */
  onEnough?: (enough: Enough) => void;
}

/**
 * Sends one message to all `receivers`, with one id. Each acks for itself, and only those that haven't are
 * tried again. One that is a member no longer drops out of the wait. Who acked is who was asked: members
 * that call themselves the same are still several.
 * Nothing is sent to fewer members than acks are needed, nor to more than this process may have connections.
 */
export async function sendToAll(
  receivers: readonly Receiver[],
  send: Send,
  { id, need, signal, onChange, onEnough }: SendToAllOptions,
): Promise<GroupResult> {
  const members = [...new Map(receivers.map((receiver) => [receiver.id, { receiver } as Member])).values()];
  const { length } = members;
  let [acked, gone] = [0, 0];
  let hasEnough = false;
  const needed = () => countNeeded(need, length - gone, length);
  const tooFew = `${length} receivers are in the group, and --need is ${need}`;
  const reason = length < needed() ? tooFew : problemWithOpenFiles(`send to ${length} receivers`, length);
  const nobody = { acked: [], missing: [], gone: [] };
  if (reason !== undefined)
    return { group: id, outcome: "undelivered", need: needed(), ...nobody, ms: 0, reason };
  onChange?.(members);

  const startedAt = performance.now();
  const enough = createChildController(signal);
  setMaxListeners(0, enough.signal);
  const sendToMember = async (member: Member) => {
    const onAttempt = (attempt: AttemptState) => void Object.assign(member, { attempt });
    const result = await send(member.receiver, { signal: enough.signal, onAttempt });
    member.result = result;
    onChange?.(members, member);
    if (result.outcome === "acked") acked += 1;
    if (result.gone) gone += 1;
    if (hasEnough || acked < needed()) return;
    hasEnough = true;
    onEnough?.({ need: needed(), ackedBy: sumUp(members, needed()).acked });
    enough.abort("enough others have acked");
  };
  const giveUpAll = (error: unknown) => {
    enough.abort("the send to the group failed");
    throw error;
  };
  const sending = inLanes(length, members, (member) => sendToMember(member).catch(giveUpAll));
  await sending.finally(enough.release);
  return { group: id, ...sumUp(members, needed()), ms: performance.now() - startedAt };
}

function sumUp(members: readonly Member[], need: number) {
  const idsOf = (isOne: (result: Result) => unknown) =>
    members.filter(({ result }) => result && isOne(result)).map(({ receiver }) => receiver.id);
  const acked = idsOf(({ outcome }) => outcome === "acked");
  const gone = idsOf((result) => result.gone);
  const missing = idsOf((result) => result.outcome !== "acked" && !result.gone);
  const mayBeProcessed = idsOf(({ outcome }) => outcome !== "undelivered").length > 0;
  const outcome: Outcome = acked.length >= need ? "acked" : mayBeProcessed ? "unknown" : "undelivered";
  return { outcome, need, acked, missing, gone };
}

/** A majority is one of the group as it was at the start; `all` are all that are still members, and at least one. */
function countNeeded(need: Need, present: number, atStart = present): number {
  if (need === "all") return Math.max(1, present);
  return need === "majority" ? Math.floor(atStart / 2) + 1 : need;
}
