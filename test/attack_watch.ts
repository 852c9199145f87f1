/** What is measured all along: the memory of each process, and how soon each role answers. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Field, standing, type Target } from "./attack_field.ts";
import { message } from "./attack_sockets.ts";
import { connect, request } from "./wires.ts";

const LOOK_EVERY_MS = 100;
const KILLED_AT_BYTES = 1024 * 1024 * 1024; // outside of a container: it shall not take the whole machine
const ASK_EVERY_MS = 1000;
const SPARE_BYTES = 20 * 1024 * 1024; // what may be left of memory afterwards, besides half as much as before
export const HANGS_AFTER_MS = 5000;
const GIVE_UP_AFTER_MS = 20_000; // how much longer than that a hang is, is of interest too

export interface Watched {
  target: Target;
  beforeBytes: number; // live, after a collection
  peakBytes: number; // of all that is its own
  afterBytes: number; // live again; 0 if it doesn't run
  asked: number;
  busy: number; // answered that it has no room: that is an answer
  closed: number; // the connection was closed without one
  hung: number;
  worstMs: number;
  isLost: boolean; // nothing answers where it was: it may have been started again elsewhere
}

export interface Watch {
  watched: Watched[];
  /** Takes what each has now for what it had before, or afterwards. */
  mark(when: "beforeBytes" | "afterBytes"): Promise<void>;
  ended: Promise<unknown>;
}

/** Whether it has let go of what the attack made it take. */
export const isBack = ({ beforeBytes, afterBytes }: Watched) => afterBytes <= beforeBytes * 1.5 + SPARE_BYTES;

/** Watches until the signal. */
export function startWatch(field: Field, signal: AbortSignal): Watch {
  const counts = { asked: 0, busy: 0, closed: 0, hung: 0, worstMs: 0, isLost: false };
  const watched = standing(field).map(
    (target): Watched => ({ target, beforeBytes: 0, peakBytes: 0, afterBytes: 0, ...counts }),
  );
  const asking = watched.map((each) => keepAsking(each, signal));
  return {
    watched,
    async mark(when) {
      for (const each of watched) each[when] = await field.liveBytesOf(each.target).catch(() => 0);
    },
    ended: Promise.all([...asking, keepLooking(field, watched, signal)]),
  };
}

/**
 * What a process has in memory that is its own, in bytes: what of a container counts, besides what can be given back at
 * once. From /proc, as the processes of containers are this system's too. 0 for one that doesn't run.
 */
export function memoryOf({ pid }: Target): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(status.match(/^RssAnon:\s+(\d+) kB/m)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function keepLooking(field: Field, watched: Watched[], signal: AbortSignal): Promise<void> {
  let lookedAt = 0;
  while (!signal.aborted) {
    let isLost = false;
    for (const each of watched) {
      const bytes = memoryOf(each.target);
      each.peakBytes = Math.max(each.peakBytes, bytes);
      if (bytes > KILLED_AT_BYTES && each.target.pid) process.kill(each.target.pid, "SIGKILL");
      isLost ||= bytes === 0 || each.isLost;
    }
    if (isLost && performance.now() - lookedAt > ASK_EVERY_MS) {
      lookedAt = performance.now();
      await field.look().catch(() => {}); // it was started again, or will be soon
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function keepAsking(each: Watched, signal: AbortSignal): Promise<void> {
  const isWorker = each.target.name === "worker"; // it would answer 8 s later
  while (!signal.aborted && !isWorker) {
    const startedAt = performance.now();
    const answer = await (each.target.role === "receiver" ? ping(each.target) : askHealth(each.target));
    const ms = performance.now() - startedAt;
    each.asked += 1;
    each.isLost = answer === "closed";
    each.worstMs = Math.max(each.worstMs, ms);
    if (ms > HANGS_AFTER_MS) each.hung += 1;
    else if (answer === "busy") each.busy += 1;
    else if (answer === "closed") each.closed += 1;
    await delay(Math.max(0, ASK_EVERY_MS - ms));
  }
}

type Answer = "ok" | "busy" | "closed" | "nothing";
let pings = 0;

/** Sends a message of its own to a receiver. */
function ping({ host, port }: Target): Promise<Answer> {
  return inTime((end) => {
    const socket = connect({ port, host }).setNoDelay();
    socket.on("error", () => end("closed")).on("close", () => end("closed"));
    socket.on("data", (chunk) => end(chunk.includes('"ack"') ? "ok" : "busy"));
    pings += 1;
    socket.write(message(`ping-${process.pid}-${pings}`, "ping"));
    return socket;
  });
}

function askHealth({ host, port }: Target): Promise<Answer> {
  return inTime((end) => {
    const how = { host, port, path: "/health", headers: { Host: "localhost" } };
    const asking = request(how, (answer) => {
      answer.on("end", () => end(answer.statusCode === 200 ? "ok" : "busy")).on("error", () => end("closed"));
      answer.resume();
    });
    return asking.on("error", () => end("closed")).end();
  });
}

/** Waits for the end of a question, but not for ever, and closes its connection. */
async function inTime(ask: (end: (answer: Answer) => void) => { destroy(): unknown }): Promise<Answer> {
  let connection: { destroy(): unknown } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const answer = await new Promise<Answer>((resolve) => {
    timer = setTimeout(resolve, GIVE_UP_AFTER_MS, "nothing");
    connection = ask(resolve);
  });
  clearTimeout(timer);
  connection?.destroy();
  return answer;
}
