/** A send to any of the group: who is tried next. The client's `sendMessage` asks before each attempt. */
import type { Receiver } from "../lib/messages.ts";

/** Says who is tried next; nobody, if the group is empty. */
export type NextReceiver = (signal: AbortSignal) => Promise<Receiver | undefined>;

/**
 * Begins with one by chance, and goes on to the next of the list each time.
 *
 * The receivers don't know of each other: one that processed the message and whose ack was lost, and the
 * next one, have then both processed it.
 *
 * @param list who is in the group now
 * @param random gives numbers from 0 up to, not including, 1
 */
export function takeTurns(
  list: (signal: AbortSignal) => Promise<Receiver[]>,
  random = Math.random,
): NextReceiver {
  const first = random();
  let turn = 0;
  return async (signal) => {
    const receivers = await list(signal);
    if (receivers.length === 0) return undefined;
    const next = receivers[(Math.floor(first * receivers.length) + turn) % receivers.length];
    turn += 1;
    return next;
  };
}
