/** Recorded runs, shown instead of a live one: what `--replay` asks for. monitor.ts opens one. */
import type { Log } from "../plumbing/log.ts";
import { UsageError } from "../plumbing/options.ts";
import { TSX } from "../plumbing/printable.ts";
import { type Records, readRecords } from "../trace/read_records.ts";
import { createEventStore, type EventStore } from "./event_store.ts";

/** Events that are shown: a minute of the chaos test has some 45,000 of 10 MB, and who looks at more finds nothing. */
const MAX_EVENTS = 100_000;
const MAX_BYTES = 32 * 1024 * 1024; // of their JSON
const MAX_NAMED = 10; // lines that were cut

export interface Replay {
  store: EventStore;
  /** When it began and ended, in milliseconds since 1970. */
  first: number;
  last: number;
}

/** An event as it will go out, and what decides on its place among the others. */
interface Placed {
  json: Buffer;
  at: number;
  clock: number;
  number: number; // in the order in which they were read
}

/** Kept while reading: at most twice as much as is shown. */
interface Kept {
  events: Placed[];
  bytes: number;
}

/**
 * Reads records, `events.jsonl` of a monitor too, and puts the events of all processes in one order: by the clock on
 * the wall, at the same time by the Lamport clock, and else as they stand. Of too many it shows the last.
 *
 * @throws {UsageError} "Cannot replay: …" for a file that isn't there, or is no record
 */
export function openReplay(
  files: readonly string[],
  log: Log,
  { maxEvents = MAX_EVENTS, maxBytes = MAX_BYTES } = {},
): Replay {
  const limits = { maxEvents, maxBytes };
  const kept: Kept = { events: [], bytes: 0 };
  const records = readRecords(files);
  let count = 0;
  try {
    for (const { where: _where, ...event } of records) {
      const json = Buffer.from(JSON.stringify(event));
      kept.events.push({ json, at: event.at, clock: event.clock, number: count++ });
      kept.bytes += json.length;
      if (kept.events.length > 2 * maxEvents || kept.bytes > 2 * maxBytes) keepLast(kept, limits);
    }
    for (const file of files) checkHasEvents(file);
  } catch (error) {
    const hint = `Try: ${TSX} monitor.ts --replay receiver.jsonl client.jsonl (what --record wrote)`;
    throw new UsageError(`Cannot replay: ${(error as Error).message}\n${hint}`, { cause: error });
  }
  keepLast(kept, limits);
  const { events } = kept;
  tellWhatIsMissing(records, { shown: events.length, count }, log);
  const store = createEventStore(limits);
  store.add(events.map(({ json }) => json));
  return { store, first: events[0]?.at ?? 0, last: events.at(-1)?.at ?? 0 };
}

function keepLast(kept: Kept, { maxEvents, maxBytes }: { maxEvents: number; maxBytes: number }): void {
  const { events } = kept;
  events.sort((a, b) => a.at - b.at || a.clock - b.clock || a.number - b.number);
  let start = 0;
  for (; events.length - start > maxEvents || kept.bytes > maxBytes; start++)
    kept.bytes -= events[start]?.json.length ?? 0;
  events.splice(0, start);
}

function checkHasEvents(file: string): void {
  for (const _event of readRecords([file])) return;
  throw new Error(`there is no event in ${file}; is it a record?`);
}

function tellWhatIsMissing({ cut }: Records, { shown, count }: Record<"shown" | "count", number>, log: Log) {
  if (cut.length > 0)
    log.warn(
      `not written, so not shown: ${cut.length} lines that were cut (${cut.slice(0, MAX_NAMED).join(", ")})`,
    );
  if (shown < count)
    log.warn(`shows the last ${shown} of ${count} events: for the others, replay a part of the records`);
}
