/**
 * Ids of receivers from which the number of the lease on etcd can be read, so that a heartbeat is one call. The registry
 * on etcd gives them.
 */
import { randomBytes } from "node:crypto";

/** A UUID of 60 random bits, which stand in it twice: of an id that was never given no half can pass for one. */
const PATTERN = /^([0-9a-f]{8})-([0-9a-f]{4})-4([0-9a-f]{3})-a\3-\2\1$/;

export function createId(): string {
  const digits = randomBytes(8).toString("hex");
  const [a, b, c] = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 15)];
  return `${a}-${b}-4${c}-a${c}-${b}${a}`;
}

/** @returns undefined for an id that can't be one of these */
export function leaseOf(id: string): string | undefined {
  const [, a, b, c] = id.match(PATTERN) ?? [];
  return a === undefined ? undefined : BigInt(`0x${a}${b}${c}`).toString();
}
