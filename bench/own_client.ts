/** A client made of client.ts's own functions, for what its command line doesn't say. steady_client and crowd_client use it. */
import { createClient, discoverReceivers, sendMessage } from "../client.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { closeLinks } from "../lib/links.ts";
import type { Receiver } from "../lib/messages.ts";
import { createLog } from "../plumbing/log.ts";
import { createTrace } from "../trace/trace.ts";

const BODY = "x".repeat(16);

/** Asks once who is in the group of the discovery at `url`. */
export async function openOwnClient(url: string) {
  const { signal } = new AbortController();
  const name = "bench";
  const log = createLog(name, { logLevel: "warn" });
  const client = createClient({
    name,
    discovery: createDiscoveryApi(url),
    log,
    trace: createTrace(name, { log }),
    ackTimeoutMs: 5000,
    maxAttempts: 1,
  });
  const receivers = await discoverReceivers(client, signal);
  if (receivers.length === 0) throw new Error("Cannot measure: nobody is in the group");

  /** Sends one message. Rejects unless its one attempt is acked. */
  async function send(to: Receiver, onAcked: () => void): Promise<void> {
    const { outcome } = await sendMessage(client, to, BODY, { signal });
    if (outcome !== "acked") throw new Error(`Cannot measure: a message is ${outcome}`);
    onAcked();
  }
  return { receivers, send, close: () => closeLinks(client.links) };
}
