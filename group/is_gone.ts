/** Whether a member is in the group no longer. The client's `sendMessage` asks after each attempt that failed. */
import { setTimeout as delay } from "node:timers/promises";
import type { DiscoveryApi, Listing } from "../lib/discovery_api.ts";
import type { Receiver } from "../lib/messages.ts";

const ANSWER_WITHIN_MS = 1000; // a discovery that is slow must not hold up the next attempt for long

/** The question that is under way: many that ask at the same time share one answer. */
const asking = new WeakMap<DiscoveryApi, Promise<Listing>>();

/**
 * Only a discovery that answers, and that was not started just now, can say so. One with the address of a
 * member is that member, with a new id.
 */
export async function isGone(
  discovery: DiscoveryApi,
  { id, host, port }: Receiver,
  signal: AbortSignal,
): Promise<boolean> {
  const question =
    asking.get(discovery) ?? discovery.list({ signal }).finally(() => asking.delete(discovery));
  asking.set(discovery, question);
  try {
    const tooLong = delay(ANSWER_WITHIN_MS, undefined, { signal, ref: false });
    const listing = await Promise.race([question, tooLong]);
    const isHere = (other: Receiver) => other.id === id || (other.host === host && other.port === port);
    return listing?.isComplete === true && !listing.receivers.some(isHere);
  } catch {
    return false; // discovery is away, or the wait is over
  }
}
