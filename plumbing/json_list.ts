/**
 * A list that is given out as JSON: it has a bound in bytes, and is written once for all who ask at about the same
 * time. discovery.ts makes one.
 */
const WRITTEN_FOR_MS = 1000; // what changes inside an item may show so late
const MAY_GROW_BYTES = 4; // so much longer may it get by that: from 1795526197 to 1795526197.969

export interface JsonListOptions {
  maxItems: number;
  /** Of its JSON. */
  maxBytes: number;
  now: () => number;
}

export interface JsonList<T> {
  hasRoomFor(item: T): boolean;
  add(item: T): void;
  remove(item: T): void;
  /** @param make gives what is in it now, and the times at which that may change without a call of `add` or `remove` */
  write(make: () => { items: T[]; ends: number[] }): Buffer<ArrayBuffer>;
}

export function createJsonList<T>({ maxItems, maxBytes, now }: JsonListOptions): JsonList<T> {
  const bytesOf = new Map<T, number>();
  let bytes = 2; // its brackets
  let written: { json: Buffer<ArrayBuffer>; until: number } | undefined;
  return {
    hasRoomFor: (item) => bytesOf.size < maxItems && bytes + measure(item) <= maxBytes,
    add(item) {
      bytesOf.set(item, measure(item));
      bytes += measure(item);
      written = undefined;
    },
    remove(item) {
      bytes -= bytesOf.get(item) ?? 0;
      bytesOf.delete(item);
      written = undefined;
    },
    write(make) {
      if (written && now() < written.until) return written.json;
      const at = now();
      const { items, ends } = make();
      const until = ends.reduce((first, end) => (end > at && end < first ? end : first), at + WRITTEN_FOR_MS);
      written = { json: Buffer.from(JSON.stringify(items)), until };
      return written.json;
    },
  };
}

/** Its bytes at most, with the comma. */
function measure(item: unknown): number {
  return Buffer.byteLength(JSON.stringify(item)) + 1 + MAY_GROW_BYTES;
}
