/**
 * The monitor's memory: the last events, numbered. Each is kept as the JSON text in which it goes out
 * again. Readers fetch from it at their own pace, so nothing is queued for a slow one: what it misses
 * is gone, and it can see that from the numbers. monitor.ts makes one.
 */
import type { TraceEvent } from "../trace/events.ts";

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

/** What the store keeps. */
interface Memory {
  events: string[];
  chars: number;
  /** In `events`; what is before it has been dropped. */
  start: number;
  /** The number of the event at `start`. */
  first: number;
}

export function createEventStore({
  maxEvents = 10_000,
  maxChars = 32 * 1024 * 1024,
}: EventStoreOptions = {}): EventStore {
  const memory: Memory = { events: [], chars: 0, start: 0, first: 1 };
  let wakeAll = () => {};
  const sleep = () =>
    new Promise<void>((resolve) => {
      wakeAll = resolve;
    });
  let waiting = sleep();
  const store: EventStore = {
    add(events) {
      for (const event of events) {
        keep(memory, JSON.stringify(event));
        while (countOf(memory) > maxEvents || memory.chars > maxChars) drop(memory, maxEvents);
      }
      if (events.length > 0) store.wake();
    },
    first: () => memory.first,
    next: () => memory.first + countOf(memory),
    from(number, limit = Number.POSITIVE_INFINITY) {
      const begin = memory.start + Math.max(0, number - memory.first);
      return memory.events.slice(begin, begin + limit);
    },
    changed: () => waiting,
    wake() {
      wakeAll();
      waiting = sleep();
    },
  };
  return store;
}

function countOf({ events, start }: Memory): number {
  return events.length - start;
}

function keep(memory: Memory, json: string): void {
  memory.events.push(json);
  memory.chars += json.length;
}

function drop(memory: Memory, maxEvents: number): void {
  memory.chars -= memory.events[memory.start]?.length ?? 0;
  memory.events[memory.start] = "";
  memory.start += 1;
  memory.first += 1;
  if (memory.start < maxEvents) return;
  memory.events = memory.events.slice(memory.start); // once in 10,000 events
  memory.start = 0;
}
