/** Sending to the group: to all of it, or to any one of it. */
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { attemptOnce, type Client, explain, giveUp, linkTo, pauseSince, reasonOf } from "../lib/attempt.ts";
import type { AttemptEnd } from "../lib/link.ts";
import type { Ack, Receiver } from "../lib/messages.ts";
import { shortId } from "../plumbing/log.ts";
import { checkOpenFiles } from "../plumbing/open_files.ts";
import type { GroupOptions, SendOptions } from "../terminal/client_view.ts";
import type { Member } from "../terminal/group_view.ts";
import type { GroupResult, Result } from "../terminal/results.ts";

/** How many acks make a send to the group done. */
export type Need = number | "majority" | "all";

/** The group has fewer members than acks are needed; nothing was sent. */
export class TooFewReceivers extends Error {}

export interface Discover {
  /** Who is in the group; rejects when the signal is aborted while it waits for discovery. */
  discover: (signal: AbortSignal) => Promise<Receiver[]>;
}

export interface SendToGroupOptions extends GroupOptions, Discover {
  need: Need;
  /** Sends to one member, and tries again: the client's own `sendMessage`. */
  sendMessage: (
    client: Client,
    receiver: Receiver,
    body: string,
    options: SendOptions & { id: string },
  ) => Promise<Result>;
}

/**
 * Sends one message to all, with one id. Each receiver acks for itself, and only those that haven't are
 * tried again. It is done as soon as enough have acked; one that leaves drops out of the wait.
 *
 * @throws {TooFewReceivers}
 * @throws {UsageError} when this process may not have so many connections
 */
export async function sendToGroup(
  client: Client,
  body: string,
  { discover, sendMessage, need, signal, onStart, onResult }: SendToGroupOptions,
): Promise<GroupResult> {
  const receivers = await discover(signal);
  signal.throwIfAborted();
  const members: Member[] = receivers.map((receiver) => ({ receiver, attempt: 1, deadline: 0 }));
  if (members.length < countNeeded(need, members.length)) {
    throw new TooFewReceivers(
      `Cannot send: ${members.length} receivers are in the group, and --need is ${need}`,
    );
  }
  checkOpenFiles(`send to ${members.length} receivers`, members.length);
  onStart?.(members);

  const id = randomUUID();
  const startedAt = performance.now();
  const enough = new AbortController(); // or given up
  setMaxListeners(0, enough.signal);
  const stop = () => enough.abort(reasonOf(signal));
  signal.addEventListener("abort", stop, { once: true });
  const acked = new Set<string>();
  const left: string[] = [];
  const needed = () => countNeeded(need, members.length - left.length, members.length);

  async function sendToMember(member: Member) {
    const { receiver } = member;
    const onAttempt = (attempt: number) => {
      member.attempt = attempt;
      member.deadline = performance.now() + client.ackTimeoutMs;
    };
    const result = await sendMessage(client, receiver, body, { id, signal: enough.signal, onAttempt });
    member.result = result;
    if (result.outcome === "acked") acked.add(result.receiver);
    if (result.left) left.push(receiver.id);
    onResult?.(result);
    if (enough.signal.aborted || acked.size < needed()) return;
    enough.abort("enough others have acked");
    for (const other of members) if (!other.result) linkTo(client, other.receiver).cancel(id);
  }
  await Promise.all(members.map(sendToMember));
  signal.removeEventListener("abort", stop);

  const ackedBy = [...acked];
  const done = acked.size >= needed();
  if (done) client.trace.tell("group acked", { message: id, need: needed(), ackedBy });
  const lost = members.some(({ result }) => result?.outcome === "unknown") || acked.size > 0;
  const missing = members.filter(({ result }) => result?.outcome !== "acked" && !result?.left);
  const outcome = done ? "acked" : lost ? "unknown" : "undelivered";
  return {
    group: id,
    outcome,
    need: needed(),
    acked: ackedBy,
    missing: missing.map(({ receiver }) => receiver.id),
    left,
    ms: performance.now() - startedAt,
  };
}

/** A majority is one of the group as it was at the start; `all` are all that have not left, and at least one. */
function countNeeded(need: Need, present: number, atStart = present): number {
  if (need === "all") return Math.max(1, present);
  return need === "majority" ? Math.floor(atStart / 2) + 1 : need;
}

/**
 * Sends one message to whoever answers: another receiver at each attempt. The id stays the same, but the
 * receivers don't know of each other: one that processed it and whose ack was lost, and the next one, have
 * then both processed it.
 */
export async function sendToAny(
  client: Client,
  body: string,
  { discover, signal, onAttempt }: SendOptions & Discover,
): Promise<Result> {
  const id = randomUUID();
  const startedAt = performance.now();
  const first = Math.floor(Math.random() * 1000);
  let wasSent = false;
  let late: Ack | undefined;
  const lateAck = new Promise<AttemptEnd>((resolve) => {
    client.lateAcks.set(id, (ack) => {
      late = ack;
      resolve({ end: "acked", ack });
    });
  });

  try {
    for (let attempt = 1; ; attempt++) {
      const attemptedAt = performance.now();
      const receivers = await discover(signal).catch((error) => {
        if (signal.aborted) return []; // given up while discovery was away
        throw error;
      });
      const receiver = receivers[(first + attempt) % receivers.length];
      const nobody: AttemptEnd = { end: "unreachable", reason: "nobody is in the group" };
      let got = await Promise.race([lateAck, nobody]); // it may have come meanwhile
      if (receiver && got.end !== "acked" && !signal.aborted) {
        onAttempt?.(attempt, receiver);
        got = await Promise.race([attemptOnce(client, receiver, { id, attempt, body }), lateAck]);
        if (got.end === "acked" && got.ack === late) {
          linkTo(client, receiver).cancel(id);
          const note = `the late ack of ${shortId(got.ack.receiver)} came first`;
          client.trace.tell("gave up", {
            message: id,
            attempt,
            receiver: receiver.id,
            outcome: "acked",
            note,
          });
        }
      }
      const result = {
        id,
        receiver: receiver?.id ?? "nobody",
        attempts: attempt,
        ms: performance.now() - startedAt,
      };
      if (got.end === "acked") {
        return { ...result, receiver: got.ack.receiver, outcome: "acked", duplicate: got.ack.duplicate };
      }

      wasSent ||= got.end !== "unreachable";
      const lost = { ...result, outcome: wasSent ? ("unknown" as const) : ("undelivered" as const) };
      if (signal.aborted) return giveUp(client, { ...lost, reason: reasonOf(signal) });
      if (attempt >= client.attempts) return giveUp(client, { ...lost, reason: explain(client, got) });
      if (got.end === "timeout") continue;
      await pauseSince(attemptedAt, signal);
    }
  } finally {
    client.lateAcks.delete(id);
  }
}
