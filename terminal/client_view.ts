/** What the user of a client sees while messages are under way, and of what came of them. */
import { MAX_FRAME_BYTES } from "../lib/framing.ts";
import type { Receiver } from "../lib/messages.ts";
import { shortId } from "../plumbing/log.ts";
import { type Member, showGroup } from "./group_view.ts";
import { createTally, type GroupResult, type Result, showGroupResult, showResult } from "./results.ts";
import type { Screen } from "./screen.ts";

/** What a frame has besides its body fits in 1 KiB. */
const MAX_BODY_BYTES = MAX_FRAME_BYTES - 1024;
const MAX_LISTED = 20; // results of one send to the group that are printed line by line

/** Whom the user means: one receiver, any of them, or all. */
export type Target = Receiver | "any" | "all";

export interface SendOptions {
  /** Gives the message up at the end of the attempt under way. */
  signal: AbortSignal;
  /** Is told at the start of each attempt. */
  onAttempt?: (attempt: number, receiver: Receiver) => void;
}

/** The ways to send, without any screen. */
export interface Delivery {
  toOne(receiver: Receiver, body: string, options: SendOptions): Promise<Result>;
  toAny(body: string, options: SendOptions): Promise<Result>;
  /** Rejects when the group can't give as many acks as are needed. */
  toGroup(body: string, options: GroupOptions): Promise<GroupResult>;
}

export interface GroupOptions {
  signal: AbortSignal;
  /** Is given the members once they are known; they are kept up to date. */
  onStart?: (members: readonly Member[]) => void;
  onResult?: (result: Result) => void;
}

export interface CreateSenderOptions {
  screen: Screen;
  ackTimeoutMs: number;
  /** How many messages there will be; many are shown as a count, not one by one. */
  count: number;
  json: boolean;
}

export interface Sender {
  /** Sends, and shows what comes of it. @returns whether it was acked as needed */
  send(target: Target, body: string, signal: AbortSignal): Promise<boolean>;
  /** Shows what came of all. */
  summarize(): void;
}

export function createSender(delivery: Delivery, options: CreateSenderOptions): Sender {
  const { screen, ackTimeoutMs, json } = options;
  const many = options.count > 1;
  const tally = createTally({ isTimed: many });
  if (many) screen.showLive(() => `  ${tally.showProgress()} `);

  function say(result: Result | GroupResult) {
    if (json) screen.print(JSON.stringify(result), process.stdout);
    else screen.print("group" in result ? showGroupResult(result) : showResult(result));
  }

  function count(result: Result, isListed: boolean) {
    tally.add(result);
    if (json || isListed || (result.outcome !== "acked" && !many)) say(result);
  }

  function deliver(target: Receiver | "any", body: string, how: SendOptions): Promise<Result> {
    return target === "any" ? delivery.toAny(body, how) : delivery.toOne(target, body, how);
  }

  async function sendToOne(target: Receiver | "any", body: string, signal: AbortSignal): Promise<boolean> {
    const result = await (many
      ? deliver(target, body, { signal })
      : showWait((onAttempt) => deliver(target, body, { signal, onAttempt })));
    count(result, !many || result.outcome !== "acked");
    return result.outcome === "acked";
  }

  /** Shows how long the attempt under way still waits. */
  async function showWait(
    send: (onAttempt: NonNullable<SendOptions["onAttempt"]>) => Promise<Result>,
  ): Promise<Result> {
    let waitingFor = "nobody is in the group";
    let deadline = 0;
    screen.showLive(() => {
      const left = Math.max(0, deadline - performance.now()) / 1000;
      return `  ${waitingFor}, ${left.toFixed(1)}s left (Ctrl-C gives up) `;
    });
    const result = await send((attempt, receiver) => {
      waitingFor = `attempt ${attempt}, waiting for the ack of ${shortId(receiver.id)}`;
      deadline = performance.now() + ackTimeoutMs;
    });
    screen.showLive(undefined);
    return result;
  }

  async function sendToAll(body: string, signal: AbortSignal): Promise<boolean> {
    let isListed = false;
    const sending = delivery.toGroup(body, {
      signal,
      onStart(members) {
        isListed = !many && members.length <= MAX_LISTED;
        if (!many) screen.showLive(() => showGroup(members, Math.max(3, screen.rows() - 4)));
      },
      onResult: (result) => count(result, isListed),
    });
    const group = await sending.finally(() => {
      if (!many) screen.showLive(undefined);
    });
    if (json || !many || group.outcome !== "acked") say(group);
    return group.outcome === "acked";
  }

  return {
    send: (target, body, signal) =>
      target === "all" ? sendToAll(body, signal) : sendToOne(target, body, signal),
    summarize() {
      screen.showLive(undefined);
      if (tally.count() > 1 && !json) for (const line of tally.show()) screen.print(line);
    },
  };
}

/** What is wrong with a body, if anything. */
export function problemWithBody(body: string): string | undefined {
  const isTooLong = Buffer.byteLength(JSON.stringify(body)) > MAX_BODY_BYTES;
  return isTooLong ? `a message has at most ${MAX_BODY_BYTES} bytes` : undefined;
}
