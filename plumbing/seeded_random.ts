/** Chance that can be repeated, so that a class can be rehearsed and a failed test run again. */
import { hash } from "node:crypto";

/**
 * The same seed gives the same numbers in the same order, from 0 up to, not including, 1. Each is the
 * first 32 bits of the SHA-256 of the seed and a count; slow for a game, quick enough for a coin.
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
