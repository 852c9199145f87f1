/** Where the events of a role go besides its log: what `--record` and `--monitor` ask for. */
import * as kind from "../plumbing/kinds.ts";
import { LOG_OPTIONS, optional } from "../plumbing/options.ts";
import { openRecord } from "./record.ts";
import type { Outlet } from "./trace.ts";

/** How a role tells what happens in it. */
export const TRACE_OPTIONS = {
  record: optional(kind.text, "a file that gets a JSON line for each event [default: none]"),
  monitor: optional(kind.url, "the monitor that gets each event [default: none]"),
  ...LOG_OPTIONS,
};

export interface OpenOutletsOptions {
  /** A file. */
  record?: string | undefined;
  /** The address of a monitor. */
  monitor?: string | undefined;
}

/** For a process that will die without an end: sends a monitor what it has told, for two seconds at most. */
export let sayLastWords = async (): Promise<void> => {};

/** Opens what is asked for; without either, the trace has no outlet and costs nothing. */
export async function openOutlets({ record, monitor }: OpenOutletsOptions): Promise<Outlet[]> {
  const outlets: Outlet[] = [];
  if (record !== undefined) outlets.push(openRecord(record));
  if (monitor !== undefined) {
    // Loaded only now: discovery has no other need of got, which takes 20 MB.
    const { openMonitor, flushAll } = await import("./to_monitor.ts");
    outlets.push(openMonitor(monitor).tell);
    sayLastWords = flushAll;
  }
  return outlets;
}
