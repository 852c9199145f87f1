/** What happens to a member of the group, told as an event. discovery.ts has its registry tell it through here. */
import type { Receiver } from "../lib/messages.ts";
import type { Trace } from "./trace.ts";

export type Change = "registered" | "replaced" | "left" | "expired";
/** Hears what happens to a member of the group. */
export type OnChange = (change: Change, receiver: Receiver) => void;

/** @param ttlMs how long the lease of one that registers lasts */
export function tellChanges(trace: Trace, ttlMs: number): OnChange {
  return (change, { id, host, port }) => {
    const lease = change === "registered" ? ttlMs : undefined;
    trace.tell(change, { receiver: id, note: `${host}:${port}`, lease });
  };
}
