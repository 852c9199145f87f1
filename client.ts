/**
 * A client: asks discovery who is in the group, sends a message to a receiver, and waits for its ack. When none
 * comes within 5 s it tries again, with the same message id, until one comes, also late, or its receiver is no longer in the group.
 *
 * What it can know is little. An ack says that the message was processed. No ack says nothing: the message may be
 * lost, the receiver may have crashed, the ack may be lost, or only be late. So there are three outcomes, not two:
 * acked; undelivered (there never was a connection, so it provably did not arrive); and unknown (it was sent).
 *
 *     tsx client.ts                                     asks what to do
 *     tsx client.ts --to 0 --message "olá"              sends to one, and ends
 *     tsx client.ts --to all --need majority            sends to the group; --to any: to whoever answers
 */
import { randomBytes } from "node:crypto";
import { isGone } from "./group/is_gone.ts";
import type { Result, SendOptions } from "./group/result.ts";
import { type Enough, sendToAll } from "./group/send_to_all.ts";
import { type NextReceiver, takeTurns } from "./group/take_turns.ts";
import { createDiscoveryApi, type DiscoveryApi } from "./lib/discovery_api.ts";
import * as links from "./lib/links.ts";
import type { Ack, Receiver } from "./lib/messages.ts";
import { waitForDiscoveryServer } from "./lib/wait_for_discovery.ts";
import { isAbort, pauseUntil, untilWoken } from "./plumbing/child_controller.ts";
import { createIds } from "./plumbing/ids.ts";
import * as kind from "./plumbing/kinds.ts";
import { inLanes } from "./plumbing/lanes.ts";
import { createLog, type Log } from "./plumbing/log.ts";
import { flag, option, optional, parseOptions, UsageError } from "./plumbing/options.ts";
import { TSX } from "./plumbing/printable.ts";
import { runIfMain } from "./plumbing/run.ts";
import * as prompt from "./terminal/prompt.ts";
import { createReport, type Report } from "./terminal/report.ts";
import { openScreen, type Screen } from "./terminal/screen.ts";
import { type Attempt, tellAck, tellFailure } from "./trace/acks.ts";
import { openOutlets, TRACE_OPTIONS } from "./trace/outlets.ts";
import { createTrace, type Trace } from "./trace/trace.ts";

export const OPTIONS = {
  discovery: option(kind.urls, "http://localhost:5000", "the discovery server, or several on one store"),
  "ack-timeout": option(kind.interval, "5s", "how long one attempt waits for its ack"),
  "link-delay": option(kind.durationUpTo(10), "0s", "a simulated distance: how long a frame is on its way"),
  attempts: optional(kind.whole(1), "how many attempts a message gets [default: no end]"),
  to: optional(kind.text, "a number of the list, an id or its beginning, any, or all [default: asks]"),
  message: option(prompt.BODY, "Hello Receiver!", "what is sent"),
  count: option(kind.whole(1, 1e9), "1", "with --to: how many messages"),
  concurrency: option(kind.whole(1, 1e5), "1", "with --to: how many of them are in flight at a time"),
  need: option(kind.wholeOr(1, ["majority", "all"]), "all", "with --to all: how many acks make it done"),
  json: flag("one result a line on stdout, as JSON"),
  ...TRACE_OPTIONS,
};

const PAUSE_MS = 1000; // while nothing answers at the receiver's port, one attempt a second is enough

export interface Client {
  name: string;
  discovery: DiscoveryApi;
  log: Log;
  trace: Trace;
  newId: () => string; // of a message
  links: links.Links;
  maxAttempts: number; // that a message gets; may be Infinity
}

interface Outgoing {
  sending: links.Sending;
  body: string;
  onAttempt: SendOptions["onAttempt"];
  startedAt: number;
  attempts: number;
  about: Attempt; // the last one
  wasSent: boolean; // once it was, it may have been processed, whatever comes after
}

export function createClient(given: Omit<Client, "links" | "newId"> & links.LinksOptions): Client {
  const { name, trace } = given;
  const onStrayAck = (ack: Ack, by: Receiver) => tellAck(trace, "ack ignored", { ack, by });
  return { ...given, newId: createIds(name), links: links.createLinks({ ...given, onStrayAck }) };
}

/** Who is in the group; waits for discovery when it is away. */
export async function discoverReceivers(client: Client, signal: AbortSignal): Promise<Receiver[]> {
  const { discovery, log, trace } = client;
  const { receivers } = await waitForDiscoveryServer(() => discovery.list({ signal }), { log, signal });
  trace.tell("listed", { note: `${receivers.length} in the group` });
  return receivers;
}

/** Sends one message, and tries again with the same id until it is acked, given up, or its receiver is gone. */
export async function sendMessage(
  client: Client,
  to: Receiver | NextReceiver,
  body: string,
  { signal, id = client.newId(), onAttempt }: SendOptions,
): Promise<Result> {
  const sending = links.startSending(client.links, id, signal);
  const startedAt = performance.now();
  const message: Outgoing = { sending, body, onAttempt, startedAt, attempts: 0, about: {}, wasSent: false };
  try {
    for (;;) {
      const receiver = typeof to === "function" ? await untilWoken(sending, to) : to;
      const triedAt = performance.now();
      const over = links.isOver(sending); // acked late or given up, between two attempts
      const end = over ?? (await sendOnce(client, message, receiver));
      if (!over && receiver) tellFailure(client.trace, message.about, end);
      if (end.how === "acked") return succeed(client, message, end);
      if (end.how === "cancelled" || message.attempts >= client.maxAttempts)
        return giveUp(client, message, end.reason);
      if (receiver === to && (await isGone(client.discovery, to, message)))
        return giveUp(client, message, `${end.reason}, and it is no longer in the group`, { gone: true });
      if (end.how === "timeout" || sending.acked) continue; // that was pause enough; or its ack came meanwhile
      const endsAt = triedAt + PAUSE_MS;
      onAttempt?.({ number: message.attempts, receiver, state: "pausing", endsAt, reason: end.reason });
      await untilWoken(sending, (wait) => pauseUntil(endsAt, wait));
    }
  } finally {
    links.endSending(sending);
  }
}

/** One attempt: sends, and waits for the ack until the timeout. */
function sendOnce(client: Client, message: Outgoing, receiver?: Receiver) {
  const { sending, body, onAttempt } = message;
  const number = ++message.attempts;
  if (receiver === undefined) return { how: "unreachable", reason: "nobody is in the group" } as const;
  const timeout = client.links.ackTimeoutMs;
  const about = { message: sending.id, attempt: number, receiver: receiver.id, timeout };
  message.about = about;
  const endsAt = performance.now() + timeout;
  onAttempt?.({ number, receiver, state: "connecting", endsAt });
  return links.tryOnce(client.links, sending, receiver, () => {
    const clock = client.trace.tell(message.wasSent ? "retried" : "sent", about);
    message.wasSent = true; // only now: there is a connection
    onAttempt?.({ number, receiver, state: "sent", endsAt });
    return { type: "message", id: sending.id, from: client.name, attempt: number, body, clock };
  });
}

function succeed({ trace }: Client, message: Outgoing, end: links.Acked): Result {
  const { attempts, startedAt, about } = message;
  tellAck(trace, "ack received", end, end.by.id === about.receiver ? attempts : undefined); // of a late one nobody knows
  const { id, duplicate } = end.ack;
  const ms = performance.now() - startedAt;
  return { id, receiver: end.by.id, outcome: "acked", attempts, ms, duplicate };
}

function giveUp({ trace }: Client, message: Outgoing, reason: string, more = {}): Result {
  const { sending, attempts, startedAt, wasSent } = message;
  const { receiver = "nobody" } = message.about;
  const what = { receiver, outcome: wasSent ? "unknown" : "undelivered" } as const;
  trace.tell("gave up", { message: sending.id, attempt: attempts || undefined, ...what, note: reason });
  return { id: sending.id, ...what, attempts, ms: performance.now() - startedAt, reason, ...more };
}

/** Sends to whom was chosen, and shows it. @returns whether it was acked as needed */
function sendTo(client: Client, report: Report, order: prompt.Order, signal: AbortSignal): Promise<boolean> {
  if (order.target === "all") return sendToGroup(client, report, order, signal);
  const to = order.target === "any" ? takeTurns((wait) => discoverReceivers(client, wait)) : order.target;
  return sendMessage(client, to, order.body, { signal, onAttempt: report.onAttempt }).then(report.show);
}

/** The same for `all`: the group as it is now. */
async function sendToGroup(client: Client, report: Report, order: prompt.Order, signal: AbortSignal) {
  const receivers = prompt.sortByName(await discoverReceivers(client, signal));
  const id = client.newId();
  const send = (to: Receiver, how: SendOptions) => sendMessage(client, to, order.body, { ...how, id });
  const onEnough = (enough: Enough) => void client.trace.tell("group acked", { message: id, ...enough });
  const how = { id, need: order.need, signal, onChange: report.onMembers, onEnough };
  return report.show(await sendToAll(receivers, send, how));
}

/** Lists, asks what to send to whom, sends, and lists again, until the user quits or the input ends. */
async function askAndSend(client: Client, report: Report, screen: Screen, options: Options) {
  const { message: body, need, discovery, signal } = options;
  const person = prompt.listenToPerson(screen, signal);
  for (let choice: prompt.Choice = "list"; choice !== "quit"; ) {
    const receivers = prompt.sortByName(await discoverReceivers(client, person.signal));
    if (choice !== "refresh" || receivers.length > 0) prompt.showReceivers(screen, receivers, discovery);
    choice = await prompt.askWhom(screen, receivers);
    if (typeof choice === "string") continue;
    const order = { body, ...choice, need };
    await person.during((wait) => sendTo(client, report, order, wait));
  }
  return true;
}

/** Without questions: sends what was asked for. @returns whether all of it was acked as needed */
async function sendAndEnd(client: Client, report: Report, options: Options): Promise<boolean> {
  const { to = "", message: body, count, concurrency, need, signal } = options;
  const receivers = prompt.sortByName(await discoverReceivers(client, signal));
  const choice = prompt.chooseTarget(receivers, to);
  if ("problem" in choice) throw new Error(`Cannot send: ${choice.problem}`);
  if (choice.body) throw new Error("Cannot send: --to takes no text; --message does");
  const order = { body, ...choice, need };
  let acked = 0;
  await inLanes(Math.min(concurrency, count), Array(count).keys(), () => {
    signal.throwIfAborted();
    return sendTo(client, report, order, signal).then((isAcked) => void (isAcked && acked++));
  });
  return acked === count;
}

type Options = ReturnType<typeof readOptions> & { signal: AbortSignal };

function readOptions(argv: readonly string[]) {
  const example = "client.ts --to 0 --count 7";
  const about = "A client: sends messages to the receivers of the group, until they are acked.";
  const options = parseOptions("client", OPTIONS, argv, { about, example });
  if (options.to !== undefined || options.count * options.concurrency === 1) return options;
  throw new UsageError(`Cannot start client: --count and --concurrency go with --to\nTry: ${TSX} ${example}`);
}

/** Runs a client. The demo gives it a screen of its own, which the logs of the others share. */
export async function main(argv: readonly string[], signal: AbortSignal, shared?: Screen): Promise<number> {
  const options = { ...readOptions(argv), signal };
  const asks = options.to === undefined;
  const output = options.json ? process.stderr : process.stdout;
  const screen = shared ?? openScreen({ output, ...(asks && { input: process.stdin }) });
  const name = `client-${randomBytes(3).toString("hex")}`;
  const log = createLog(name, { ...options, writeLine: (line) => screen.print(line, process.stderr) });
  const report = createReport(screen, options);
  const common = { name, log, groupFile: options.groupFile };
  const client = createClient({
    ...common,
    discovery: createDiscoveryApi(options.discovery, common),
    trace: createTrace(name, { log, outlets: await openOutlets(options) }),
    maxAttempts: options.attempts ?? Number.POSITIVE_INFINITY,
    ackTimeoutMs: options.ackTimeout,
    linkDelayMs: options.linkDelay,
  });
  try {
    client.trace.tell("started", {});
    const isDone = asks ? askAndSend(client, report, screen, options) : sendAndEnd(client, report, options);
    return (await isDone) ? 0 : 1;
  } catch (error) {
    if (!isAbort(error)) throw error;
    return asks ? 0 : 1;
  } finally {
    links.closeLinks(client.links);
    report.end();
    screen.close();
    client.trace.tell("stopped", {});
  }
}

await runIfMain(import.meta, main);

/* $ npx tsx client.ts --to 0        (from the first timeout on)
22:07:37 client-1bc80b info: message 1-1bc80b, attempt 1, to 3bb83f3a: no ack within 5s
22:07:37 client-1bc80b info: message 1-1bc80b, attempt 2: sent again to 3bb83f3a
acked by 3bb83f3a, after 2 attempts, in 5.0s
*/
