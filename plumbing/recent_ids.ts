/** Remembers the last ids of very many, in bounded memory. receiver.ts knows by it what it has processed. */

/** What it takes: of UUIDs the last 55,000 at least, and twice as many at most. */
export const MAX_BYTES = 8 * 1024 * 1024;
const BYTES_EACH = 40; // beside its characters, measured
const WIDE = /[^\0-\xff]/; // with such a character, V8 keeps each of a text's in two bytes

export interface RecentIds {
  has(id: string): boolean;
  add(id: string): void;
}

/**
 * When the recent ones are many they become the older ones, and what was older is forgotten whole. To delete
 * the oldest of one Set each time was ten times slower, measured.
 */
export function createRecentIds(maxBytes = MAX_BYTES): RecentIds {
  let recent = new Set<string>();
  let recentBytes = 0;
  let older = new Set<string>();
  return {
    has: (id) => recent.has(id) || older.has(id),
    add(id) {
      recent.add(id);
      recentBytes += BYTES_EACH + id.length * (WIDE.test(id) ? 2 : 1);
      if (recentBytes < maxBytes / 2) return;
      [older, recent, recentBytes] = [recent, new Set(), 0];
    },
  };
}
