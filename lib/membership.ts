/** What a client can say about who is in the group. */
import type { Client } from "./attempt.ts";
import type { Receiver } from "./messages.ts";

/** Asks discovery once; many that ask at the same time share one answer. */
export async function listReceivers(client: Client): Promise<Receiver[]> {
  client.listing ??= client.discovery.list().finally(() => {
    client.listing = undefined;
  });
  return client.listing;
}

/** Says that a receiver has left only when discovery is there, and knows. */
export async function hasLeft(client: Client, { id, host, port }: Receiver): Promise<boolean> {
  try {
    const receivers = await listReceivers(client);
    if (receivers.some((other) => other.id === id || (other.host === host && other.port === port)))
      return false;
    return client.discovery.isComplete();
  } catch {
    return false;
  }
}
