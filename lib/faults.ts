/** Faults by chance, so that the class sees what a failure looks like; by seed, so that it can be rehearsed. */
import { hash } from "node:crypto";

/**
 * What can go wrong with a message.
 * - `silent`: the receiver "crashes" before it processes: no answer, and the connection stays open
 * - `lost-ack`: processed, and the ack is lost
 * - `late-ack`: processed, and the ack comes after the client's timeout
 * - `disconnect`: the connection is closed before it is processed
 * - `exit`: the whole process dies before it is processed
 */
export const FAULTS = ["silent", "lost-ack", "late-ack", "disconnect", "exit"] as const;
export type Fault = (typeof FAULTS)[number];

export interface FaultsOptions {
  /** The chance that a message meets a fault, from 0 to 1. */
  rate: number;
  /** Which faults; one of them is drawn each time. */
  faults: readonly Fault[];
  /** Gives numbers from 0 up to, not including, 1. */
  random: () => number;
}

/** Makes the coin: each call tosses it for one message, and says which fault it meets, if any. */
export function createCoin({ rate, faults, random }: FaultsOptions): () => Fault | undefined {
  return function tossCoin() {
    if (rate === 0 || random() >= rate) return undefined;
    return faults[Math.floor(random() * faults.length)];
  };
}

/**
 * Chance that can be repeated: the same seed gives the same numbers in the same order. Each number is
 * the first 32 bits of the SHA-256 of the seed and a count; slow for a game, quick enough for a coin.
 *
 * @param seed any whole number
 */
export function seededRandom(seed: number): () => number {
  let count = 0;
  return () => {
    count += 1;
    return hash("sha256", `${seed}/${count}`, "buffer").readUInt32BE() / 2 ** 32;
  };
}
