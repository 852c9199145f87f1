/** What a client hears of a receiver, told as an event. client.ts tells of its acks through here. */
import type { Ack, Receiver } from "../lib/messages.ts";
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
