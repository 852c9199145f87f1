/** One attempt to get a message acked, and what a client remembers between attempts. */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../plumbing/log.ts";
import type { Result } from "../terminal/results.ts";
import type { Trace } from "../trace/trace.ts";
import type { DiscoveryApi } from "./discovery_api.ts";
import { type AttemptEnd, createLink, type Link } from "./link.ts";
import type { Ack, Receiver } from "./messages.ts";

/** While nothing answers at the receiver's port, one attempt a second is enough. */
const PAUSE_AFTER_FAILURE_MS = 1000;

export interface ClientOptions {
  ackTimeoutMs: number;
  /** How many attempts a message gets; may be Infinity. */
  attempts: number;
}

export interface Client extends ClientOptions {
  name: string;
  discovery: DiscoveryApi;
  log: Log;
  trace: Trace;
  /** Ends the program. */
  signal: AbortSignal;
  /** One connection per receiver, by host:port. */
  links: Map<string, Link>;
  /** Who wants the ack of an attempt that is over, by message id. */
  lateAcks: Map<string, (ack: Ack) => void>;
  /** The question to discovery that is under way: many that ask at once share one answer. */
  listing: Promise<Receiver[]> | undefined;
}

export function createClient(
  name: string,
  context: ClientOptions & Pick<Client, "discovery" | "log" | "trace" | "signal">,
): Client {
  return { ...context, name, links: new Map(), lateAcks: new Map(), listing: undefined };
}

/** One attempt: sends, and waits for the ack until the timeout. */
export async function attemptOnce(
  client: Client,
  receiver: Receiver,
  { id, attempt, body }: { id: string; attempt: number; body: string },
): Promise<AttemptEnd> {
  const { trace, name, ackTimeoutMs } = client;
  const clock = trace.tell(attempt === 1 ? "sent" : "retried", {
    message: id,
    attempt,
    receiver: receiver.id,
    timeout: ackTimeoutMs,
  });
  const message = { type: "message" as const, id, from: name, attempt, body, clock };
  const got = await linkTo(client, receiver).attempt(message);

  if (got.end === "acked") {
    const { receiver, duplicate, clock: heard } = got.ack;
    trace.tell("ack received", { message: id, attempt, receiver, duplicate, heard });
  } else if (got.end !== "cancelled") {
    const event = got.end === "timeout" ? "timed out" : "connection failed";
    trace.tell(event, { message: id, attempt, receiver: receiver.id, note: explain(client, got) });
  }
  return got;
}

export function explain({ ackTimeoutMs }: Client, got: AttemptEnd): string {
  if (got.end === "timeout") return `no ack within ${ackTimeoutMs / 1000}s`;
  if (got.end === "lost") return `connection lost (${got.reason})`;
  return got.end === "unreachable" ? `not reached (${got.reason})` : "given up";
}

export function giveUp({ trace }: Client, result: Result): Result {
  const { id, receiver, attempts, outcome, reason } = result;
  trace.tell("gave up", { message: id, attempt: attempts, receiver, outcome, note: reason });
  return result;
}

export function reasonOf(signal: AbortSignal): string {
  return typeof signal.reason === "string" ? signal.reason : "given up";
}

export async function pauseSince(attemptedAt: number, signal: AbortSignal): Promise<void> {
  const pause = Math.max(0, PAUSE_AFTER_FAILURE_MS - (performance.now() - attemptedAt));
  await delay(pause, undefined, { signal }).catch(() => {});
}

export function linkTo({ links, lateAcks, trace, ackTimeoutMs }: Client, { host, port }: Receiver): Link {
  const address = `${host}:${port}`;
  let link = links.get(address);
  if (link === undefined) {
    link = createLink({ host, port }, { ackTimeoutMs, onStrayAck });
    links.set(address, link);
  }
  return link;

  function onStrayAck(ack: Ack) {
    const { id, receiver, duplicate, clock: heard } = ack;
    const wanted = lateAcks.get(id);
    trace.tell(wanted ? "ack received" : "ack ignored", { message: id, receiver, duplicate, heard });
    wanted?.(ack);
  }
}

/** Ends every attempt under way; the next one opens its connection again. */
export function closeLinks({ links }: Client): void {
  for (const link of links.values()) link.close();
}
