/**
 * Chaos: a group whose receivers have every fault there is, are killed and stopped, whose discovery is
 * killed, and whose network is cut, slowed and made to lose one direction, while clients send to one, to
 * any and to all. Then the faults end, everything must be acked, and the checker reads the records.
 *
 *     npm run test:chaos -- --seed 7 --seconds 60
 *
 * The seed decides what is done to whom and when; how the processes run in between is the system's, so a
 * seed gives the same weather, not the same run. What fails keeps its records and says where.
 */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { discoverReceivers, sendMessage } from "../client.ts";
import { sendToAny, sendToGroup, TooFewReceivers } from "../group/group.ts";
import { type Client, closeLinks, createClient } from "../lib/attempt.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { FAULTS, seededRandom } from "../lib/faults.ts";
import { findFreePort } from "../plumbing/listen.ts";
import { optionalWhole, parseOptions, text, whole } from "../plumbing/options.ts";
import { runIfMain } from "../plumbing/run.ts";
import type { Target } from "../terminal/client_view.ts";
import type { GroupResult, Result } from "../terminal/results.ts";
import { checkRecord, type RecordedEvent, readRecord, type Verdict } from "../trace/check_record.ts";
import { openRecord } from "../trace/record.ts";
import { createTrace } from "../trace/trace.ts";
import { keptLog, type Role, startRole, stopRole, until } from "./helpers.ts";
import { startNetwork, type Weather } from "./tcp_proxy.ts";

const TARGETS = ["one", "any", "all", "all"] as const; // what each of the clients sends to
const LANES = 8; // messages that a client has under way
const PACE_MS = 50; // between two messages of a lane
const CALM_TIMEOUT_MS = 60_000; // for what is under way when the faults end
const WEATHERS: Weather[] = ["cut", "slow", "lose requests", "lose answers"];

export interface ChaosOptions {
  seed: number;
  /** How long the faults last. */
  seconds: number;
  /** How many receivers. @default {8} */
  size?: number;
  /** The receiver's script; a broken one shows that the checker finds it. @default "receiver.ts" */
  receiver?: string;
}

export interface ChaosResult {
  verdict: Verdict;
  /** Of the messages that were sent after the faults had ended: those that were not acked. */
  unacked: string[];
  counts: Record<string, number>;
  /** Where the records are. */
  folder: string;
}

export async function runChaos({
  seed,
  seconds,
  size = 8,
  receiver = "receiver.ts",
}: ChaosOptions): Promise<ChaosResult> {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const folder = mkdtempSync(join(tmpdir(), `chaos-${seed}-`));
  const counts = { kills: 0, deaths: 0, stops: 0, "discovery kills": 0, cuts: 0, slow: 0, "one way": 0 };
  let started = 0;
  let isOver = false;

  // Discovery, on a port that it gets back after each kill.
  const port = await findFreePort();
  const startDiscovery = () =>
    startRole("discovery.ts", [
      "--host",
      "127.0.0.1",
      "--port",
      `${port}`,
      "--receiver-ttl",
      "2s",
      "--sweep-every",
      "500ms",
    ]);
  let discovery = startDiscovery();
  await discovery.says(/listening/);
  const api = createDiscoveryApi(`http://127.0.0.1:${port}`);
  const network = await startNetwork(api.url);

  // Receivers. One that dies is started again, as Compose does.
  const receivers: Role[] = [];
  function startReceiver(place: number, faultRate: string) {
    const role = startRole(receiver, [
      ...["--discovery", api.url, "--advertise-host", "127.0.0.1", "--heartbeat-every", "500ms"],
      ...["--fault", FAULTS.join(","), "--fault-rate", faultRate, "--seed", `${seed * 1000 + started}`],
      ...["--late-by", "600ms", "--log-level", "warn", "--record", join(folder, `receiver-${started}.jsonl`)],
    ]);
    started += 1;
    receivers[place] = role;
    role.child.on("exit", (code) => {
      if (isOver || receivers[place] !== role) return;
      if (code === 1) counts.deaths += 1;
      startReceiver(place, faultRate);
    });
  }
  for (let place = 0; place < size; place++) startReceiver(place, "0.2");
  await untilGroupIs(size);

  async function untilGroupIs(size: number) {
    let seen = 0;
    const check = async () => {
      seen = (await api.list().catch(() => [])).length;
      return seen === size;
    };
    await until(() => `${size} receivers in the group, there are ${seen}`, check, CALM_TIMEOUT_MS);
  }

  // Clients. They run in this process, so that each can have several messages under way.
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const { log } = keptLog();
  const clients = TARGETS.map((target, number) => {
    const trace = createTrace(`client-${number}`, {
      log,
      outlets: [openRecord(join(folder, `client-${number}.jsonl`))],
    });
    const context = {
      log,
      trace,
      ackTimeoutMs: 400,
      attempts: Number.POSITIVE_INFINITY,
      signal: stop.signal,
    };
    return {
      target,
      client: createClient(`client-${number}`, { ...context, discovery: createDiscoveryApi(network.url) }),
    };
  });

  async function send(client: Client, target: Target): Promise<Result | GroupResult> {
    const { signal } = stop;
    const discover = (until: AbortSignal) => discoverReceivers(client, until);
    if (target === "any") return sendToAny(client, "any", { discover, signal });
    if (target === "all")
      return sendToGroup(client, "all", {
        discover,
        sendMessage,
        need: pick(["all", "majority", 1]),
        signal,
      });
    return sendMessage(client, target, "one", { signal });
  }

  async function keepSending({ client, target }: (typeof clients)[number]) {
    while (!isOver) {
      const group = await discoverReceivers(client);
      // A group may be empty for a moment; then there is nothing to send to.
      if (group.length > 0) {
        await send(client, target === "one" ? pick(group) : target).catch((error) => {
          if (!(error instanceof TooFewReceivers)) throw error;
        });
      }
      await delay(PACE_MS);
    }
  }

  // What is done to them, one thing after another.
  async function doHarm() {
    const what = pick(["kill", "stop", "weather", "weather", "weather", "discovery"] as const);
    const place = Math.floor(random() * size);
    const lastsMs = 300 + random() * 2000;
    if (what === "kill") {
      counts.kills += 1;
      receivers[place]?.child.kill("SIGKILL");
    } else if (what === "stop") {
      counts.stops += 1;
      const stopped = receivers[place]?.child;
      stopped?.kill("SIGSTOP");
      await delay(lastsMs);
      stopped?.kill("SIGCONT");
    } else if (what === "discovery") {
      counts["discovery kills"] += 1;
      await stopRole(discovery, "SIGKILL");
      await delay(lastsMs);
      discovery = startDiscovery();
      await discovery.says(/listening/);
    } else {
      const weather = pick(WEATHERS);
      const proxies = network.proxies().filter(() => random() < 0.4);
      counts[weather === "cut" ? "cuts" : weather === "slow" ? "slow" : "one way"] += 1;
      for (const proxy of proxies) proxy.setWeather(weather);
      await delay(lastsMs);
      for (const proxy of proxies) proxy.setWeather("pass");
    }
  }

  try {
    const sending = Promise.all(
      clients.flatMap((each) => Array.from({ length: LANES }, () => keepSending(each))),
    );
    let failed: Error | undefined;
    sending.catch((error) => {
      failed = error;
    });
    const endAt = performance.now() + seconds * 1000;
    while (performance.now() < endAt && !failed) {
      await doHarm();
      await delay(random() * 500);
    }

    // The faults end: what is under way comes to its end, and receivers without faults take over.
    isOver = true;
    await inTime("the messages under way come to their end", sending);
    await Promise.all(receivers.splice(0).map((role) => stopRole(role)));
    isOver = false;
    for (let place = 0; place < size; place++) startReceiver(place, "0");
    await untilGroupIs(size);

    // Now every message must be acked.
    const unacked: string[] = [];
    for (const { client } of clients) {
      const group = await discoverReceivers(client);
      assert.equal(group.length, size);
      for (const target of ["any", "all", ...group] as const) {
        const result = await inTime("a message is acked after the faults", send(client, target));
        if (result.outcome !== "acked") unacked.push(JSON.stringify(result));
      }
    }

    isOver = true;
    await Promise.all(receivers.map((role) => stopRole(role)));
    const events = readRecords(folder, started);
    return { verdict: checkRecord(events), unacked, counts: { ...counts, ...countEvents(events) }, folder };
  } finally {
    isOver = true;
    stop.abort();
    for (const { child } of [...receivers, discovery]) child.kill("SIGKILL");
    for (const { client } of clients) closeLinks(client);
    network.close();
  }
}

function readRecords(folder: string, receivers: number): RecordedEvent[] {
  const files = TARGETS.map((_target, number) => `client-${number}.jsonl`);
  for (let number = 0; number < receivers; number++) files.push(`receiver-${number}.jsonl`);
  // One that was killed before it had opened its record has none, and has done nothing either.
  return files.flatMap((file) => {
    const path = join(folder, file);
    return existsSync(path) ? readRecord(path) : [];
  });
}

/** Waits for what must come to its end, but not for ever. */
async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Timed out waiting: ${what}`)), CALM_TIMEOUT_MS);
  });
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
}

function countEvents(events: RecordedEvent[]): Record<string, number> {
  const count = (test: (event: RecordedEvent) => boolean) => events.filter(test).length;
  return {
    messages: new Set(events.map(({ message }) => message)).size - 1, // events without one count as one
    attempts: count(({ event }) => event === "sent" || event === "retried"),
    processed: count(({ event }) => event === "processed"),
    "duplicates suppressed": count(({ event, duplicate }) => event === "received" && duplicate === true),
    faults: count(({ event }) => event === "fault"),
    acks: count(({ event }) => event === "ack received"),
    "given up": count(({ event }) => event === "gave up"),
  };
}

async function main(argv: string[]): Promise<number> {
  const options = parseOptions(
    "chaos",
    {
      seed: optionalWhole(0, "decides what is done to whom [default: random]"),
      seconds: whole("20", 1, "how long the faults last"),
      size: whole("8", 1, "how many receivers"),
      receiver: text("receiver.ts", "the receiver's script; a broken one shows that the checker finds it"),
    },
    argv,
    {
      about: "Breaks a group in every way, and checks its promises.",
      example: "npm run test:chaos -- --seed 7 --seconds 60",
    },
  );
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const seed = options.seed ?? Math.floor(Math.random() * 1_000_000);
  say(`chaos with seed ${seed}, ${options.seconds} s`);
  try {
    const { verdict, unacked, counts, folder } = await runChaos({ ...options, seed });
    say(
      Object.entries(counts)
        .map(([what, count]) => `${what} ${count}`)
        .join(", "),
    );
    for (const { promise, why, where } of verdict.broken) say(`✖ ${promise}: ${why} (${where.join(", ")})`);
    for (const why of verdict.unclear) say(`? can't tell: ${why}`);
    for (const line of unacked) say(`✖ not acked after the faults had ended: ${line}`);
    const isHeld = verdict.broken.length + verdict.unclear.length + unacked.length === 0;
    if (isHeld) rmSync(folder, { recursive: true });
    say(
      isHeld
        ? `✔ every promise held (seed ${seed})`
        : `✖ failed with seed ${seed}; its records are in ${folder}`,
    );
    return isHeld ? 0 : 1;
  } catch (error) {
    say(`✖ failed with seed ${seed}: ${(error as Error).message}`);
    return 1;
  }
}

await runIfMain(import.meta, main);
