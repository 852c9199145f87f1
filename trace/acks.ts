/** What a client hears of a receiver, or doesn't, told as an event. client.ts tells through here how its attempts end. */
import type { AttemptEnd } from "../lib/links.ts";
import type { Ack, Receiver } from "../lib/messages.ts";
import type { EventDetails } from "./events.ts";
import type { Trace } from "./trace.ts";

/**
 * Who acked is whom the client asked, `by`, on whose connection the ack came. What that one calls itself is told where it
 * is another name.
 *
 * @param attempt if it is known
 */
export function tellAck(
  trace: Trace,
  event: "ack received" | "ack ignored",
  { ack: { id, receiver, duplicate, clock: heard }, by }: { ack: Ack; by: Receiver },
  attempt?: number,
): void {
  const acker = receiver === by.id ? undefined : receiver;
  trace.tell(event, { message: id, attempt, receiver: by.id, acker, duplicate, heard });
}

/** Of which attempt something is told. */
export type Attempt = Pick<EventDetails, "message" | "attempt" | "receiver" | "timeout">;

/** An attempt ended, and perhaps without the ack of the receiver that it asked. */
export function tellFailure(trace: Trace, about: Attempt, end: AttemptEnd): void {
  if (end.how === "cancelled" || (end.how === "acked" && end.by.id === about.receiver)) return;
  const failure = end.how === "timeout" ? "timed out" : "connection failed";
  if (end.how !== "acked") return void trace.tell(failure, { ...about, note: end.reason });
  trace.tell("gave up", { ...about, outcome: "acked", note: "the late ack of another came first" });
}
