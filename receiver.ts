/**
 * A receiver: a processing node. It waits for messages, processes each one and answers an ack.
 *
 * By design it "crashes" on half of them: no answer, and the connection stays open, as closing it would tell the
 * client at once. It can then only wait until its timeout, and try again, with the same id: a message that was processed
 * already is acked again, as a duplicate, not processed twice. Clients talk to it over TCP, a JSON object a line.
 *
 *     tsx receiver.ts --fault-rate 0             without faults; --seed 7: the same ones each time; --plan ok,lost-ack
 */
import { randomBytes } from "node:crypto";
import type { Server, Socket } from "node:net";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { createDiscoveryApi, type DiscoveryApi, DiscoveryError } from "./lib/discovery_api.ts";
import { refuse, sendFrame, serveFrames } from "./lib/framing.ts";
import { type Ack, isMessage, type Message, MessageSchema } from "./lib/messages.ts";
import { waitForDiscoveryServer } from "./lib/wait_for_discovery.ts";
import { MAX_OVER_TLS } from "./plumbing/group_file.ts";
import { createIntake, type Guest } from "./plumbing/intake.ts";
import * as kind from "./plumbing/kinds.ts";
import { inLanes } from "./plumbing/lanes.ts";
import { listen } from "./plumbing/listen.ts";
import { createLog } from "./plumbing/log.ts";
import { connectionsFor, problemWithOpenFiles } from "./plumbing/open_files.ts";
import { option, optional, parseOptions, UsageError } from "./plumbing/options.ts";
import { onOrder } from "./plumbing/orders.ts";
import { quoted } from "./plumbing/printable.ts";
import { readJson } from "./plumbing/read_json.ts";
import { createRecentIds, type RecentIds } from "./plumbing/recent_ids.ts";
import { runIfMain, untilAborted } from "./plumbing/run.ts";
import { seededRandom } from "./plumbing/seeded_random.ts";
import { createSocketServer, type SocketServerOptions } from "./plumbing/socket_server.ts";
import { openOutlets, sayLastWords, TRACE_OPTIONS } from "./trace/outlets.ts";
import { createTrace, type Trace } from "./trace/trace.ts";

/** What can go wrong with a message, by chance, so that the class sees what a failure looks like. */
export const FAULTS = {
  silent: "crashed before processing it, no ack",
  lost: "lost on its way, nothing was received",
  "lost-ack": "its ack will be lost",
  "late-ack": "its ack will be late",
  disconnect: "closed the connection before processing it",
  exit: "the process dies before processing it",
};
export type Fault = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as Fault[];
export type Planned = Fault | "ok";

export const OPTIONS = {
  discovery: option(kind.urls, "http://localhost:5000", "the discovery server, or several on one store"),
  name: optional(kind.label, "what it is called, in logs and pictures [default: receiver-…]"),
  "advertise-host": option(kind.text, hostname(), "the host name by which clients reach it"),
  port: option(kind.port, "0", "the port it listens on; 0: one that the system picks"),
  "heartbeat-every": option(kind.interval, "10s", "how often it tells discovery that it is alive"),
  work: option(kind.duration, "0s", "how long processing one message takes"),
  "fault-rate": option(kind.chance, "0.5", "the chance that a message meets a fault"),
  fault: option(kind.wordsOf(FAULT_NAMES), "silent", `which, comma separated: ${FAULT_NAMES.join(", ")}`),
  seed: optional(kind.whole(0), "the same seed gives the same faults in the same order [default: random]"),
  plan: optional(kind.wordsOf(["ok", ...FAULT_NAMES]), "what the first messages meet, in order"),
  "late-by": option(kind.duration, "7s", "with --fault late-ack: how late"),
  copies: option(kind.whole(1), "1", "so many receivers in this one process"),
  ...TRACE_OPTIONS,
};

const MAX_CONNECTIONS = 1000; // of one receiver
const LANES = 50; // so many copies register, or leave, at a time

/** What a receiver is given to work with. */
export interface ReceiverOptions extends SocketServerOptions {
  name: string;
  advertiseHost: string;
  port: number; // where it listens
  heartbeatEveryMs: number;
  workMs: number;
  lateByMs: number;
  discovery: DiscoveryApi;
  trace: Trace;
  tossCoin: () => Fault | undefined; // once for each message that was not processed yet
  signal: AbortSignal; // ends every wait
}

/** And what it keeps itself. */
export interface ReceiverNode extends ReceiverOptions {
  id?: string; // given by discovery, a new one each time that it registers
  server: Server;
  connections: Set<Socket>;
  inProgress: Map<string, Promise<void>>; // what is being processed, by message id
  processed: RecentIds; // of messages that were processed, or are being
}

/** Listens for clients. It isn't in the group yet: see {@linkcode registerReceiver}. */
export async function startReceiver(options: ReceiverOptions): Promise<ReceiverNode> {
  const server = await createSocketServer(options, (socket) => handleClientConnection(node, socket));
  const ids = { inProgress: new Map(), processed: createRecentIds() };
  const node: ReceiverNode = { ...options, server, connections: new Set(), ...ids };
  node.port = await listen(server, options.port);
  return node;
}

/** Joins the group; waits for discovery as long as it isn't there. */
export async function registerReceiver(node: ReceiverNode): Promise<void> {
  const { discovery, log, signal, trace, name, advertiseHost: host, port } = node;
  node.id = await waitForDiscoveryServer(() => discovery.register({ host, port, name }), { log, signal });
  trace.tell("joined", { receiver: node.id, note: `${host}:${port}` });
}

/** Renews the lease. @returns false when discovery doesn't know us any more, by a restart for example */
function sendHeartbeat({ id = "", discovery, log, signal }: ReceiverNode): Promise<boolean> {
  log.debug("heartbeat");
  return discovery.heartbeat(id, { signal });
}

/** Keeps the lease, until the signal ends it. */
export async function stayRegistered(node: ReceiverNode): Promise<void> {
  const { heartbeatEveryMs, log, signal } = node;
  while (!signal.aborted) {
    await delay(heartbeatEveryMs, undefined, { ref: false }); // 10,000 listeners of one signal would be dear
    try {
      if (signal.aborted || (await sendHeartbeat(node))) continue;
      log.warn("discovery doesn't know this receiver any more, registering again");
      await registerReceiver(node);
    } catch (error) {
      if (!(error instanceof DiscoveryError)) throw error;
      log.warn(`${error.message}; the next heartbeat tries again`);
    }
    if (signal.aborted) await cleanup(node); // stopped while discovery wrote us down
  }
}

/** Reads the frames of one client. Any number of clients are served at once, each at its own pace. */
function handleClientConnection(node: ReceiverNode, socket: Socket): void {
  const { connections, intake, log } = node;
  connections.add(socket);
  socket.on("close", () => connections.delete(socket));
  socket.on("error", (error) => log.debug(`connection lost: ${error.message}`));
  serveFrames(socket, {
    intake,
    onFrame(line, peer) {
      const frame = readJson(MessageSchema, line, isMessage);
      if ("problem" in frame) return void refuse(peer, "bad_frame", `Cannot read message: ${frame.problem}`);
      const { id, attempt, from, clock: heard, body } = frame.value;
      return handleMessage(node, peer, { id, attempt, from, heard, note: quoted(body) });
    },
    onUnfinished: (text) => log.warn(`got ${quoted(text)} and no newline after it: no frame, no ack`),
  });
}

/** What is kept of a message while it is in work: its body is not, that may be large. */
type Work = Pick<Message, "id" | "attempt" | "from"> & { heard: number | undefined; note: string };

/** Processes a message and answers an ack, unless the coin says otherwise. */
async function handleMessage(node: ReceiverNode, peer: Guest, work: Work): Promise<void> {
  const { id, attempt, from, heard, note } = work;
  const { inProgress, processed, trace } = node;
  const duplicate = processed.has(id);
  const fault = duplicate ? undefined : node.tossCoin();
  // Written out each time: to spread what is the same in all of them took a third of the receiver's time.
  if (fault !== "lost")
    trace.tell("received", { message: id, attempt, receiver: node.id, from, heard, duplicate });
  if (duplicate) {
    await inProgress.get(id);
    return sendAck(node, peer, work, true);
  }
  if (fault)
    trace.tell("fault", { message: id, attempt, receiver: node.id, from, fault, note: FAULTS[fault] });
  if (fault === "lost" || fault === "silent") return;
  if (fault === "disconnect") return void peer.socket.destroy();
  // No cleanup, no goodbye: discovery has to find out by itself. Only the class may see it.
  if (fault === "exit") return sayLastWords().finally(() => process.exit(1));

  processed.add(id); // before the work, so that a retry meanwhile is a duplicate
  if (node.workMs > 0) {
    const done = delay(node.workMs, undefined, { ref: false }); // a stopped receiver doesn't finish it
    inProgress.set(id, done);
    await done;
    inProgress.delete(id);
  }
  trace.tell("processed", { message: id, attempt, receiver: node.id, from, note });
  if (fault === "lost-ack") return;
  if (fault === "late-ack") await delay(node.lateByMs, undefined, { ref: false });
  sendAck(node, peer, work, false);
}

function sendAck(node: ReceiverNode, peer: Guest, { id, attempt }: Work, duplicate: boolean): void {
  if (!peer.socket.writable) return; // the client went away, and may ask again on another connection
  const clock = node.trace.tell("acked", { message: id, attempt, receiver: node.id, duplicate });
  const receiver = node.id ?? node.name; // asked under its address before it has registered
  sendFrame(peer, { type: "ack", id, receiver, duplicate, clock } satisfies Ack);
}

/** Makes the coin: each toss says which fault a message meets, if any. It uses up the plan first, which may grow meanwhile. */
export function createCoin(rate: number, faults: Fault[], random: () => number, plan: Planned[] = []) {
  onOrder("next", (next: Planned) => void plan.push(next)); // the desk of a class has a say
  onOrder("rate", (given: number) => {
    rate = given;
  });
  return function tossCoin(): Fault | undefined {
    const planned = plan.shift();
    if (planned) return planned === "ok" ? undefined : planned;
    if (rate === 0 || random() >= rate) return undefined;
    return faults[Math.floor(random() * faults.length)];
  };
}

/** Leaves the group first, so that nobody sends here any more; then closes all connections. */
export async function cleanup(node: ReceiverNode): Promise<void> {
  const { id, discovery, log, trace, advertiseHost, port } = node;
  const note = `${advertiseHost}:${port}`;
  try {
    if (id && (await discovery.leave(id))) trace.tell("left", { receiver: id, note });
  } catch (error) {
    log.warn((error as Error).message);
  }
  node.server.close();
  for (const socket of node.connections) socket.destroy();
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("receiver", OPTIONS, argv, {
    about: "A processing node: gets a message, processes it, answers an ack.",
    example: "receiver.ts --fault-rate 0.5 --work 1s",
  });
  const { advertiseHost, heartbeatEvery, work, lateBy, faultRate, fault, plan = [], copies } = options;
  const sockets = copies + Math.min(copies, LANES); // that listen, and that ask discovery
  const problem = problemWithOpenFiles(`start ${copies} copies`, sockets + 1);
  if (problem) throw new UsageError(problem);
  const name = options.name ?? `receiver-${randomBytes(3).toString("hex")}`;
  const log = createLog(name, options);
  const outlets = await openOutlets(options);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  log.info(`${plan.length > 0 ? `plan ${plan}, then ` : ""}fault rate ${faultRate} (${fault}), seed ${seed}`);
  const times = { heartbeatEveryMs: heartbeatEvery, workMs: work, lateByMs: lateBy };
  const { groupFile } = options;
  const discovery = createDiscoveryApi(options.discovery, { log, groupFile });
  const intake = createIntake(connectionsFor(copies * (groupFile ? MAX_OVER_TLS : MAX_CONNECTIONS), sockets));
  const shared = { advertiseHost, ...times, discovery, groupFile, intake, log, signal };

  const nodes: ReceiverNode[] = [];
  try {
    for (let copy = 0; copy < copies; copy++) {
      const own = copy === 0 ? name : `${name}.${copy}`;
      const trace = createTrace(own, { log, outlets });
      const tossCoin = createCoin(faultRate, fault, seededRandom(seed + copy), [...plan]);
      const port = options.port === 0 ? 0 : options.port + copy;
      nodes.push(await startReceiver({ ...shared, name: own, port, trace, tossCoin }));
    }
    await inLanes(LANES, nodes, async (node) => {
      await registerReceiver(node);
      stayRegistered(node); // nobody waits for it: it goes on until the signal
    });
    await untilAborted(signal);
    return 0;
  } finally {
    await inLanes(LANES, nodes, cleanup);
    log.info("stopped");
  }
}

await runIfMain(import.meta, main);
