/**
 * The client's connection to one receiver: opened when it is needed, kept open, with any number of
 * messages in flight; an ack is matched to its message by the id, so acks may come in any order.
 */
import { connect, type Socket } from "node:net";
import { printable } from "../plumbing/log.ts";
import { createFrameReader, writeFrame } from "./framing.ts";
import { type Ack, AnswerSchema, type Message, readJson } from "./messages.ts";

/**
 * How one attempt ended for its sender.
 * - `acked`: the ack came
 * - `timeout`: sent, and no ack in time
 * - `lost`: sent, then the connection went away: it may or may not have been processed
 * - `unreachable`: there was no connection, so it provably was not sent
 * - `cancelled`: sent, and nobody waits for the ack any more
 */
export type AttemptEnd =
  | { end: "acked"; ack: Ack }
  | { end: "timeout" | "cancelled" }
  | { end: "lost" | "unreachable"; reason: string };

export interface Link {
  /**
   * Sends one attempt and waits for the ack of its message, until the timeout. An ack of an earlier
   * attempt, come late, counts too: it has the same id.
   */
  attempt(message: Message): Promise<AttemptEnd>;
  /** Ends the attempt of a message that is under way, as `cancelled`. */
  cancel(id: string): void;
  /** Closes the connection; attempts under way end as `lost` or `unreachable`. It opens again for the next. */
  close(): void;
}

interface Address {
  host: string;
  port: number;
}

export interface CreateLinkOptions {
  /** How long each attempt waits, in milliseconds. */
  ackTimeoutMs: number;
  /** Gets the acks that no attempt waits for: that of an earlier attempt, or one that comes twice. */
  onStrayAck?: (ack: Ack) => void;
}

/** One connection, from its opening to its end. */
interface Connection {
  socket: Socket;
  /**
   * The attempts under way, by message id, in the order of their deadlines (as `performance.now()`).
   * No Map: one that is added to and deleted from all the time gives the garbage collector twice the work.
   */
  waiting: Record<string, { deadline: number; resolve: (end: AttemptEnd) => void }>;
  /** Ends the attempts whose deadline has come: one for all, which is a tenth quicker than one each. */
  timer: NodeJS.Timeout | undefined;
}

/** Makes the link; the connection is opened by the first attempt. */
export function createLink(
  address: Address,
  { ackTimeoutMs, onStrayAck = () => {} }: CreateLinkOptions,
): Link {
  let current: Connection | undefined;
  return {
    attempt(message) {
      if (current === undefined || current.socket.destroyed) current = open(address, onStrayAck);
      const connection = current;
      return new Promise((resolve) => {
        connection.waiting[message.id] = { deadline: performance.now() + ackTimeoutMs, resolve };
        connection.timer ??= setTimeout(expire, ackTimeoutMs, connection);
        writeFrame(connection.socket, message);
      });
    },
    cancel(id) {
      if (current) settle(current, id, { end: "cancelled" });
    },
    close() {
      current?.socket.destroy(new Error("the client closed the connection"));
    },
  };
}

function open({ host, port }: Address, onStrayAck: (ack: Ack) => void): Connection {
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  const connection: Connection = { socket, waiting: Object.create(null), timer: undefined };
  let connected = false;
  let reason = "the receiver closed the connection";

  const readFrames = createFrameReader((line) => {
    const answer = readJson(AnswerSchema, line);
    if ("problem" in answer) throw new Error(`it answered what is no ack: ${answer.problem}`);
    const frame = answer.value;
    if (frame.type === "ack") {
      const awaited = settle(connection, frame.id, { end: "acked", ack: frame });
      if (!awaited) onStrayAck(frame);
    } else reason = `it answered ${frame.code}: ${printable(frame.message)}`;
  });

  socket.on("connect", () => {
    connected = true;
  });
  socket.on("data", (chunk) => {
    try {
      readFrames(chunk);
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    reason = error.code ?? error.message;
  });
  socket.on("close", () => {
    clearTimeout(connection.timer);
    const end = connected ? "lost" : "unreachable";
    for (const id of Object.keys(connection.waiting)) settle(connection, id, { end, reason });
  });
  return connection;
}

/** @returns false if nothing waits for that id (any more) */
function settle({ waiting }: Connection, id: string, end: AttemptEnd): boolean {
  const attempt = waiting[id];
  if (attempt === undefined) return false;
  delete waiting[id];
  attempt.resolve(end);
  return true;
}

function expire(connection: Connection): void {
  connection.timer = undefined;
  for (const [id, { deadline }] of Object.entries(connection.waiting)) {
    const left = deadline - performance.now();
    if (left > 0) {
      connection.timer = setTimeout(expire, Math.ceil(left), connection);
      return;
    }
    // Not connected yet: what was written is still in this process, and must not be sent after all.
    if (connection.socket.connecting)
      return void connection.socket.destroy(new Error("no connection in time"));
    settle(connection, id, { end: "timeout" });
  }
}
