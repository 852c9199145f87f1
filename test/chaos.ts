/**
 * Chaos: a group whose receivers have every fault there is, are killed and stopped, whose discovery is
 * killed, and whose network is cut, slowed and made to lose one direction, while clients send to one, to
 * any and to all. Then the faults end, everything must be acked, and the checker reads the records.
 *
 *     npm run test:chaos -- --seed 7 --seconds 60
 *     npm run test:chaos -- --store            two discoveries on an etcd of three nodes, all of which are killed, too
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
import { discoverReceivers } from "../client.ts";
import { closeLinks } from "../lib/links.ts";
import * as kind from "../plumbing/kinds.ts";
import { flag, option, optional, parseOptions } from "../plumbing/options.ts";
import { runIfMain } from "../plumbing/run.ts";
import { seededRandom } from "../plumbing/seeded_random.ts";
import { checkRecord } from "../trace/check_promises.ts";
import type { Verdict } from "../trace/findings.ts";
import { type RecordedEvent, readRecords } from "../trace/read_records.ts";
import { type ChaosClient, createClients, keepSending, send } from "./chaos_clients.ts";
import {
  type ChaosGroup,
  doHarm,
  endGroup,
  startGroup,
  startReceivers,
  stopReceivers,
} from "./chaos_group.ts";
import { inTime } from "./helpers.ts";

const LANES = 8; // messages that a client has under way
const FAULT_RATE = 0.2;

const OPTIONS = {
  seed: optional(kind.whole(0), "decides what is done to whom [default: random]"),
  seconds: option(kind.whole(1), "20", "how long the faults last"),
  size: option(kind.whole(1), "8", "how many receivers"),
  receiver: option(kind.text, "receiver.ts", "the receiver's script; in a broken one the checker finds it"),
  store: flag("two discoveries on an etcd of three nodes, which are killed, too; it takes etcd on the PATH"),
};

/** As the options say. */
export type ChaosOptions = { seed: number; seconds: number; size: number; receiver: string; store: boolean };

export interface ChaosResult {
  verdict: Verdict;
  unacked: string[]; // of the messages that were sent after the faults had ended: those that were not acked
  counts: Record<string, number>;
  folder: string; // of the records
}

export async function runChaos({ seed, seconds, size, receiver, store }: ChaosOptions): Promise<ChaosResult> {
  const folder = mkdtempSync(join(tmpdir(), `chaos-${seed}-`));
  const group = await startGroup({ seed, size, script: receiver, folder, hasStore: store });
  const clients = createClients(folder, group.network.url);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  try {
    await startReceivers(group, FAULT_RATE);
    await sendDuringHarm(group, clients, seconds, stop.signal);
    await stopReceivers(group);
    await startReceivers(group, 0);
    const unacked = await sendInCalm(group, clients, stop.signal);
    await stopReceivers(group);
    const events = [...readRecords(findRecords(group, clients))];
    return {
      verdict: checkRecord(events),
      unacked,
      counts: { ...group.counts, ...countEvents(events) },
      folder,
    };
  } finally {
    stop.abort();
    for (const { client } of clients) closeLinks(client.links);
    await endGroup(group);
  }
}

/** Harms the group, one thing after another, while all clients send; what is under way then comes to its end. */
async function sendDuringHarm(
  group: ChaosGroup,
  clients: readonly ChaosClient[],
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const random = seededRandom(group.seed);
  const harm = new AbortController(); // is aborted when it is over
  const lanes = clients.flatMap((each) => Array<ChaosClient>(LANES).fill(each));
  const sending = Promise.all(lanes.map((each) => keepSending(each, harm.signal, signal)));
  sending.catch(() => harm.abort());
  const endAt = performance.now() + seconds * 1000;
  while (performance.now() < endAt && !harm.signal.aborted) {
    await doHarm(group, random);
    await delay(random() * 500);
  }
  harm.abort();
  await inTime("the messages under way come to their end", sending);
}

/** Now every message must be acked. @returns those that are not */
async function sendInCalm(
  { size }: ChaosGroup,
  clients: readonly ChaosClient[],
  signal: AbortSignal,
): Promise<string[]> {
  const unacked: string[] = [];
  for (const { client } of clients) {
    const receivers = await discoverReceivers(client, signal);
    assert.equal(receivers.length, size);
    for (const target of ["any", "all", ...receivers] as const) {
      const sending = send(client, target, receivers, signal);
      const result = await inTime("a message is acked after the faults", sending);
      if (result.outcome !== "acked") unacked.push(JSON.stringify(result));
    }
  }
  return unacked;
}

function findRecords({ folder, started }: ChaosGroup, clients: readonly ChaosClient[]): string[] {
  const names = clients.map(({ client }) => client.name);
  for (let number = 0; number < started; number++) names.push(`receiver-${number}`);
  // One that was killed before it had opened its record has none, and has done nothing either.
  return names.map((name) => join(folder, `${name}.jsonl`)).filter((file) => existsSync(file));
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
  const options = parseOptions("chaos", OPTIONS, argv, {
    about: "Breaks a group in every way, and checks its promises.",
    example: "npm run test:chaos -- --seed 7 --seconds 60",
  });
  const seed = options.seed ?? Math.floor(Math.random() * 1_000_000);
  say(`chaos with seed ${seed}, ${options.seconds} s`);
  try {
    const result = await runChaos({ ...options, seed });
    const isHeld = showResult(result);
    if (isHeld) rmSync(result.folder, { recursive: true });
    if (isHeld) say(`✔ every promise held (seed ${seed})`);
    else say(`✖ failed with seed ${seed}; its records are in ${result.folder}`);
    return isHeld ? 0 : 1;
  } catch (error) {
    say(`✖ failed with seed ${seed}: ${(error as Error).message}`);
    return 1;
  }
}

/** @returns whether every promise held */
function showResult({ verdict, unacked, counts }: ChaosResult): boolean {
  const parts = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
  say(parts.join(", "));
  for (const { promise, why, where } of verdict.broken) say(`✖ ${promise}: ${why} (${where.join(", ")})`);
  for (const why of verdict.unclear) say(`? can't tell: ${why}`);
  for (const line of unacked) say(`✖ not acked after the faults had ended: ${line}`);
  return verdict.broken.length + verdict.unclear.length + unacked.length === 0;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);

await runIfMain(import.meta, main);
