/** The clients of the chaos test. They run in its own process, so that each can have several messages under way. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Client, discoverReceivers, sendMessage } from "../client.ts";
import type { Result, SendOptions } from "../group/result.ts";
import { type Enough, type GroupResult, type Need, sendToAll } from "../group/send_to_all.ts";
import { takeTurns } from "../group/take_turns.ts";
import type { Receiver } from "../lib/messages.ts";
import { openRecord } from "../trace/record.ts";
import { createTrace } from "../trace/trace.ts";
import { keptLog } from "./helpers.ts";
import { createClient, createDiscoveryApi } from "./wires.ts";

const NEEDS: Need[] = ["all", "majority", 1];
const PACE_MS = 50; // between two messages of a lane

export interface ChaosClient {
  sendsTo: "one" | "any" | "all";
  client: Client;
}

/** Their records are in `folder`, with their names. */
export function createClients(folder: string, discoveryUrl: string): ChaosClient[] {
  const { log } = keptLog();
  const discovery = createDiscoveryApi(discoveryUrl);
  return (["one", "any", "all", "all"] as const).map((sendsTo, number) => {
    const name = `client-${number}`;
    const trace = createTrace(name, { log, outlets: [openRecord(join(folder, `${name}.jsonl`))] });
    const limits = { maxAttempts: Number.POSITIVE_INFINITY, ackTimeoutMs: 400 };
    return { sendsTo, client: createClient({ name, discovery, log, trace, ...limits }) };
  });
}

/** Sends one message after another as long as the harm lasts. The last one is waited for. */
export async function keepSending(
  { client, sendsTo }: ChaosClient,
  harm: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  while (!harm.aborted) {
    const receivers = await discoverReceivers(client, signal);
    const target = sendsTo === "one" ? pick(receivers) : sendsTo;
    // A group may be empty for a moment; then there is nothing to send to.
    if (target && receivers.length > 0) await send(client, target, receivers, signal);
    await delay(PACE_MS);
  }
}

/** Sends a message as client.ts does. */
export async function send(
  client: Client,
  target: Receiver | "any" | "all",
  receivers: readonly Receiver[],
  signal: AbortSignal,
): Promise<Result | GroupResult> {
  if (target !== "all") {
    const to = target === "any" ? takeTurns((wait) => discoverReceivers(client, wait)) : target;
    return sendMessage(client, to, "to one", { signal });
  }
  const id = randomUUID();
  const sendToMember = (to: Receiver, how: SendOptions) => sendMessage(client, to, "to all", { ...how, id });
  const onEnough = (enough: Enough) => void client.trace.tell("group acked", { message: id, ...enough });
  return sendToAll(receivers, sendToMember, { id, need: pick(NEEDS) ?? "all", signal, onEnough });
}

/** By chance, and not by the seed: how many messages there are is not decided by it either. */
function pick<T>(list: readonly T[]): T | undefined {
  return list[Math.floor(Math.random() * list.length)];
}
