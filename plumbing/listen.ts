/** Listens on a TCP port, for the roles that are servers. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/**
 * Resolves when the server listens. Port 0 is one that the system picks.
 *
 * @param host the address; undefined is every address of the machine
 * @returns the port that it listens on
 * @throws {Error} "Cannot listen on …", when the port is taken for example
 */
export async function listen(server: Server, port: number, host?: string): Promise<number> {
  try {
    await once(server.listen(port, host), "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const taken =
      "another program has that port (a discovery that still runs? AirPlay, on a Mac?); pass another --port, or 0 for any";
    const reason = code === "EADDRINUSE" ? taken : message;
    throw new Error(`Cannot listen on ${host ? `${host}:${port}` : `port ${port}`}: ${reason}`, {
      cause: error,
    });
  }
  return (server.address() as AddressInfo).port;
}

/** A port of this machine that is free now, `wanted` if it is, for who must know it before it listens. */
export async function findFreePort(wanted = 0): Promise<number> {
  const server = createServer();
  try {
    return await listen(server, wanted, "127.0.0.1");
  } catch (error) {
    if (wanted === 0) throw error;
    return findFreePort();
  } finally {
    server.close();
  }
}
