/**
 * A table for many keys in little memory: of each it keeps a hash of 64 bits, 8 bytes instead of a text. Among
 * ten million keys the chance that any two are taken for one is 1 in 400,000. The checker's lookups are in it.
 */

export type Key = readonly (string | number)[];

export interface HashTable {
  /** How many keys it has. */
  size: number;
  /** The values of all keys, `columns` of them each; another array after a key was added. */
  values: Float64Array;
  /** @returns where in `values` those of the key begin, or -1 when it isn't there */
  find(...key: Key): number;
  /** The same, but adds a key that isn't there, with zeros. */
  add(...key: Key): number;
}

const MOST_FULL = 0.75; // then it doubles: a search goes from slot to slot, and needs empty ones

const END = 0x10000;

const hash = new Uint32Array(2); // of the key that was asked for last

/** @param columns how many numbers are kept with each key */
export function createHashTable(columns = 0, slots = 1024): HashTable {
  let hashes = new Uint32Array(2 * slots); // an empty slot has two zeros
  const table: HashTable = {
    size: 0,
    values: new Float64Array(columns * slots),
    find(...key) {
      hashKey(key);
      const slot = search(hashes);
      return hashes[2 * slot + 1] === 0 ? -1 : slot * columns;
    },
    add(...key) {
      if (table.size > MOST_FULL * (hashes.length / 2)) hashes = grow(table, hashes, columns);
      hashKey(key);
      const slot = search(hashes);
      if (hashes[2 * slot + 1] === 0) {
        hashes.set(hash, 2 * slot);
        table.size += 1;
      }
      return slot * columns;
    },
  };
  return table;
}

/** @returns the slot that has the hash, or the empty one where it belongs */
function search(hashes: Uint32Array): number {
  const mask = hashes.length / 2 - 1;
  const high = hash[0] as number;
  const low = hash[1] as number; // never 0: that is an empty slot
  let slot = high & mask;
  for (;;) {
    const found = hashes[2 * slot + 1];
    if (found === 0 || (found === low && hashes[2 * slot] === high)) return slot;
    slot = (slot + 1) & mask;
  }
}

/** Moves all to twice as many slots. @returns their hashes */
function grow(table: HashTable, old: Uint32Array, columns: number): Uint32Array<ArrayBuffer> {
  const hashes = new Uint32Array(2 * old.length);
  const values = new Float64Array(2 * table.values.length);
  for (let from = 0; from < old.length / 2; from++) {
    if (old[2 * from + 1] === 0) continue;
    hash[0] = old[2 * from] as number;
    hash[1] = old[2 * from + 1] as number;
    const to = search(hashes);
    hashes.set(hash, 2 * to);
    for (let column = 0; column < columns; column++)
      values[to * columns + column] = table.values[from * columns + column] as number;
  }
  table.values = values;
  return hashes;
}

/** Two hashes of 32 bits that know nothing of each other, in the manner of MurmurHash3. */
function hashKey(key: Key): void {
  let high = 0x9747b28c;
  let low = 0x1b873593;
  for (const part of key) {
    const units = typeof part === "string" ? part : String(part);
    for (let i = 0; i < units.length; i++) {
      high = Math.imul(high ^ units.charCodeAt(i), 0xcc9e2d51);
      high ^= high >>> 15;
      low = Math.imul(low ^ units.charCodeAt(i), 0x85ebca6b);
      low ^= low >>> 13;
    }
    // The end of a part is no unit of a text, so that no key reads like another.
    high = Math.imul(high ^ END, 0xcc9e2d51);
    low = Math.imul(low ^ END, 0x85ebca6b);
  }
  hash[0] = finish(high);
  hash[1] = finish(low) || 1; // 0 is an empty slot
}

function finish(half: number): number {
  const mixed = Math.imul(half ^ (half >>> 16), 0x85ebca6b);
  const again = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (again ^ (again >>> 16)) >>> 0;
}
