/** What a receiver listens with: TCP for everybody, or TLS for the members of its group alone. receiver.ts makes one. */
import { createServer, type Server, type Socket } from "node:net";
import type { GroupFile } from "./group_file.ts";
import type { Intake } from "./intake.ts";
import type { Log } from "./log.ts";

export interface SocketServerOptions {
  /** @default none: everybody is served */
  groupFile?: GroupFile | undefined;
  /** Of all receivers of this process. */
  intake: Intake;
  log: Log;
}

export async function createSocketServer(
  { groupFile, intake, log }: SocketServerOptions,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  // Half open: a client that has said all (`printf … | nc -N`) still gets its acks.
  const how = { noDelay: true, allowHalfOpen: true };
  if (groupFile === undefined) return createServer(how, onConnection);
  const { tlsOptions, watchHandshakes } = await import("./handshakes.ts");
  const tls = await import("node:tls");
  const server = tls.createServer({ ...how, ...tlsOptions(groupFile) }, onConnection);
  watchHandshakes(server, { most: intake.maxGuests, count: () => intake.guests.size, log });
  return server;
}
