/**
 * Bounds what peers can hold of an HTTP server by their connections: how many there are, how many requests of one
 * wait, and how long an answer may lie there unread. serve() of http_server.ts calls it once.
 */
import type { Server, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import { MAX_OVER_TLS } from "./group_file.ts";
import { connectionsFor } from "./open_files.ts";
import { reset } from "./reset.ts";

export const CONNECTION_LIMITS = {
  /** An idle one takes 10 KB, one in the middle of its headers 14 KB. */
  maxConnections: 1000,
  /** Requests of one connection that have no answer yet: to ask before the answer is there is rare, but allowed. */
  maxPipelined: 4,
  /** How long a request may take to come, and how long an answer to be read: 16 MiB on a line of 20 Mbit/s take 7 s. */
  requestWithinMs: 10_000,
  answerWithinMs: 10_000,
  checkEveryMs: 1000,
};
export type ConnectionLimits = typeof CONNECTION_LIMITS;

interface Connection {
  /** When it was made, or its last answer ended. */
  since: number;
  /** What it is still to get, in order. */
  answers: Set<ServerResponse>;
  /** The first of them, when it was found whole and not yet read. */
  unread?: { answer: ServerResponse; since: number };
}

export interface Connections {
  /** Must be asked at each request: whether the connection is still there to be answered. */
  isThere(outgoing: ServerResponse): boolean;
  count(): number;
  most: number;
}

export function watchConnections(
  server: Server | HttpsServer,
  { maxConnections, maxPipelined, answerWithinMs, checkEveryMs }: ConnectionLimits,
): Connections {
  const connections = new Map<Socket, Connection>();
  const isTls = server instanceof TlsServer;
  const most = connectionsFor(isTls ? Math.min(maxConnections, MAX_OVER_TLS) : maxConnections);
  // Over TLS one counts when its handshake has ended; those before are counted in handshakes.ts.
  server.on(isTls ? "secureConnection" : "connection", (socket: Socket) => {
    const spare = connections.size >= most ? findSpare(connections) : undefined;
    if (spare) reset(spare);
    connections.set(socket, { since: performance.now(), answers: new Set() });
    socket.once("close", () => connections.delete(socket));
  });
  const checking = setInterval(() => {
    for (const [socket, connection] of connections) if (isLate(connection, answerWithinMs)) reset(socket);
  }, checkEveryMs).unref();
  server.once("close", () => clearInterval(checking));

  const isThere = (outgoing: ServerResponse) => {
    const { socket } = outgoing.req;
    const connection = connections.get(socket);
    if (connection === undefined || socket.destroyed) return false; // what it asked in one breath goes with it
    connection.answers.add(outgoing);
    outgoing.on("close", () => {
      connection.answers.delete(outgoing);
      connection.since = performance.now();
    });
    if (connection.answers.size > maxPipelined) socket.destroy();
    return !socket.destroyed;
  };
  return { isThere, most, count: () => connections.size };
}

/** The one to close when there is no room: of those that ask nothing, else of all, the one that is so the longest. */
function findSpare(connections: ReadonlyMap<Socket, Connection>): Socket | undefined {
  let spare: { socket: Socket; rank: number; since: number } | undefined;
  for (const [socket, { answers, since }] of connections) {
    if (socket.destroyed) continue;
    const rank = rankOf(answers);
    if (!spare || rank < spare.rank || (rank === spare.rank && since < spare.since))
      spare = { socket, rank, since };
  }
  return spare?.socket;
}

/** First those that ask nothing, last those whose answer goes on and on: a page that is open. */
function rankOf([first]: Iterable<ServerResponse>): number {
  if (first === undefined) return 0;
  return first.headersSent && !first.writableEnded ? 2 : 1;
}

/** Whether all of its answer has been there for so long, and not all of it was read. */
function isLate(connection: Connection, answerWithinMs: number): boolean {
  const [answer] = connection.answers;
  if (!answer?.writableEnded) return false;
  const now = performance.now();
  if (connection.unread?.answer !== answer) connection.unread = { answer, since: now };
  return now - connection.unread.since >= answerWithinMs;
}
