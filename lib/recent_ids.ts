/** Remembers the ids of processed messages, in bounded memory. */

export interface RecentIds {
  has(id: string): boolean;
  add(id: string): void;
}

export interface RecentIdsOptions {
  /** How many ids are remembered for certain; up to twice as many are. @default {50_000} */
  atLeast?: number;
}

/**
 * Makes a table of ids that keeps the newest. It has two generations: when the new one is full it
 * becomes the old one, and what was the old one is forgotten whole.
 *
 * Why not delete the oldest id of one Set each time? `set.values().next()` walks over all that was
 * deleted before it: measured, that is ten times slower for the whole receiver.
 *
 * @example
 * ```ts
 * const processed = createRecentIds();
 * processed.add("m1");
 * processed.has("m1"); // true, until at least 50,000 others came
 * ```
 */
export function createRecentIds({ atLeast = 50_000 }: RecentIdsOptions = {}): RecentIds {
  let young = new Set<string>();
  let old = new Set<string>();
  return {
    has: (id) => young.has(id) || old.has(id),
    add(id) {
      young.add(id);
      if (young.size < atLeast) return;
      old = young;
      young = new Set();
    },
  };
}
