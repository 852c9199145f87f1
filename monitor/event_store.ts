/**
 * The monitor's memory: the last events, numbered. Each is kept as the bytes of the JSON in which it goes out
 * again. Readers fetch from it at their own pace, so nothing is queued for a slow one: what it misses
 * is gone, and it can see that from the numbers. monitor.ts makes one.
 */
export interface EventStore {
  /** Each as JSON. */
  add(events: readonly Buffer[]): void;
  /** The number of the first event that is kept, and of the next that will come. */
  first(): number;
  next(): number;
  /** The events from a number on, as JSON: as many as have `maxBytes` together, but one if there is any. */
  from(number: number, maxBytes?: number): Buffer[];
  /** Resolves when something happened after the call: an event, or `wake`. */
  changed(): Promise<void>;
  wake(): void;
}

export interface EventStoreOptions {
  /** @default {10_000} */
  maxEvents?: number;
  /** An event can be long, so their JSON is bounded too. @default {16 MiB} */
  maxBytes?: number;
}

/** What the store keeps. */
interface Memory {
  events: Buffer[];
  bytes: number;
  /** In `events`; what is before it has been dropped. */
  start: number;
  /** The number of the event at `start`. */
  first: number;
}

const DROPPED = Buffer.alloc(0);

export function createEventStore({
  maxEvents = 10_000,
  maxBytes = 16 * 1024 * 1024,
}: EventStoreOptions = {}): EventStore {
  const memory: Memory = { events: [], bytes: 0, start: 0, first: 1 };
  let wakeAll = () => {};
  const sleep = () =>
    new Promise<void>((resolve) => {
      wakeAll = resolve;
    });
  let waiting = sleep();
  const store: EventStore = {
    add(events) {
      for (const event of events) {
        memory.events.push(event);
        memory.bytes += event.length;
        while (countOf(memory) > maxEvents || memory.bytes > maxBytes) drop(memory, maxEvents);
      }
      if (events.length > 0) store.wake();
    },
    first: () => memory.first,
    next: () => memory.first + countOf(memory),
    from(number, atMost = maxBytes) {
      const begin = memory.start + Math.max(0, number - memory.first);
      let end = begin;
      let bytes = 0;
      do bytes += memory.events[end++]?.length ?? 0;
      while (end < memory.events.length && bytes + (memory.events[end]?.length ?? 0) <= atMost);
      return memory.events.slice(begin, end);
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

function drop(memory: Memory, maxEvents: number): void {
  memory.bytes -= memory.events[memory.start]?.length ?? 0;
  memory.events[memory.start] = DROPPED;
  memory.start += 1;
  memory.first += 1;
  if (memory.start < maxEvents) return;
  memory.events = memory.events.slice(memory.start); // once in 10,000 events
  memory.start = 0;
}
