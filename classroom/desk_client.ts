/** The client of the teacher's desk: sends as any client does, and waits for the acks while the desk goes on. */
import { setMaxListeners } from "node:events";
import { type Client, createClient, discoverReceivers, sendMessage } from "../client.ts";
import { sendToAll } from "../group/send_to_all.ts";
import { takeTurns } from "../group/take_turns.ts";
import { createDiscoveryApi, DiscoveryError } from "../lib/discovery_api.ts";
import { closeLinks } from "../lib/links.ts";
import type { Receiver } from "../lib/messages.ts";
import { CannotObey } from "../monitor/desk_calls.ts";
import type { DeskPlace } from "../monitor/own_desk.ts";
import type { Log } from "../plumbing/log.ts";
import { openOutlets } from "../trace/outlets.ts";
import { createTrace } from "../trace/trace.ts";

const NAME = "desk";
const MAX_UNDER_WAY = 20; // messages: one to a receiver that is suspended takes until its lease is over
const ACK_TIMEOUT_MS = 5000;

export interface DeskClient {
  /** Sends to the receiver of this name, to `any`, or to `all`. @throws {CannotObey} before anything is sent */
  send(to: string, text: string): Promise<void>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

/** Nobody sees it before it sends for the first time. */
export function createDeskClient(place: DeskPlace, log: Log): DeskClient {
  const stop = new AbortController();
  const { signal } = stop;
  setMaxListeners(0, signal); // all messages share it
  const underWay = new Set<Promise<unknown>>();
  let client: Client | undefined;

  return {
    async send(to, text) {
      if (underWay.size >= MAX_UNDER_WAY)
        throw new CannotObey(
          "many",
          `Cannot send: ${underWay.size} messages are under way; wait for their ends`,
        );
      client ??= await openClient(place, log);
      const receivers = await listReceivers(client);
      const sending = sendTo(client, { to, text, receivers, signal });
      underWay.add(sending);
      sending.finally(() => underWay.delete(sending));
    },
    async close() {
      stop.abort(new DOMException("the class is over", "AbortError"));
      await Promise.all(underWay);
      if (!client) return;
      closeLinks(client.links);
      client.trace.tell("stopped", {});
    },
  };
}

async function openClient({ discovery: url, monitor, groupFile }: DeskPlace, log: Log) {
  const trace = createTrace(NAME, { log, outlets: await openOutlets({ monitor, groupFile }) });
  trace.tell("started", {});
  const limits = { maxAttempts: Number.POSITIVE_INFINITY, ackTimeoutMs: ACK_TIMEOUT_MS };
  const discovery = createDiscoveryApi(url, { groupFile });
  return createClient({ name: NAME, log, trace, discovery, groupFile, ...limits });
}

/** Doesn't wait for discovery: the teacher is told. */
async function listReceivers({ discovery, trace }: Client): Promise<Receiver[]> {
  try {
    const { receivers } = await discovery.list();
    trace.tell("listed", { note: `${receivers.length} in the group` });
    if (receivers.length > 0) return receivers;
  } catch (error) {
    if (!(error instanceof DiscoveryError)) throw error;
    throw new CannotObey(
      "away",
      "Cannot send: discovery doesn't answer, so nobody knows who is in the group",
    );
  }
  throw new CannotObey("absent", "Cannot send: nobody is in the group");
}

interface Sending {
  to: string;
  text: string;
  receivers: Receiver[];
  signal: AbortSignal;
}

/** @throws {CannotObey} at once; what comes of the message is seen in the diagram */
function sendTo(client: Client, { to, text, receivers, signal }: Sending): Promise<unknown> {
  if (to === "any")
    return sendMessage(
      client,
      takeTurns((wait) => discoverReceivers(client, wait)),
      text,
      { signal },
    );
  if (to === "all") {
    const id = client.newId();
    const onEnough = (enough: { need: number; ackedBy: string[] }) =>
      void client.trace.tell("group acked", { message: id, ...enough });
    const send = (member: Receiver, how: { signal: AbortSignal }) =>
      sendMessage(client, member, text, { ...how, id });
    return sendToAll(receivers, send, { id, need: "all", signal, onEnough });
  }
  const receiver = receivers.find(({ name }) => name === to);
  if (receiver === undefined) throw new CannotObey("absent", `Cannot send: ${to} is not in the group`);
  return sendMessage(client, receiver, text, { signal });
}
