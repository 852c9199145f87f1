/**
 * The monitor's memory: the last events, numbered. Each is kept as the JSON text in which it goes out
 * again. Readers fetch from it at their own pace, so nothing is queued for a slow one: what it misses
 * is gone, and it can see that from the numbers.
 */
import type { TraceEvent } from "../trace/trace.ts";

export interface EventStore {
  add(events: readonly TraceEvent[]): void;
  /** The number of the first event that is kept, and of the next that will come. */
  first(): number;
  next(): number;
  /** The events from a number on, `limit` at most, as JSON texts. */
  from(number: number, limit?: number): string[];
  /** Resolves when something happened after the call: an event, or `wake`. */
  changed(): Promise<void>;
  wake(): void;
}

export interface EventStoreOptions {
  /** @default {10_000} */
  maxEvents?: number;
  /** An event can be long, so their text is bounded too. In characters. @default {32 Mi} */
  maxChars?: number;
}

export function createEventStore({
  maxEvents = 10_000,
  maxChars = 32 * 1024 * 1024,
}: EventStoreOptions = {}): EventStore {
  let kept: string[] = [];
  let chars = 0;
  let start = 0; // in `kept`; what is before it has been dropped
  let first = 1; // the number of the event at `start`
  let wakeAll = () => {};
  let waiting = new Promise<void>(setWakeAll);

  function setWakeAll(resolve: () => void) {
    wakeAll = resolve;
  }

  function drop() {
    chars -= kept[start]?.length ?? 0;
    kept[start] = "";
    start += 1;
    first += 1;
    if (start < maxEvents) return;
    kept = kept.slice(start); // once in 10,000 events
    start = 0;
  }

  const store: EventStore = {
    add(events) {
      for (const event of events) {
        const json = JSON.stringify(event);
        kept.push(json);
        chars += json.length;
        while (kept.length - start > maxEvents || chars > maxChars) drop();
      }
      if (events.length > 0) store.wake();
    },
    first: () => first,
    next: () => first + kept.length - start,
    from(number, limit = Number.POSITIVE_INFINITY) {
      const begin = start + Math.max(0, number - first);
      return kept.slice(begin, begin + limit);
    },
    changed: () => waiting,
    wake() {
      wakeAll();
      waiting = new Promise(setWakeAll);
    },
  };
  return store;
}
