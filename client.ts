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
 *     tsx client.ts --to 0 --message "olá"              sends, and ends
 *     tsx client.ts --to 0 --count 1000 --concurrency 8 --json
 */
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createDiscoveryApi, type DiscoveryApi, DiscoveryError } from "./lib/discovery_api.ts";
import { MAX_FRAME_BYTES } from "./lib/framing.ts";
import { type AttemptEnd, createLink, type Link } from "./lib/link.ts";
import { createLog, type Log, shortId } from "./lib/log.ts";
import type { Receiver } from "./lib/messages.ts";
import {
  interval,
  LOG_OPTIONS,
  optionalText,
  optionalWhole,
  parseOptions,
  text,
  UsageError,
  url,
  whole,
} from "./lib/options.ts";
import { createTally, type Result, showResult } from "./lib/results.ts";
import { runIfMain } from "./lib/run.ts";
import { openScreen, type Screen } from "./lib/screen.ts";
import { waitForDiscoveryServer } from "./lib/wait_for_discovery.ts";

const OPTIONS = {
  discovery: url("http://localhost:5000", "the discovery server"),
  "ack-timeout": interval("5s", "how long one attempt waits for its ack"),
  attempts: optionalWhole(1, "how many attempts a message gets [default: no end]"),
  to: optionalText("a number of the list, an id or its beginning [default: asks]"),
  message: text("Hello Receiver!", "what is sent"),
  count: whole("1", 1, "with --to: how many messages"),
  concurrency: whole("1", 1, "with --to: how many of them are in flight at a time"),
  json: { type: "boolean" as const, default: false, describe: "one result a line on stdout, as JSON" },
  ...LOG_OPTIONS,
};

/** While nothing answers at the receiver's port, one attempt a second is enough. */
const PAUSE_AFTER_FAILURE_MS = 1000;
/** What a frame has besides its body fits in 1 KiB. */
const MAX_BODY_BYTES = MAX_FRAME_BYTES - 1024;
const TOO_LONG = `a message has at most ${MAX_BODY_BYTES} bytes`;

export interface Client {
  name: string;
  discovery: DiscoveryApi;
  log: Log;
  ackTimeoutMs: number;
  /** How many attempts a message gets; may be Infinity. */
  attempts: number;
  /** Ends the program. */
  signal: AbortSignal;
  /** One connection per receiver, by host:port. */
  links: Map<string, Link>;
}

/** Who is in the group; waits for discovery when it is away. */
export async function discoverReceivers({ discovery, log, signal }: Client): Promise<Receiver[]> {
  for (;;) {
    try {
      return await discovery.list();
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

/** Finds the receiver that the user means: by its number in the list, or by its id or the beginning of it. */
export function chooseReceiver(
  receivers: Receiver[],
  choice: string,
): { receiver: Receiver } | { problem: string } {
  const byNumber = /^\d{1,6}$/.test(choice) ? receivers[Number(choice)] : undefined;
  if (byNumber) return { receiver: byNumber };
  const byId = receivers.filter(({ id }) => id.startsWith(choice.toLowerCase()));
  const [first] = byId;
  // Fewer than four digits are a number for sure, even if an id happens to begin with them.
  if (first && byId.length === 1 && !/^\d{1,3}$/.test(choice)) return { receiver: first };
  if (byId.length > 1 && !/^\d+$/.test(choice))
    return { problem: `${byId.length} ids begin with "${choice}": type more of it` };
  if (receivers.length === 0)
    return { problem: "No receiver is in the group: start one with: tsx receiver.ts" };
  return {
    problem: `There is no receiver "${choice}": give a number from 0 to ${receivers.length - 1}, or an id`,
  };
}

export interface SendMessageOptions {
  /** Gives the message up, at the end of the attempt under way; {@linkcode closeLinks} ends that too. */
  signal: AbortSignal;
  /** Is told at the start of each attempt. */
  onAttempt?: (attempt: number) => void;
}

/** Sends one message, and tries again with the same id until it is acked, given up, or the receiver has left. */
export async function sendMessage(
  client: Client,
  receiver: Receiver,
  body: string,
  { signal, onAttempt }: SendMessageOptions,
): Promise<Result> {
  const { log, ackTimeoutMs } = client;
  const verbose = log.isLevelEnabled("info"); // at `warn`, formatting would cost more than the message
  const id = randomUUID();
  const startedAt = performance.now();
  let wasSent = false; // once it was, it may have been processed, whatever comes after

  for (let attempt = 1; ; attempt++) {
    const sentAt = performance.now();
    onAttempt?.(attempt);
    if (verbose) log.info(`message ${shortId(id)}, attempt ${attempt}: to ${shortId(receiver.id)}`);
    const message = { type: "message" as const, id, from: client.name, attempt, body };
    const got = await linkTo(client, receiver).attempt(message, ackTimeoutMs);
    const ms = Math.round((performance.now() - startedAt) * 1000) / 1000;
    const result = { id, receiver: receiver.id, attempts: attempt, ms };
    if (got.end === "acked") return { ...result, outcome: "acked", duplicate: got.ack.duplicate };

    wasSent ||= got.end !== "unreachable";
    const outcome = wasSent ? "unknown" : "undelivered";
    const reason = explain(got, ackTimeoutMs);
    if (signal.aborted) return { ...result, outcome, reason: "given up" };
    if (verbose) log.info(`message ${shortId(id)}, attempt ${attempt}: ${reason}`);
    if (attempt >= client.attempts) return { ...result, outcome, reason };
    if (got.end === "timeout") continue; // at once: it has waited already

    if (await hasLeft(client, receiver)) {
      return { ...result, outcome, reason: `${reason}, and the receiver has left the group` };
    }
    const pause = Math.max(0, PAUSE_AFTER_FAILURE_MS - (performance.now() - sentAt));
    await delay(pause, undefined, { signal }).catch(() => {});
    if (signal.aborted) return { ...result, outcome, reason: "given up" };
  }
}

function explain(got: Exclude<AttemptEnd, { end: "acked" }>, ackTimeoutMs: number): string {
  if (got.end === "timeout") return `no ack within ${ackTimeoutMs / 1000}s`;
  return got.end === "lost" ? `connection lost (${got.reason})` : `not reached (${got.reason})`;
}

/** When discovery doesn't answer, nobody can say that a receiver left. */
async function hasLeft({ discovery }: Client, { id, host, port }: Receiver): Promise<boolean> {
  try {
    const receivers = await discovery.list();
    return !receivers.some((other) => other.id === id || (other.host === host && other.port === port));
  } catch {
    return false;
  }
}

function linkTo({ links }: Client, { host, port }: Receiver): Link {
  const address = `${host}:${port}`;
  const link = links.get(address) ?? createLink({ host, port });
  links.set(address, link);
  return link;
}

/** Ends every attempt under way; the next one opens its connection again. */
function closeLinks({ links }: Client): void {
  for (const link of links.values()) link.close();
}

/** The conversation: lists, asks, sends, and lists again, until the user quits. */
async function askAndSend(client: Client, screen: Screen, options: ClientOptions): Promise<void> {
  let sending: AbortController | undefined;
  function giveUp() {
    sending?.abort();
    closeLinks(client);
  }
  screen.onInterrupt(() => (sending ? giveUp() : screen.close()));
  client.signal.addEventListener("abort", () => {
    giveUp();
    screen.close();
  });

  for (;;) {
    const receivers = await discoverReceivers(client);
    for (const line of showReceivers(receivers)) screen.print(line);
    const asked = await askReceiver(screen, receivers);
    if (asked === "quit") return;
    if (asked === "list") continue;

    sending = new AbortController();
    let waitingFor = "";
    let deadline = 0;
    screen.showLive(() => {
      const left = Math.max(0, deadline - performance.now()) / 1000;
      return `  ${waitingFor}, ${left.toFixed(1)}s left (Ctrl-C gives up) `;
    });
    const result = await sendMessage(client, asked.receiver, asked.body ?? options.message, {
      signal: sending.signal,
      onAttempt(attempt) {
        waitingFor = `attempt ${attempt}, waiting for the ack of ${shortId(asked.receiver.id)}`;
        deadline = performance.now() + client.ackTimeoutMs;
      },
    });
    sending = undefined;
    screen.showLive(undefined);
    sayResult(screen, result, options);
    if (client.signal.aborted) return;
  }
}

/** Asks until the answer makes sense. */
async function askReceiver(screen: Screen, receivers: Receiver[]) {
  const prompt = "Choose a receiver to send a message to (number or id, Enter lists again, q quits): ";
  for (;;) {
    const line = (await screen.ask(prompt))?.trim();
    if (line === undefined || line === "q") return "quit";
    if (line === "") return "list";
    const [, choice = "", body] = line.match(/^(\S+)\s*(.*)$/) ?? [];
    const chosen = chooseReceiver(receivers, choice);
    if ("problem" in chosen) screen.print(chosen.problem);
    else if (body && isTooLong(body)) screen.print(TOO_LONG);
    else return { receiver: chosen.receiver, body: body || undefined };
  }
}

/** Without questions: sends what was asked for, and says whether all of it was acked. */
async function sendAndEnd(
  client: Client,
  screen: Screen,
  options: ClientOptions & { to: string },
): Promise<boolean> {
  const chosen = chooseReceiver(await discoverReceivers(client), options.to);
  if ("problem" in chosen) throw new Error(`Cannot send: ${chosen.problem}`);
  const { signal } = client;
  signal.addEventListener("abort", () => closeLinks(client));

  const tally = createTally();
  screen.showLive(() => `  ${tally.show()} `);
  let started = 0;
  async function sendOneByOne(receiver: Receiver): Promise<void> {
    while (started < options.count && !signal.aborted) {
      started += 1;
      const result = await sendMessage(client, receiver, options.message, { signal });
      tally.add(result);
      if (options.json || options.count === 1 || result.outcome !== "acked")
        sayResult(screen, result, options);
    }
  }
  const lanes = Math.min(options.concurrency, options.count);
  await Promise.all(Array.from({ length: lanes }, () => sendOneByOne(chosen.receiver)));
  screen.showLive(undefined);
  if (options.count > 1) screen.print(tally.show());
  return started === options.count && tally.allAcked();
}

function sayResult(screen: Screen, result: Result, { json }: ClientOptions): void {
  if (json) screen.print(JSON.stringify(result), process.stdout);
  else screen.print(showResult(result));
}

function isTooLong(body: string): boolean {
  return Buffer.byteLength(JSON.stringify(body)) > MAX_BODY_BYTES;
}

function readOptions(argv: readonly string[]) {
  const options = parseOptions("client", OPTIONS, argv, {
    about: "A client: sends messages to the receivers of the group, until they are acked.",
    example: "tsx client.ts --to 0 --ack-timeout 5s",
  });
  if (isTooLong(options.message)) throw new UsageError(`Cannot start client: --message: ${TOO_LONG}`);
  if (options.to === undefined && options.count * options.concurrency > 1) {
    throw new UsageError(
      "Cannot start client: --count and --concurrency go with --to\nTry: tsx client.ts --to 0 --count 7",
    );
  }
  return options;
}
type ClientOptions = ReturnType<typeof readOptions>;

/** Runs a client. The demo gives it a screen of its own, which the logs of the others share. */
export async function main(argv: readonly string[], signal: AbortSignal, shared?: Screen): Promise<number> {
  const options = readOptions(argv);
  const { to } = options;
  const output = options.json ? process.stderr : process.stdout;
  const screen = shared ?? openScreen({ output, ...(to === undefined ? { input: process.stdin } : {}) });
  const name = `client-${randomBytes(2).toString("hex")}`;
  const log = createLog(name, { ...options, writeLine: (line) => screen.print(line, process.stderr) });
  const client: Client = {
    name,
    discovery: createDiscoveryApi(options.discovery),
    log,
    ackTimeoutMs: options.ackTimeout,
    attempts: options.attempts ?? Number.POSITIVE_INFINITY,
    signal,
    links: new Map(),
  };
  try {
    await waitForDiscoveryServer(client.discovery, { log, signal });
    if (to !== undefined) return (await sendAndEnd(client, screen, { ...options, to })) ? 0 : 1;
    await askAndSend(client, screen, options);
    return 0;
  } finally {
    closeLinks(client);
    screen.close();
  }
}

await runIfMain(import.meta, main);

/*
$ tsx client.ts
Available receivers:
  0: c893da25  laptop:46347  seen 3s ago
Choose a receiver to send a message to (number or id, Enter lists again, q quits): 0
21:24:59 client-5743 info: message a7b82ffb, attempt 1: to c893da25
21:25:04 client-5743 info: message a7b82ffb, attempt 1: no ack within 5s
21:25:04 client-5743 info: message a7b82ffb, attempt 2: to c893da25
acked by c893da25, after 2 attempts, in 5.0s
*/
