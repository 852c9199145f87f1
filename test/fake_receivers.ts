/** Receivers that do what a test says, and a client to send to them. */
import type { Server, Socket } from "node:net";
import { type Client, discoverReceivers, sendMessage } from "../client.ts";
import type { SendOptions } from "../group/result.ts";
import { type Need, sendToAll } from "../group/send_to_all.ts";
import { takeTurns } from "../group/take_turns.ts";
import type { Listing } from "../lib/discovery_api.ts";
import { createFrameReader, writeFrame } from "../lib/framing.ts";
import { closeLinks, type LinksOptions } from "../lib/links.ts";
import type { Message, Receiver } from "../lib/messages.ts";
import { listen } from "../plumbing/listen.ts";
import type { TraceEvent } from "../trace/events.ts";
import { createTrace } from "../trace/trace.ts";
import { keptLog } from "./helpers.ts";
import { toClose } from "./started.ts";
import { createClient, createDiscoveryApi, createServer } from "./wires.ts";

export const RETRY_MS = 150; // a timeout, with time enough for an ack on a busy machine
export const LONG_MS = 60_000; // a test that waits for such a timeout fails

/** A receiver that does what the test says with each message. */
export async function fakeReceiver(answer: (message: Message, socket: Socket) => void, id = "5f1c2a7e-1111") {
  const sockets = new Set<Socket>(); // that were ever opened
  const seen: Message[] = [];
  const takeFrame = (line: string, socket: Socket) => {
    const message: Message = JSON.parse(line);
    seen.push(message);
    answer(message, socket);
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on(
      "data",
      createFrameReader(
        (line) => takeFrame(line, socket),
        (_code, problem) => socket.destroy(new Error(problem)),
      ),
    );
  });
  const port = await listen(server, 0, "127.0.0.1");
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  toClose.push(close);
  const receiver: Receiver = { id, host: "127.0.0.1", port, last_seen: 0 };
  return { receiver, seen, sockets, close };
}

export function ack(message: Message, socket: Socket, duplicate = false, receiver = "5f1c2a7e-1111") {
  writeFrame(socket, { type: "ack", id: message.id, receiver, duplicate });
}

/** So many receivers; `answer` is told which of them got the message. */
export async function fakeGroup(
  size: number,
  answer: (number: number, message: Message, socket: Socket) => void = ackAs,
) {
  const fakes = await Promise.all(
    Array.from({ length: size }, (_value, number) =>
      fakeReceiver((message, socket) => answer(number, message, socket), `id-${number}`),
    ),
  );
  const receivers = fakes.map(({ receiver }) => receiver);
  const seen = () => fakes.map(({ seen }) => seen.map(({ attempt }) => attempt));
  const ids = () => new Set(fakes.flatMap(({ seen }) => seen.map(({ id }) => id)));
  return { fakes, receivers, seen, ids };
}

export function ackAs(number: number, message: Message, socket: Socket) {
  ack(message, socket, false, `id-${number}`);
}

/** A discovery whose list the test decides. */
export function fakeDiscovery(list: () => Listing | Promise<Listing>) {
  return { ...createDiscoveryApi("http://127.0.0.1:9"), list: async () => list() };
}

export function makeClient(
  group: Receiver[] = [],
  options: Partial<LinksOptions & Pick<Client, "maxAttempts">> = {},
) {
  const { log, lines } = keptLog();
  const events: TraceEvent[] = [];
  const client: Client = createClient({
    name: "client-test",
    discovery: fakeDiscovery(() => ({ receivers: [...group], isComplete: true })),
    log,
    trace: createTrace("client-test", { log, outlets: [(event) => events.push(event)] }),
    ackTimeoutMs: RETRY_MS,
    maxAttempts: Number.POSITIVE_INFINITY,
    ...options,
  });
  toClose.push(() => closeLinks(client.links));
  const eventsOf = (name: TraceEvent["event"]) => events.filter(({ event }) => event === name);
  return { client, events, eventsOf, lines, ...ways(client) };
}

/** The ways to send, each given up by `stop`. */
function ways(client: Client) {
  const list = (signal: AbortSignal) => discoverReceivers(client, signal);
  const send = (
    receiver: Receiver,
    body = "oi",
    stop = new AbortController(),
    how: Partial<SendOptions> = {},
  ) => sendMessage(client, receiver, body, { signal: stop.signal, ...how });
  const sendAny = (stop = new AbortController()) =>
    sendMessage(client, takeTurns(list), "oi", { signal: stop.signal });
  const sendAll = async (need: Need = "all", { signal } = new AbortController()) => {
    const sendOne = (to: Receiver, how: SendOptions) => sendMessage(client, to, "oi", { ...how, id: "m-1" });
    return sendToAll(await list(signal), sendOne, { id: "m-1", need, signal });
  };
  return { list, send, sendAny, sendAll };
}

/** As a user does: the reason is what is shown. */
export function giveUp(stop: AbortController) {
  stop.abort(new DOMException("given up", "AbortError"));
}
