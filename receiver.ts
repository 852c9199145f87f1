/**
 * A receiver: a processing node. It waits for messages, processes each one and answers an ack.
 *
 * By design it "crashes" on half of them: no answer, and the connection stays open, as closing it would
 * tell the client at once. The client can then only wait until its timeout, and try again. As a client
 * tries again with the same id, a message that was processed already is acked again, as a duplicate,
 * and not processed twice.
 *
 * It talks to discovery over HTTP (register, heartbeat, leave); clients talk to it over TCP, a JSON
 * object a line, so a person can too: `nc localhost 40121`.
 *
 *     tsx receiver.ts                            on a port that the system picks
 *     tsx receiver.ts --fault-rate 0             without faults
 *     tsx receiver.ts --seed 7                   the same faults each time
 */
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { createDiscoveryApi, type DiscoveryApi, DiscoveryError } from "./lib/discovery_api.ts";
import { createCoin, FAULTS, type Fault, seededRandom } from "./lib/faults.ts";
import { createFrameReader, FramingError, writeFrame } from "./lib/framing.ts";
import { type Ack, type ErrorFrame, type Message, MessageSchema, readJson } from "./lib/messages.ts";
import { createRecentIds, type RecentIds } from "./lib/recent_ids.ts";
import { waitForDiscoveryServer } from "./lib/wait_for_discovery.ts";
import { inLanes } from "./plumbing/lanes.ts";
import { listen } from "./plumbing/listen.ts";
import { createLog, type Log } from "./plumbing/log.ts";
import { checkOpenFiles } from "./plumbing/open_files.ts";
import {
  chance,
  duration,
  interval,
  LOG_OPTIONS,
  optionalText,
  optionalUrl,
  optionalWhole,
  parseOptions,
  port,
  text,
  url,
  whole,
  words,
} from "./plumbing/options.ts";
import { runIfMain, untilAborted } from "./plumbing/run.ts";
import { openOutlets } from "./trace/outlets.ts";
import { createTrace, type Trace } from "./trace/trace.ts";

const OPTIONS = {
  discovery: url("http://localhost:5000", "the discovery server"),
  "advertise-host": text(hostname(), "the host name that it registers, by which clients reach it"),
  port: port("0", "the port it listens on; 0: one that the system picks"),
  "heartbeat-every": interval("10s", "how often it tells discovery that it is alive"),
  work: duration("0s", "how long processing one message takes"),
  "fault-rate": chance("0.5", "the chance that a message meets a fault"),
  fault: words("silent", FAULTS, "which fault, one or several, comma separated"),
  seed: optionalWhole(0, "the same seed gives the same faults in the same order [default: random]"),
  "late-by": duration("7s", "with --fault late-ack: how late"),
  copies: whole("1", 1, "so many receivers in this one process"),
  record: optionalText("a file that gets a JSON line for each event [default: none]"),
  monitor: optionalUrl("the monitor that gets each event [default: none]"),
  ...LOG_OPTIONS,
};

const LANES = 50; // so many copies register, or leave, at a time
const MAX_CONNECTIONS = 1000;
const LINGER_MS = 1000; // a refused client has that long to read why
const MAX_IN_PROGRESS = 10_000; // messages that one receiver processes at the same time

export interface ReceiverOptions {
  advertiseHost: string;
  port: number;
  /** Milliseconds. */
  heartbeatEvery: number;
  /** How long processing one message takes, in milliseconds. */
  work: number;
  /** How late the ack of a `late-ack` is, in milliseconds. */
  lateBy: number;
}

/** What a receiver is given to work with. */
export interface ReceiverContext {
  discovery: DiscoveryApi;
  log: Log;
  trace: Trace;
  /** Tossed for each message that was not processed yet. */
  tossCoin: () => Fault | undefined;
  /** Ends every wait. */
  signal: AbortSignal;
}

export interface ReceiverNode extends ReceiverContext {
  /** Given by discovery, a new one each time that it registers. */
  id: string | undefined;
  options: ReceiverOptions;
  server: Server;
  /** Where it listens. */
  port: number;
  connections: Set<Socket>;
  /** The ids of the messages that it processed, or is processing. */
  processed: RecentIds;
  inProgress: Map<string, Promise<void>>;
  nextHeartbeat: NodeJS.Timeout | undefined;
}

/** Listens for clients. It isn't in the group yet: see {@linkcode registerReceiver}. */
export async function startReceiver(
  options: ReceiverOptions,
  context: ReceiverContext,
): Promise<ReceiverNode> {
  // Half open: a client that has said all (`printf … | nc -N`) still gets its acks.
  const server = createServer({ noDelay: true, allowHalfOpen: true });
  const node: ReceiverNode = {
    ...context,
    id: undefined,
    options,
    server,
    port: options.port,
    connections: new Set(),
    processed: createRecentIds(),
    inProgress: new Map(),
    nextHeartbeat: undefined,
  };
  server.on("connection", (socket) => handleClientConnection(node, socket));
  node.port = await listen(server, options.port);
  return node;
}

/** Joins the group; waits for discovery as long as it isn't there. */
export async function registerReceiver(node: ReceiverNode): Promise<void> {
  const { discovery, log, signal, options } = node;
  for (;;) {
    try {
      node.id = await discovery.register({ host: options.advertiseHost, port: node.port });
      break;
    } catch (error) {
      if (!(error instanceof DiscoveryError) || error.code !== "unreachable") throw error;
      log.warn(error.message);
      await delay(1000, undefined, { signal }); // it may answer, and yet have no room for us
      await waitForDiscoveryServer(discovery, { log, signal });
    }
  }
  node.trace.tell("joined", { receiver: node.id, note: `${options.advertiseHost}:${node.port}` });
  if (signal.aborted) return cleanup(node); // stopped while discovery wrote us down
  node.nextHeartbeat = setTimeout(sendHeartbeat, options.heartbeatEvery, node);
}

/** Renews the lease, and goes on doing so. Discovery may have lost us, by a restart for example. */
async function sendHeartbeat(node: ReceiverNode): Promise<void> {
  const { discovery, log, signal } = node;
  try {
    if (node.id === undefined || !(await discovery.heartbeat(node.id))) {
      log.warn("discovery doesn't know this receiver any more, registering again");
      return await registerReceiver(node);
    }
    log.debug("heartbeat");
  } catch (error) {
    if (signal.aborted) return;
    log.warn(`${(error as Error).message}; the next heartbeat tries again`);
  }
  if (!signal.aborted) node.nextHeartbeat = setTimeout(sendHeartbeat, node.options.heartbeatEvery, node);
}

/** Reads the frames of one client. Any number of clients are served at once, each at its own pace. */
function handleClientConnection(node: ReceiverNode, socket: Socket): void {
  const { connections, log } = node;
  connections.add(socket);
  socket.on("close", () => connections.delete(socket));
  socket.on("error", (error) => log.debug(`connection lost: ${error.message}`));
  socket.on("drain", () => socket.resume());
  socket.on("end", async () => {
    await Promise.all(node.inProgress.values());
    socket.end();
  });
  if (connections.size > MAX_CONNECTIONS) {
    refuse(socket, "busy", `Cannot take more than ${MAX_CONNECTIONS} connections: try again later`);
    return;
  }
  const readFrames = createFrameReader((line) => {
    if (socket.writableEnded) return; // it was refused already
    const frame = readJson(MessageSchema, line);
    if ("value" in frame) handleMessage(node, socket, frame.value);
    else refuse(socket, "bad_frame", `Cannot read message: ${frame.problem}`);
  });
  socket.on("data", (chunk) => {
    try {
      readFrames(chunk);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      refuse(socket, error.code, error.message);
    }
  });
}

/** Processes a message and answers an ack, unless the coin says otherwise. */
async function handleMessage(node: ReceiverNode, socket: Socket, message: Message): Promise<void> {
  const { id, attempt, from, clock: heard } = message;
  const { processed, inProgress, trace, options } = node;
  const duplicate = processed.has(id);
  trace.tell("received", { message: id, attempt, receiver: node.id, from, heard, duplicate });

  if (duplicate) {
    await inProgress.get(id);
    return sendAck(node, socket, message, true);
  }
  if (inProgress.size >= MAX_IN_PROGRESS) {
    return refuse(
      socket,
      "busy",
      `Cannot process more than ${MAX_IN_PROGRESS} messages at once: try again later`,
    );
  }
  const fault = node.tossCoin();
  if (fault !== undefined) trace.tell("fault", { message: id, attempt, receiver: node.id, from, fault });
  if (fault === "silent") return;
  if (fault === "disconnect") return void socket.destroy();
  if (fault === "exit") process.exit(1); // no cleanup, no goodbye: discovery has to find out by itself

  processed.add(id);
  if (options.work > 0) {
    const work = delay(options.work, undefined, { ref: false }); // a stopped receiver doesn't finish it
    inProgress.set(id, work);
    await work;
    inProgress.delete(id);
  }
  const note = JSON.stringify(message.body.slice(0, 80));
  trace.tell("processed", { message: id, attempt, receiver: node.id, from, note });

  if (fault === "lost-ack") return;
  if (fault === "late-ack") await delay(options.lateBy, undefined, { ref: false });
  sendAck(node, socket, message, false);
}

function sendAck(node: ReceiverNode, socket: Socket, { id, attempt }: Message, duplicate: boolean): void {
  if (!socket.writable) return; // the client went away, and may ask again on another connection
  const receiver = node.id ?? "unregistered";
  const clock = node.trace.tell("acked", { message: id, attempt, receiver, duplicate });
  const flowing = writeFrame(socket, { type: "ack", id, receiver, duplicate, clock } satisfies Ack);
  if (!flowing) socket.pause(); // who doesn't read its acks gets no more of our memory
}

/** Says why, and closes the connection; what still comes in is thrown away. */
function refuse(socket: Socket, code: ErrorFrame["code"], message: string): void {
  if (!socket.writable) return;
  writeFrame(socket, { type: "error", code, message } satisfies ErrorFrame);
  socket.end();
  socket.removeAllListeners("data").resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** Leaves the group first, so that nobody is sent here any more; then closes all connections. */
export async function cleanup(node: ReceiverNode): Promise<void> {
  clearTimeout(node.nextHeartbeat);
  if (node.id !== undefined) {
    await node.discovery.leave(node.id).catch((error) => node.log.warn(error.message));
    node.trace.tell("left", { receiver: node.id });
  }
  node.server.close();
  for (const socket of node.connections) socket.destroy();
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("receiver", OPTIONS, argv, {
    about: "A processing node: gets a message, processes it, answers an ack.",
    example: "tsx receiver.ts --fault-rate 0.5 --work 1s",
  });
  checkOpenFiles(`start ${options.copies} copies`, options.copies);
  const name = `receiver-${randomBytes(3).toString("hex")}`;
  const log = createLog(name, options);
  const discovery = createDiscoveryApi(options.discovery);
  const outlets = await openOutlets(options);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  log.info(`fault rate ${options.faultRate} (${options.fault}), seed ${seed}`);

  const nodes: ReceiverNode[] = [];
  try {
    for (let copy = 0; copy < options.copies; copy++) {
      const trace = createTrace(copy === 0 ? name : `${name}.${copy}`, { log, outlets });
      const random = seededRandom(seed + copy);
      const tossCoin = createCoin({ rate: options.faultRate, faults: options.fault, random });
      const port = options.port === 0 ? 0 : options.port + copy;
      nodes.push(await startReceiver({ ...options, port }, { discovery, log, trace, tossCoin, signal }));
    }
    await waitForDiscoveryServer(discovery, { log, signal });
    await inLanes(LANES, nodes, registerReceiver);
    await untilAborted(signal);
  } finally {
    await inLanes(LANES, nodes, cleanup);
    log.info("stopped");
  }
  return 0;
}

await runIfMain(import.meta, main);

/*
$ tsx receiver.ts --seed 9
22:07:20 receiver-1ca034 info: fault rate 0.5 (silent), seed 9
22:07:21 receiver-1ca034 warn: waiting for discovery, asking again in 5s (…); start it with: tsx discovery.ts
22:07:26 receiver-1ca034 info: registered as 3bb83f3a, laptop:46841
22:07:32 receiver-1ca034 info: message b23bda8b, attempt 1, from client-1bc80b: crashed before processing it, no ack
22:07:37 receiver-1ca034 info: message b23bda8b, attempt 2, from client-1bc80b: processed "Hello Receiver!"
22:07:37 receiver-1ca034 info: message b23bda8b, attempt 2: acked

$ printf '{"type":"message","id":"1","body":"oi"}\n' | nc -N localhost 46841
{"type":"ack","id":"1","receiver":"3bb83f3a-6e50-4e42-8bb9-74313da2e446","duplicate":false,"clock":25}
*/
