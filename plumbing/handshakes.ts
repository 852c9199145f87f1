/**
 * TLS for those who listen: only members of the group are let in, and what a stranger can hold of a process before that
 * is bounded in number and time. Loaded with a group file alone; socket_server.ts and http_server.ts ask for it.
 */
import type { Socket } from "node:net";
import type { Server, TLSSocket, TlsOptions } from "node:tls";
import { explainFailure } from "./explain_failure.ts";
import type { GroupFile } from "./group_file.ts";
import type { Log } from "./log.ts";
import { noteCarrier } from "./reset.ts";

export const HANDSHAKE_WITHIN_MS = 5000;
const TELL_EVERY_MS = 1000; // of many strangers the log names one a second, and counts the others

export interface HandshakeOptions {
  /** How many connections the server takes, and how many it has. */
  most: number;
  count(): number;
  /** Is told of strangers. */
  log?: Log | undefined;
}

/** For a server, of HTTP or not. @param admitsStrangers who shows no certificate gets in, too, and is told apart later */
export function tlsOptions(groupFile: GroupFile, admitsStrangers = false): TlsOptions {
  const handshakeTimeout = HANDSHAKE_WITHIN_MS;
  return { ...groupFile, requestCert: true, rejectUnauthorized: !admitsStrangers, handshakeTimeout };
}

/** Bounds the handshakes under way: they take the places that are free, a tenth of all at least; then the oldest ends. */
export function watchHandshakes(server: Server, { most, count, log }: HandshakeOptions): void {
  const underWay = new Map<string, Socket>(); // by the peer's address and port, the oldest first
  const tell = createTeller(log);
  server.on("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    const places = Math.max(Math.ceil(most / 10), most - count());
    const [oldest] = underWay.size >= places ? underWay.values() : [];
    oldest?.destroy();
    underWay.set(peer, socket);
    socket.unref().once("close", () => underWay.get(peer) === socket && underWay.delete(peer));
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const carrier = underWay.get(peerOf(socket));
    if (carrier) noteCarrier(socket, carrier);
    underWay.delete(peerOf(socket));
    socket.ref();
    if (!server.listening) socket.destroy(); // it was closed meanwhile: who was inside is gone already
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const { authorizationError } = socket as { authorizationError?: string | Error | null };
    const { reason, isStranger } = explainFailure(
      typeof authorizationError === "string" ? { ...error, code: authorizationError } : error,
    );
    if (isStranger) tell(`not let in: ${socket.remoteAddress ?? "a stranger"}, ${reason}`);
    socket.destroy();
  });
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Warns once a second at most. */
function createTeller(log?: Log): (what: string) => void {
  let [untold, nextAt] = [0, 0];
  return (what) => {
    const now = performance.now();
    if (now < nextAt) {
      untold += 1;
      return;
    }
    log?.warn(untold > 0 ? `${what} (and ${untold} others since the last such line)` : what);
    [untold, nextAt] = [0, now + TELL_EVERY_MS];
  };
}
