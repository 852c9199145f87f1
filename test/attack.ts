/**
 * The attack: all roles, in containers with the memory that their Compose files give them, are sent frames
 * and requests that are broken in every way, more than they can take, more slowly than they can bear; and
 * clients and receivers are told to use peers that lie. Meanwhile an honest client sends to honest receivers.
 * None of its messages may be lost; no role may crash, run out of memory, hang or keep what it took.
 *
 *     npm run test:attack -- --seed 7 --seconds 60       in containers: needs a Docker engine, on Linux
 *     npm run test:attack -- --local --root ../other     processes on loopback, of another state of the project
 *     npm run test:secure -- test/attack.ts              a group with its file, and its attackers are members
 *     npm run test:secure -- test/attack.ts --strangers  they are not
 *
 * The seed decides what comes in which order. An attacker who is let into the group may fill it and empty it;
 * that is what certificates are for. So what registers registers in a group of its own.
 */
import assert from "node:assert/strict";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { createChildController } from "../plumbing/child_controller.ts";
import { createHttpClient } from "../plumbing/http_client.ts";
import * as kind from "../plumbing/kinds.ts";
import { flag, option, optional, parseOptions, UsageError } from "../plumbing/options.ts";
import { runIfMain } from "../plumbing/run.ts";
import { startContainers } from "./attack_containers.ts";
import { type Field, urlOf } from "./attack_field.ts";
import { keepSending } from "./attack_honest.ts";
import { startLocal } from "./attack_local.ts";
import { describe, findProblems, type Outcome, readLogs } from "./attack_report.ts";
import { countNamed, keepAttacking, keepLying, type Order } from "./attack_run.ts";
import { createStrangers } from "./attack_strangers.ts";
import { startWatch } from "./attack_watch.ts";
import { connect, groupFile } from "./wires.ts";

const SETTLE_MS = 3000;
const QUIET_MS = 10_000; // after which memory should have come back
const FULL_STORE = { batches: 60, events: 5, names: 1500 }; // 60 MB: more than the monitor keeps

const OPTIONS = {
  seed: optional(kind.whole(0), "decides what comes in which order [default: random]"),
  seconds: option(kind.whole(1), "20", "how long the attack lasts"),
  local: flag("processes on loopback instead of containers"),
  strangers: flag("the group has a file, and who attacks it has not"),
  only: optional(kind.text, "only what has this in its name [default: everything]"),
  root: option(kind.text, `${import.meta.dirname}/..`, "the folder whose roles are attacked"),
};

export interface AttackOptions extends Order {
  seconds: number;
  local: boolean;
  strangers: boolean;
  root: string;
}

/** Starts all, attacks, and takes all down; the signal ends it early. */
export async function runAttack(options: AttackOptions, signal: AbortSignal): Promise<Outcome> {
  const field = await (options.local ? startLocal(options.root) : startContainers(options.root));
  try {
    say("all roles run");
    await fillMonitor(field);
    return await attack(field, options, signal);
  } finally {
    await field.end();
  }
}

async function attack(
  field: Field,
  { seconds, strangers, local, ...order }: AttackOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const lag = monitorEventLoopDelay();
  const over = createChildController(signal);
  const end = new AbortController(); // of the watch, which goes on until memory has come back
  const watch = startWatch(field, end.signal);
  try {
    await delay(SETTLE_MS, undefined, { signal });
    await watch.mark("beforeBytes");
    lag.enable();
    const attacking = setTimeout(over.abort, seconds * 1000, "the attack is over");
    const [counts, lies, honest] = await Promise.all([
      keepAttacking(field, order, over.signal),
      keepLying(field, order, over.signal),
      keepSending(field, over.signal),
    ]).finally(() => clearTimeout(attacking));
    await delay(QUIET_MS, undefined, { signal });
    await field.look();
    await watch.mark("afterBytes");
    const logs = await readLogs(field);
    const ends = { crashes: [...field.crashes], outOfMemory: [...field.outOfMemory] }; // before all are ended
    const isClosed = strangers && !local; // on its own machine the monitor's page is open
    return { counts, isClosed, watched: watch.watched, ...ends, honest, lies, logs, ownLagMs: lag.max / 1e6 };
  } finally {
    over.abort("the attack failed");
    end.abort();
    await watch.ended;
  }
}

/** What the monitor keeps of events is no loss of memory: it has all of it before. */
async function fillMonitor({ monitor }: Field): Promise<void> {
  const ackedBy = Array.from({ length: FULL_STORE.names }, (_each, number) => `${number}`.padEnd(128, "r"));
  const event = { event: "group acked", process: "attacker", clock: 1, at: 0, need: 1, ackedBy };
  const batch = { events: Array(FULL_STORE.events).fill(event), lost: 0 };
  const http = createHttpClient(urlOf(monitor), { withinMs: 10_000, groupFile });
  for (let number = 0; number < FULL_STORE.batches; number++) {
    const { statusCode } = await http.post("events", { json: batch, headers: { host: "localhost" } });
    assert.equal(statusCode, 204);
  }
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("attack", OPTIONS, argv, {
    about: "Attacks all roles in every way, while honest ones go on.",
    example: "npm run test:attack -- --seed 7 --seconds 60",
  });
  const word = options.only ?? "";
  if (countNamed(word) === 0) throw new UsageError(`Cannot attack: nothing has "${word}" in its name`);
  if (options.strangers && !groupFile)
    throw new UsageError("Cannot attack as strangers: the group has no file; npm run test:secure makes one");
  const connectAs = options.strangers ? await createStrangers() : connect;
  const seed = options.seed ?? Math.floor(Math.random() * 1_000_000);
  const [where, who] = [
    options.local ? "on loopback" : "in containers",
    options.strangers ? ", by strangers" : "",
  ];
  say(`attack with seed ${seed}, ${options.seconds} s, ${where}${who}`);
  const outcome = await runAttack({ ...options, seed, word, connect: connectAs }, signal);
  for (const line of describe(outcome)) say(line);
  const problems = findProblems(outcome);
  for (const problem of problems) say(`✖ ${problem}`);
  say(problems.length === 0 ? `✔ every promise held (seed ${seed})` : `✖ failed with seed ${seed}`);
  return problems.length === 0 ? 0 : 1;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);

await runIfMain(import.meta, main);
