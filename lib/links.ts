/** The client's end: connections kept open, with any number of messages in flight on each; acks are matched by id. */
import { isOpen, type Link, type LinkOptions } from "../plumbing/far_socket.ts";
import { createOutbox, type Outbox } from "../plumbing/outbox.ts";
import { connectTo } from "./answers.ts";
import { writeFrame } from "./framing.ts";
import type { Ack, Message, Receiver } from "./messages.ts";

const MAX_UNSENT_BYTES = 1024 * 1024; // that a connection keeps for a receiver that reads slowly; then one frame more
const MAX_OLD = 16; // connections that wait for late acks alone: of one message, and of those that have ended

/** How an attempt ended. What was `lost` may have been sent, what was `unreachable` was not. */
export type AttemptEnd = Acked | { how: "timeout" | "lost" | "unreachable" | "cancelled"; reason: string };
export type Acked = { how: "acked"; ack: Ack; by: Receiver };
export type LinksOptions = LinkOptions & Pick<Links, "ackTimeoutMs">;

export interface Links extends LinkOptions {
  ackTimeoutMs: number;
  onStrayAck: (ack: Ack, by: Receiver) => void; // gets the acks that nobody waits for (any more)
  current: Map<string, Connection>; // by host:port; new attempts take it
  all: Set<Connection>;
  idle: Set<Link>; // old connections that no message needs
  known: WeakSet<AbortSignal>; // signals whose abort ends the attempts under way
}

export interface Sending {
  id: string;
  signal: AbortSignal;
  acked: Acked | undefined;
  wake: ((end: AttemptEnd) => void) | undefined; // of who waits, for an attempt or between two
  routes: Connection[]; // by which its ack may come; the last is that of the attempt under way
  deadline: number; // of the attempt under way, by `performance.now()`; 0 while there is none
  makeFrame: (() => Message) | undefined; // of that attempt, as long as it isn't sent
  bytesBefore: number; // that its connection had brought when it began
}

interface Connection {
  links: Links;
  to: Receiver;
  address: string; // host:port
  socket: Link;
  sendings: Map<string, Sending>; // not ended, by id; in the order of their deadlines
  outbox: Outbox<Sending>;
  timer?: NodeJS.Timeout | undefined; // of all attempts on it
}

export function createLinks(given: LinksOptions & Pick<Links, "onStrayAck">): Links {
  return { ...given, current: new Map(), all: new Set(), idle: new Set(), known: new WeakSet() };
}

export function startSending(links: Links, id: string, signal: AbortSignal): Sending {
  if (!links.known.has(signal)) {
    links.known.add(signal);
    signal.addEventListener("abort", () => cancel(links, signal), { once: true });
  }
  const none = undefined; // all written out: to spread what is the same in all of them tripled the client's time
  return { id, signal, acked: none, wake: none, routes: [], deadline: 0, makeFrame: none, bytesBefore: 0 };
}

/** Makes one attempt, until its ack or its timeout. `makeFrame` is called when there is a connection to send on. */
export function tryOnce(links: Links, sending: Sending, to: Receiver, makeFrame: () => Message) {
  return new Promise<AttemptEnd>((resolve) => {
    const { id, routes } = sending;
    const found = links.current.get(`${to.host}:${to.port}`);
    const connection = found?.to.id === to.id && !found.socket.destroyed ? found : open(links, to);
    if (connection.sendings.delete(id)) routes.splice(routes.indexOf(connection), 1); // to the end of both
    connection.sendings.set(id, sending);
    if (routes.push(connection) > MAX_OLD) forget(routes.shift() as Connection, id);
    sending.wake = resolve;
    sending.makeFrame = makeFrame;
    sending.deadline = performance.now() + links.ackTimeoutMs;
    sending.bytesBefore = connection.socket.bytesRead;
    connection.timer ??= setTimeout(expire, links.ackTimeoutMs, connection);
    connection.outbox.whenRoom(sending);
  });
}

export function endSending({ id, routes }: Sending): void {
  for (const connection of routes) forget(connection, id);
}

export function closeLinks({ all }: Links): void {
  for (const { socket } of all) socket.destroy();
}

function open(links: Links, to: Receiver): Connection {
  const socket = connectTo(to, links, {
    onAck: (ack) => takeAck(connection, ack),
    onClose(cause) {
      clearTimeout(connection.timer);
      links.all.delete(connection);
      retire(connection);
      links.idle.delete(socket);
      for (const sending of underWay(connection)) settle(sending, failed(socket, cause));
    },
  });
  const address = `${to.host}:${to.port}`;
  const outbox = createOutbox(socket, MAX_UNSENT_BYTES, (sending: Sending) => {
    const { makeFrame, routes } = sending;
    if (!makeFrame || routes.at(-1) !== connection) return; // it is over already
    sending.makeFrame = undefined;
    writeFrame(socket, makeFrame());
  });
  const connection: Connection = { links, to, address, socket, sendings: new Map(), outbox };
  links.all.add(connection);
  const before = links.current.get(address);
  links.current.set(address, connection);
  if (before) retire(before);
  return connection;
}

/** The messages whose attempt under way is on this connection. */
function underWay(connection: Connection): Sending[] {
  const isHere = ({ deadline, routes }: Sending) => deadline > 0 && routes.at(-1) === connection;
  return [...connection.sendings.values()].filter(isHere);
}

function takeAck({ links, to, sendings }: Connection, ack: Ack): void {
  const sending = sendings.get(ack.id);
  if (!sending || sending.acked) return void links.onStrayAck(ack, to);
  sending.acked = { how: "acked", ack, by: to };
  settle(sending, sending.acked);
}

/** Ends the attempt under way, if there is one, and wakes who waits. */
function settle(sending: Sending, end: AttemptEnd): void {
  sending.makeFrame = undefined;
  sending.deadline = 0;
  sending.wake?.(end);
}

function failed({ bytesWritten }: Link, cause: string): AttemptEnd {
  if (bytesWritten > 0) return { how: "lost", reason: `connection lost (${cause})` };
  return { how: "unreachable", reason: `not reached (${cause})` };
}

/** Whether a message is over: acked, perhaps late and between two attempts, or given up. */
export function isOver({ acked, signal }: Sending): AttemptEnd | undefined {
  if (acked || !signal.aborted) return acked;
  return { how: "cancelled", reason: (signal.reason as Error).message };
}

/** Ends the attempts whose deadline has come: one timer for all is a tenth quicker than one each. */
function expire(connection: Connection): void {
  const { socket, links } = connection;
  const noAck = `no ack within ${links.ackTimeoutMs / 1000}s`;
  connection.timer = undefined;
  for (const sending of underWay(connection)) {
    const remainingMs = Math.ceil(sending.deadline - performance.now());
    if (remainingMs > 0) connection.timer ??= setTimeout(expire, remainingMs, connection);
    if (remainingMs > 0) return;
    // The ack may still come. But a connection on which nothing came since may be dead without a word.
    if (socket.bytesRead === sending.bytesBefore) retire(connection);
    const reason = sending.makeFrame ? "it doesn't read what was sent before" : noAck;
    const late = { how: "timeout", reason } as const;
    settle(sending, isOpen(socket) ? late : failed(socket, "no connection in time"));
  }
}

function retire(connection: Connection): void {
  const { links, address } = connection;
  if (links.current.get(address) === connection) links.current.delete(address);
  forget(connection, "");
}

/** An old connection that no message needs stays for late acks; too many of them are closed, the oldest first. */
function forget(old: Connection, id: string): void {
  const { links, address, sendings, socket } = old;
  sendings.delete(id);
  if (links.current.get(address) === old || sendings.size > 0) return;
  if (socket.writableLength > 0) socket.destroy(); // what was given up must not be sent after all
  if (!socket.destroyed) links.idle.add(socket);
  const [oldest] = links.idle.size > MAX_OLD ? links.idle : [];
  if (oldest && links.idle.delete(oldest)) oldest.destroy();
}

function cancel({ all }: Links, signal: AbortSignal): void {
  const given = [...all].flatMap(underWay).filter((sending) => sending.signal === signal);
  for (const sending of given) settle(sending, isOver(sending) as AttemptEnd);
}
