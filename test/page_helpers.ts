/** What the tests of the page share that need no browser: a model that knows the events' names, and events. */
import { type apply, createModel } from "../monitor/model.js";
import {
  CLIENT_EVENTS,
  DISCOVERY_EVENTS,
  MONITOR_EVENTS,
  RECEIVER_EVENTS,
  type TraceEvent,
} from "../trace/events.ts";

export const NAMES = {
  client: CLIENT_EVENTS,
  receiver: RECEIVER_EVENTS,
  discovery: DISCOVERY_EVENTS,
  monitor: MONITOR_EVENTS,
};

export const newModel = () => createModel(NAMES);
export type Model = Parameters<typeof apply>[0];

/** An event of a process that happens at `at`, which is its Lamport time too. */
export function told(
  process: string,
  at: number,
  event: TraceEvent["event"],
  details: Partial<TraceEvent> = {},
): TraceEvent {
  return { process, clock: at, at, event, ...details };
}
