/**
 * When receivers were heard, as far as one discovery knows: an agreed write a heartbeat is too dear. The registry on etcd
 * dates its list by it.
 */
import type { Receiver } from "../lib/messages.ts";

export interface LastHeard {
  note(id: string): void;
  /**
   * `last_seen` is the latest that is known here, when it registered or sent a heartbeat to this discovery; and not
   * longer ago than a lease, as its lease is valid: another discovery has heard it.
   */
  date(receiver: Receiver): Receiver;
}

export function createLastHeard(ttlMs: number): LastHeard {
  // What is older than a lease counts for nothing: it is forgotten by and by.
  let [recent, older] = [new Map<string, number>(), new Map<string, number>()];
  let beganAt = Date.now();
  return {
    note(id) {
      const now = Date.now();
      if (Math.abs(now - beganAt) >= ttlMs) [recent, older, beganAt] = [new Map(), recent, now];
      recent.set(id, now / 1000);
    },
    date(receiver) {
      const heard = recent.get(receiver.id) ?? older.get(receiver.id) ?? 0;
      return { ...receiver, last_seen: Math.max(receiver.last_seen, heard, (Date.now() - ttlMs) / 1000) };
    },
  };
}
