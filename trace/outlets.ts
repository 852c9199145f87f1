/** Where the events of a role go besides its log: what `--record` and `--monitor` ask for. */
import { GROUP_OPTIONS, type GroupFile } from "../plumbing/group_file.ts";
import * as kind from "../plumbing/kinds.ts";
import { LOG_OPTIONS, optional } from "../plumbing/options.ts";
import { openRecord } from "./record.ts";
import type { Outlet } from "./trace.ts";

/** How a role tells what happens in it. */
export const TRACE_OPTIONS = {
  record: optional(kind.text, "a file that gets a JSON line for each event [default: none]"),
  monitor: optional(kind.url, "the monitor that gets each event [default: none]"),
  ...GROUP_OPTIONS,
  ...LOG_OPTIONS,
};

export interface OpenOutletsOptions {
  /** A file. */
  record?: string | undefined;
  /** The address of a monitor. */
  monitor?: string | undefined;
  /** The group that the monitor is of. */
  groupFile?: GroupFile | undefined;
}

/** For a process that will die without an end: sends a monitor what it has told, for two seconds at most. */
export let sayLastWords = async (): Promise<void> => {};

/** Opens what is asked for; without either, the trace has no outlet and costs nothing. */
export async function openOutlets({ record, monitor, groupFile }: OpenOutletsOptions): Promise<Outlet[]> {
  const outlets: Outlet[] = [];
  if (record !== undefined) outlets.push(openRecord(record));
  if (monitor !== undefined) {
    // Loaded only now: nothing else in a role needs got, which takes 14 MB and a fifth of its start.
    const { openMonitor, flushAll } = await import("./to_monitor.ts");
    outlets.push(openMonitor(monitor, { groupFile }).tell);
    sayLastWords = flushAll;
  }
  return outlets;
}
