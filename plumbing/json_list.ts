/**
 * A list that is given out as JSON: it has a bound in bytes, and is written once for all who ask at about the same
 * time. discovery.ts makes one.
 */
import { isUnread } from "./answers.ts";

const WRITTEN_FOR_MS = 1000; // what changes inside an item may show so late
const MAY_GROW_BYTES = 4; // so much longer may it get by that: from 1795526197 to 1795526197.969
const PART_ITEMS = 1000;

export interface JsonListOptions {
  maxItems: number;
  /** Of its JSON. */
  maxBytes: number;
  now: () => number;
}

export interface JsonList<T> {
  /** @param besides what else may have to fit @default nothing */
  hasRoomFor(item: T, besides?: { items: number; bytes: number }): boolean;
  add(item: T): void;
  remove(item: T): void;
  /**
   * Its JSON; the bytes stay as they are until the next turn of the event loop, and as long as they are held for a
   * reader.
   *
   * @param make gives what is in it now, and the times at which that may change without a call of `add` or `remove`
   */
  write(make: () => { items: T[]; ends: number[] }): Buffer<ArrayBuffer>;
}

export function createJsonList<T>({ maxItems, maxBytes, now }: JsonListOptions): JsonList<T> {
  const bytesOf = new Map<T, number>();
  let bytes = 2; // its brackets
  let room = Buffer.alloc(0); // written again and again, unless somebody has yet to read what is there
  let written = { json: room, until: 0 };
  let isStale = true;
  let isHandedOut = false; // in this turn: who got it may be about to hold it
  const handOut = () => {
    if (!isHandedOut) setImmediate(() => (isHandedOut = false));
    isHandedOut = true;
    return written.json;
  };
  return {
    hasRoomFor: (item, besides = { items: 0, bytes: 0 }) =>
      bytesOf.size + besides.items < maxItems && bytes + besides.bytes + measure(item) <= maxBytes,
    add(item) {
      const more = measure(item);
      bytesOf.set(item, more);
      bytes += more;
      isStale = true;
    },
    remove(item) {
      bytes -= bytesOf.get(item) ?? 0;
      bytesOf.delete(item);
      isStale = true;
    },
    write(make) {
      if (!isStale && now() < written.until) return handOut();
      const at = now();
      const { items, ends } = make();
      const until = ends.reduce((first, end) => (end > at && end < first ? end : first), at + WRITTEN_FOR_MS);
      const isInUse = isHandedOut || isUnread(written.json);
      if (room.length < bytes || isInUse) room = Buffer.allocUnsafeSlow(bytes + (bytes >> 3));
      written = { json: writeJson(items, room), until };
      isStale = false;
      return handOut();
    },
  };
}

/** In parts: a text of all of it would be thrown away at once. */
function writeJson(items: readonly unknown[], json: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  let length = json.write("[");
  for (let start = 0; start < items.length; start += PART_ITEMS) {
    const part = JSON.stringify(items.slice(start, start + PART_ITEMS)).slice(1, -1);
    length += json.write(start > 0 ? `,${part}` : part, length);
  }
  length += json.write("]", length);
  return json.subarray(0, length);
}

/** Its bytes at most, with the comma. */
function measure(item: unknown): number {
  return Buffer.byteLength(JSON.stringify(item)) + 1 + MAY_GROW_BYTES;
}
