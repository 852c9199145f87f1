/**
 * Hears from etcd, by a watch, which receivers have expired. Of several discoveries one tells it, the first that writes
 * down on etcd that it does. The registry on etcd has one.
 */
import type { IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Receiver } from "../lib/messages.ts";
import { openCall, type Target } from "../plumbing/http_call.ts";
import type { Log } from "../plumbing/log.ts";
import { readJson } from "../plumbing/read_json.ts";
import {
  RangeSchema,
  RECEIVERS,
  StoredSchema,
  TOLD,
  TransactionSchema,
  toBase64,
  under,
  WatchedSchema,
} from "./etcd_answers.ts";
import { ask, begin, type Etcd, goOn } from "./etcd_calls.ts";

const AGAIN_MS = 500;
const MAX_LINE_LENGTH = 16 * 1024 * 1024; // a thousand changes at a time
const MAX_UNTOLD = 100_000;

interface Expiry {
  revision: number;
  receiver: Receiver;
}

export interface Expiries {
  etcd: Etcd;
  log: Log;
  onExpired: (receiver: Receiver) => void;
  /** The first revision that has not been seen; 0: all that comes from now on. */
  next: number;
  untold: Expiry[];
  isTelling: boolean;
  isAway: boolean;
  /** The node that is listened to. */
  node: number;
  stop: () => void;
}

export function createExpiries(etcd: Etcd, log: Log, onExpired: Expiries["onExpired"]): Expiries {
  const none = { next: 0, untold: [], isTelling: false, isAway: false, node: 0, stop() {} };
  return { etcd, log, onExpired, ...none };
}

/** Listens, again and again, until the signal is aborted. */
export async function followExpiries(expiries: Expiries, signal: AbortSignal): Promise<void> {
  const { etcd, log } = expiries;
  while (!signal.aborted) {
    try {
      await listen(expiries, signal);
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = error as NodeJS.ErrnoException;
      if (!expiries.isAway)
        log.warn(`nothing is heard of etcd at ${etcd.nodes[expiries.node]?.url} (${code ?? message})`);
      expiries.isAway = true;
      if (etcd.current === expiries.node) goOn(etcd);
    }
    await delay(AGAIN_MS, undefined, { signal }).catch(() => {});
  }
}

/** When calls have gone on to another node, that one is listened to, as well; what is not told yet is tried again. */
export function checkExpiries(expiries: Expiries): void {
  if (expiries.node !== expiries.etcd.current) expiries.stop();
  void tellExpired(expiries);
}

/** Resolves when the stream ends. */
function listen(expiries: Expiries, signal: AbortSignal): Promise<void> {
  const { etcd, next } = expiries;
  const start = next > 0 ? { start_revision: `${next}` } : {};
  const body = JSON.stringify({
    create_request: { ...under(RECEIVERS), ...start, prev_kv: true, filters: ["NOPUT"] },
  });
  expiries.node = etcd.current;
  return new Promise((resolve, reject) => {
    const watch = { method: "POST", path: "v3/watch", body } as const;
    const call = openCall(etcd.nodes[etcd.current] as Target, watch, false);
    const stop = () => call.destroy();
    expiries.stop = stop;
    signal.addEventListener("abort", stop, { once: true });
    call.on("error", reject);
    call.on("close", () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    call.on("response", (answer: IncomingMessage) => {
      answer.socket.setKeepAlive(true, 10_000);
      answer.on("error", reject);
      let rest = "";
      answer.setEncoding("utf8").on("data", (piece: string) => {
        const [first = "", ...others] = piece.split("\n");
        const lines = others.length > 0 ? [rest + first, ...others.slice(0, -1)] : [];
        rest = others.at(-1) ?? rest + first; // a line that goes on costs nothing but its memory
        if (rest.length > MAX_LINE_LENGTH || !lines.every((line) => take(expiries, line))) stop();
      });
    });
  });
}

/** @returns false when the stream is of no use any more */
function take(expiries: Expiries, line: string): boolean {
  const watched = readJson(WatchedSchema, line);
  if (!("value" in watched)) return false;
  const { header, canceled, created, compact_revision, events } = watched.value.result;
  if (created && expiries.isAway)
    expiries.log.info(`etcd at ${expiries.etcd.nodes[expiries.node]?.url} is heard`);
  if (created) expiries.isAway = false;
  if (created && (expiries.next === 0 || header.revision < expiries.next - 1)) {
    const isNew = expiries.next === 0;
    expiries.next = header.revision + 1;
    return isNew; // else etcd was emptied, and counts from one again
  }
  if (canceled) {
    expiries.log.warn("who has expired lately may not be told: etcd doesn't know any more");
    expiries.next = compact_revision;
    return false;
  }
  for (const { kv, prev_kv } of events) {
    expiries.next = kv.mod_revision + 1;
    const gone = readJson(StoredSchema, prev_kv?.value ?? "");
    if ("value" in gone && !gone.value.isLeaving)
      expiries.untold.push({ revision: kv.mod_revision, receiver: gone.value });
  }
  expiries.untold.splice(0, expiries.untold.length - MAX_UNTOLD);
  void tellExpired(expiries);
  return true;
}

/** Of several discoveries that have heard of it, one gets to tell it: at most once, as that one may end before it does. */
async function tellExpired(expiries: Expiries): Promise<void> {
  const { etcd, untold, onExpired } = expiries;
  if (expiries.isTelling) return;
  expiries.isTelling = true;
  try {
    while (untold.length > 0) {
      const heard = [...untold];
      const mine = await claim(etcd, heard);
      if (mine === undefined) continue; // another has just told some of it
      untold.splice(0, heard.length);
      for (const { receiver } of mine) onExpired(receiver);
    }
  } catch (error) {
    expiries.log.debug(`who has expired is told later: ${(error as Error).message}`);
  } finally {
    expiries.isTelling = false;
  }
}

/** @returns those that are not told yet, which are now this discovery's to tell; undefined if it is to try again */
async function claim(etcd: Etcd, heard: readonly Expiry[]): Promise<Expiry[] | undefined> {
  const purpose = begin("tell who has expired");
  const key = toBase64(TOLD);
  const { kvs, header } = await ask(etcd, purpose, { path: "kv/range", body: { key }, schema: RangeSchema });
  const [told] = kvs;
  const upTo = Number(told?.value ?? 0);
  // One that is no revision, or one that is yet to come, is not ours: it tells nothing.
  const mine = heard.filter(({ revision }) => !(upTo <= header.revision) || revision > upTo);
  const last = mine.at(-1);
  if (last === undefined) return [];
  const body = {
    compare: [{ target: "MOD", key, mod_revision: `${told?.mod_revision ?? 0}` }],
    success: [{ request_put: { key, value: toBase64(`${last.revision}`) } }],
  };
  const { succeeded } = await ask(etcd, purpose, { path: "kv/txn", body, schema: TransactionSchema });
  return succeeded ? mine : undefined;
}
