/**
 * A client: asks discovery who is in the group, sends a message to a receiver, and waits for its ack.
 * When none comes within 5 s it tries again, with the same message id, for ever, until one comes in time.
 *
 * What it can know is little. An ack says that the message was processed. No ack says nothing: the
 * message may be lost, the receiver may have crashed, the ack may be lost, or only be late. So there are
 * three outcomes, not two:
 * - acked
 * - undelivered: there never was a connection, so it provably did not arrive
 * - unknown: it was sent; it may or may not have been processed
 *
 *     tsx client.ts                                     asks what to do
 *     tsx client.ts --to 0 --message "olá"              sends to one, and ends
 *     tsx client.ts --to all --need majority            sends to the group
 *     tsx client.ts --to any                            sends to whoever answers
 */
import { randomBytes, randomUUID } from "node:crypto";
import { sendToAny, sendToGroup } from "./group/group.ts";
import {
  attemptOnce,
  type Client,
  closeLinks,
  createClient,
  explain,
  giveUp,
  pauseSince,
  reasonOf,
} from "./lib/attempt.ts";
import { createDiscoveryApi, DiscoveryError } from "./lib/discovery_api.ts";
import { hasLeft, listReceivers } from "./lib/membership.ts";
import type { Receiver } from "./lib/messages.ts";
import { waitForDiscoveryServer } from "./lib/wait_for_discovery.ts";
import { createLog, shortId } from "./plumbing/log.ts";
import * as option from "./plumbing/options.ts";
import { runIfMain } from "./plumbing/run.ts";
import {
  createSender,
  type GroupOptions,
  problemWithBody,
  type Sender,
  type SendOptions,
  type Target,
} from "./terminal/client_view.ts";
import { chooseTarget, converse } from "./terminal/conversation.ts";
import type { Result } from "./terminal/results.ts";
import { openScreen, type Screen } from "./terminal/screen.ts";
import { openOutlets } from "./trace/outlets.ts";
import { createTrace } from "./trace/trace.ts";

const OPTIONS = {
  discovery: option.url("http://localhost:5000", "the discovery server"),
  "ack-timeout": option.interval("5s", "how long one attempt waits for its ack"),
  attempts: option.optionalWhole(1, "how many attempts a message gets [default: no end]"),
  to: option.optionalText("a number of the list, an id or its beginning, any, or all [default: asks]"),
  message: option.text("Hello Receiver!", "what is sent"),
  count: option.whole("1", 1, "with --to: how many messages"),
  concurrency: option.whole("1", 1, "with --to: how many of them are in flight at a time"),
  need: option.need("all", "with --to all: how many acks make it done: a number, majority or all"),
  json: { type: "boolean" as const, default: false, describe: "one result a line on stdout, as JSON" },
  record: option.optionalText("a file that gets a JSON line for each event [default: none]"),
  monitor: option.optionalUrl("the monitor that gets each event [default: none]"),
  ...option.LOG_OPTIONS,
};

/** Who is in the group; waits for discovery when it is away. */
export async function discoverReceivers(client: Client, signal = client.signal): Promise<Receiver[]> {
  const { discovery, log } = client;
  for (;;) {
    try {
      const receivers = await listReceivers(client);
      client.trace.tell("listed", { note: `${receivers.length} in the group` });
      return receivers;
    } catch (error) {
      if (!(error instanceof DiscoveryError) || error.code !== "unreachable") throw error;
      await waitForDiscoveryServer(discovery, { log, signal });
    }
  }
}

/** The list as the user sees it, a line for each receiver. */
export function showReceivers(receivers: Receiver[], nowSeconds = Date.now() / 1000): string[] {
  if (receivers.length === 0) return ["No receiver is in the group yet. Start one with: tsx receiver.ts"];
  const address = ({ host, port }: Receiver) => `${host}:${port}`;
  const widest = Math.max(...receivers.map((receiver) => address(receiver).length));
  const lines = receivers.map((receiver, index) => {
    const seconds = Math.max(0, Math.round(nowSeconds - receiver.last_seen));
    const number = String(index).padStart(3);
    return `${number}: ${shortId(receiver.id)}  ${address(receiver).padEnd(widest)}  seen ${seconds}s ago`;
  });
  return ["Available receivers:", ...lines];
}

/** Sends one message, and tries again with the same id until it is acked, given up, or the receiver has left. */
export async function sendMessage(
  client: Client,
  receiver: Receiver,
  body: string,
  { signal, onAttempt, id = randomUUID() }: SendOptions & { id?: string },
): Promise<Result> {
  const startedAt = performance.now();
  let wasSent = false; // once it was, it may have been processed, whatever comes after
  let askedBefore: Promise<boolean> | undefined; // whether it has left; answered while an attempt waits

  for (let attempt = 1; ; attempt++) {
    const attemptedAt = performance.now();
    onAttempt?.(attempt, receiver);
    const got = await attemptOnce(client, receiver, { id, attempt, body });
    const result = { id, receiver: receiver.id, attempts: attempt, ms: performance.now() - startedAt };
    if (got.end === "acked") {
      const { receiver, duplicate } = got.ack;
      return { ...result, receiver, outcome: "acked", duplicate };
    }

    wasSent ||= got.end !== "unreachable";
    const lost = { ...result, outcome: wasSent ? ("unknown" as const) : ("undelivered" as const) };
    const reason = explain(client, got);
    if (signal.aborted) return giveUp(client, { ...lost, reason: reasonOf(signal) });
    if (attempt >= client.attempts) return giveUp(client, { ...lost, reason });

    const asking = hasLeft(client, receiver);
    if (await (got.end === "timeout" ? askedBefore : asking)) {
      return giveUp(client, {
        ...lost,
        left: true,
        reason: `${reason}, and the receiver has left the group`,
      });
    }
    askedBefore = asking;
    if (got.end !== "timeout") await pauseSince(attemptedAt, signal); // a timeout was pause enough
    if (signal.aborted) return giveUp(client, { ...lost, reason: reasonOf(signal) });
  }
}

/** Without questions: sends what was asked for, and says whether all of it was acked as needed. */
async function sendAndEnd(
  client: Client,
  sender: Sender,
  options: Options & { to: string },
): Promise<boolean> {
  const chosen = chooseTarget(await discoverReceivers(client), options.to);
  if ("problem" in chosen) throw new Error(`Cannot send: ${chosen.problem}`);
  client.signal.addEventListener("abort", () => closeLinks(client));
  let started = 0;
  let acked = 0;
  async function sendOneByOne(target: Target): Promise<void> {
    while (started < options.count && !client.signal.aborted) {
      started += 1;
      if (await sender.send(target, options.message, client.signal)) acked += 1;
    }
  }
  const lanes = Math.min(options.concurrency, options.count);
  await Promise.all(Array.from({ length: lanes }, () => sendOneByOne(chosen.target)));
  return acked === options.count;
}

/** Asks what to send to whom, until the user quits. */
async function askAndSend(client: Client, sender: Sender, screen: Screen, options: Options): Promise<void> {
  await converse(screen, {
    signal: client.signal,
    async list() {
      const receivers = await discoverReceivers(client);
      for (const line of showReceivers(receivers)) screen.print(line);
      return receivers;
    },
    async send(target, body = options.message, signal) {
      try {
        await sender.send(target, body, signal);
      } catch (error) {
        if (!client.signal.aborted) screen.print((error as Error).message);
      }
    },
    problemWith: problemWithBody,
    onGiveUp: () => closeLinks(client),
  });
}

function readOptions(argv: readonly string[]) {
  const example = "tsx client.ts --to 0 --ack-timeout 5s";
  const about = "A client: sends messages to the receivers of the group, until they are acked.";
  const options = option.parseOptions("client", OPTIONS, argv, { about, example });
  const problem = problemWithBody(options.message);
  if (problem) throw new option.UsageError(`Cannot start client: --message: ${problem}\nTry: ${example}`);
  if (options.to === undefined && options.count * options.concurrency > 1) {
    throw new option.UsageError(
      `Cannot start client: --count and --concurrency go with --to\nTry: ${example}`,
    );
  }
  return options;
}
type Options = ReturnType<typeof readOptions>;

/** Runs a client. The demo gives it a screen of its own, which the logs of the others share. */
export async function main(argv: readonly string[], signal: AbortSignal, shared?: Screen): Promise<number> {
  const options = readOptions(argv);
  const { to, need } = options;
  const output = options.json ? process.stderr : process.stdout;
  const screen = shared ?? openScreen({ output, ...(to === undefined ? { input: process.stdin } : {}) });
  const name = `client-${randomBytes(3).toString("hex")}`;
  const log = createLog(name, { ...options, writeLine: (line) => screen.print(line, process.stderr) });
  const client = createClient(name, {
    discovery: createDiscoveryApi(options.discovery),
    log,
    trace: createTrace(name, { log, outlets: await openOutlets(options) }),
    ackTimeoutMs: options.ackTimeout,
    attempts: options.attempts ?? Number.POSITIVE_INFINITY,
    signal,
  });
  try {
    await waitForDiscoveryServer(client.discovery, { log, signal });
    const discover = (signal: AbortSignal) => discoverReceivers(client, signal);
    const delivery = {
      toOne: (receiver: Receiver, body: string, how: SendOptions) => sendMessage(client, receiver, body, how),
      toAny: (body: string, how: SendOptions) => sendToAny(client, body, { ...how, discover }),
      toGroup: (body: string, how: GroupOptions) =>
        sendToGroup(client, body, { ...how, discover, sendMessage, need }),
    };
    const sender = createSender(delivery, { ...options, screen, ackTimeoutMs: client.ackTimeoutMs });
    let allAcked = true;
    if (to === undefined) await askAndSend(client, sender, screen, options);
    else allAcked = await sendAndEnd(client, sender, { ...options, to });
    sender.summarize();
    return allAcked ? 0 : 1;
  } catch (error) {
    if (to !== undefined && signal.aborted) return 1; // stopped before anything was acked
    throw error;
  } finally {
    closeLinks(client);
    screen.close();
  }
}

await runIfMain(import.meta, main);
/*
$ tsx client.ts
Available receivers:
  0: 3bb83f3a  laptop:46841  seen 6s ago
Choose a receiver to send a message to (number or id, "all", Enter lists again, q quits): 0
22:07:32 client-1bc80b info: message b23bda8b, attempt 1: sent to 3bb83f3a
22:07:37 client-1bc80b info: message b23bda8b, attempt 1, to 3bb83f3a: no ack within 5s
22:07:37 client-1bc80b info: message b23bda8b, attempt 2: sent again to 3bb83f3a
acked by 3bb83f3a, after 2 attempts, in 5.0s

$ tsx client.ts --to all --log-level warn        (of five receivers the last one has --fault lost-ack)
acked by a4cab0c7, after 1 attempt, in 4.4ms
acked by 229f7d06, after 1 attempt, in 8.1ms
acked by b5876e2a, after 1 attempt, in 12.8ms
acked by a308a3a4, after 1 attempt, in 13.2ms
acked by 495ef03d, after 2 attempts, in 5.1s (a duplicate: processed at an earlier attempt)
group acked: 5 acked, 5 needed; in 5.1s
…
*/
