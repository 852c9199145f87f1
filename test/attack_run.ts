/** The course of an attack: attacks and lies in an order that the seed decides, a few at a time, until the time is over. */
import { setMaxListeners } from "node:events";
import { createChildController, isAbort } from "../plumbing/child_controller.ts";
import { seededRandom } from "../plumbing/seeded_random.ts";
import type { Field } from "./attack_field.ts";
import { FLOODS } from "./attack_floods.ts";
import { FRAME_ATTACKS } from "./attack_frames.ts";
import { LIES, type LieResult } from "./attack_lies.ts";
import { SLOW_ATTACKS } from "./attack_slow.ts";
import type { Tools } from "./attack_sockets.ts";
import type { Connect } from "./attack_strangers.ts";

const ATTACK_LANES = 2; // attacks at the same time
const LIE_LANES = 2; // liars at the same time, each with a client and perhaps a receiver
const SHORTEST_MS = 2000; // of an attack
const LONGEST_MS = 6000;

/** In which order, what of it, and as whom. */
export interface Order {
  seed: number;
  word: string; // only what has it in its name
  connect: Connect;
}

const ATTACKS = Object.entries({ ...FRAME_ATTACKS, ...FLOODS, ...SLOW_ATTACKS });

/** Gives all of a list in an order by chance, then all again: nothing comes twice before the rest has come once. */
export function* drawAll<T>(list: readonly T[], random: () => number): Generator<T, void> {
  while (list.length > 0) {
    const left = [...list];
    while (left.length > 0) yield left.splice(Math.floor(random() * left.length), 1)[0] as T;
  }
}

/** Those whose name has a word in it; all, without one. */
function only<T>(list: readonly [string, T][], word: string): [string, T][] {
  return list.filter(([name]) => name.includes(word));
}

/** What there is of a name with that word in it. */
export const countNamed = (word: string) => only<unknown>([...ATTACKS, ...LIES], word).length;

/** Attacks until the signal. @returns how much of what was done, by attack */
export async function keepAttacking(field: Field, { seed, word, connect }: Order, over: AbortSignal) {
  const counts: Record<string, Record<string, number>> = {};
  const random = seededRandom(seed);
  const attacks = drawAll(only(ATTACKS, word), random);
  async function attackOn() {
    while (!over.aborted) {
      const drawn = attacks.next();
      if (drawn.done) return;
      const [name, attack] = drawn.value;
      counts[name] ??= {};
      const ms = Math.round(SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS));
      await attackOnce(counts[name], ms, over, (tools) => attack(field, { ...tools, random, connect }));
    }
  }
  await Promise.all(Array.from({ length: ATTACK_LANES }, attackOn));
  return counts;
}

/** Runs one until its end, or for so long. */
async function attackOnce(
  counts: Record<string, number>,
  ms: number,
  over: AbortSignal,
  attack: (tools: Pick<Tools, "signal" | "count">) => Promise<unknown>,
): Promise<void> {
  const { signal, abort, release } = createChildController(over);
  setMaxListeners(0, signal);
  const timer = setTimeout(abort, ms, "its time is over");
  const count = (what: string, by = 1) => {
    counts[what] = (counts[what] ?? 0) + by;
  };
  count("times");
  try {
    await attack({ signal, count });
  } catch (error) {
    if (!isAbort(error)) throw error;
  } finally {
    clearTimeout(timer);
    abort("it is over"); // whatever it has left open is closed
    release();
  }
}

/** Puts clients and receivers among liars until the signal; those under way come to their end. */
export async function keepLying(
  field: Field,
  { seed, word }: Order,
  over: AbortSignal,
): Promise<LieResult[]> {
  const results: LieResult[] = [];
  const lies = drawAll(only(LIES, word), seededRandom(seed + 1));
  async function lieOn() {
    while (!over.aborted) {
      const drawn = lies.next();
      if (drawn.done) return;
      results.push(...(await drawn.value[1](field)));
    }
  }
  await Promise.all(Array.from({ length: LIE_LANES }, lieOn));
  return results;
}
