/** A network that can be broken: TCP proxies in front of the receivers, and the discovery that sends clients there. */
import type { Server as HttpServer } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { DiscoveryApi } from "../lib/discovery_api.ts";
import { listen } from "../plumbing/listen.ts";
import { createHttpServer } from "./wires.ts";

/**
 * What the network does with the bytes between a client and a receiver.
 * - `pass`: carries them
 * - `cut`: ends every connection and lets none in
 * - `slow`: carries each piece after 150 ms
 * - `lose requests`, `lose answers`: carries them in one direction only
 */
export type Weather = "pass" | "cut" | "slow" | "lose requests" | "lose answers";

const SLOW_MS = 150;

/** Listens on a port of its own, and carries what comes to a receiver's port. */
export interface Proxy {
  port: number;
  to: number;
  weather: Weather;
  server: Server;
  sockets: Set<Socket>;
  damaged: Set<Socket>; // bytes of theirs were lost: their frames don't fit together any more
}

async function startProxy(to: number): Promise<Proxy> {
  const server = createServer({ noDelay: true });
  const port = await listen(server, 0, "127.0.0.1");
  const proxy: Proxy = { port, to, weather: "pass", server, sockets: new Set(), damaged: new Set() };
  server.on("connection", (client) => {
    const receiver = connect({ port: to, host: "127.0.0.1", noDelay: true });
    carry(proxy, client, receiver, "lose requests");
    carry(proxy, receiver, client, "lose answers");
    if (proxy.weather === "cut") client.destroy();
  });
  return proxy;
}

/** Carries the bytes of one direction, as the weather lets it. */
function carry(proxy: Proxy, from: Socket, into: Socket, loss: Weather): void {
  const { sockets, damaged } = proxy;
  sockets.add(from);
  from.on("error", () => {});
  from.on("close", () => {
    sockets.delete(from);
    damaged.delete(from);
    into.destroy();
  });
  from.on("data", async (bytes) => {
    if (proxy.weather === loss) return void damaged.add(from);
    if (proxy.weather === "slow") {
      from.pause(); // so that the pieces stay in order
      await delay(SLOW_MS);
      from.resume();
    }
    into.write(bytes);
  });
}

export function setWeather(proxy: Proxy, weather: Weather): void {
  proxy.weather = weather;
  for (const socket of weather === "cut" ? proxy.sockets : proxy.damaged) socket.destroy();
}

export interface Network {
  url: string; // what the clients take for discovery
  server: HttpServer;
  proxies: Proxy[];
}

/** Answers as discovery does, but each receiver's port is that of the proxy in front of it. */
export async function startNetwork(discovery: DiscoveryApi): Promise<Network> {
  const proxies: Proxy[] = [];
  const starting = new Map<number, Promise<Proxy>>(); // by the receiver's port
  async function start(port: number) {
    const proxy = await startProxy(port);
    proxies.push(proxy);
    return proxy;
  }
  const server = createHttpServer(async (_request, response) => {
    try {
      const { receivers, isComplete } = await discovery.list();
      const moved = receivers.map(async (receiver) => {
        const proxy = starting.get(receiver.port) ?? start(receiver.port);
        starting.set(receiver.port, proxy);
        return { ...receiver, host: "127.0.0.1", port: (await proxy).port };
      });
      response.setHeader("X-Complete", isComplete ? "yes" : "no");
      response.end(JSON.stringify(await Promise.all(moved)));
    } catch {
      response.writeHead(502).end();
    }
  });
  return { url: `http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`, server, proxies };
}

export function closeNetwork({ server, proxies }: Network): void {
  server.close();
  server.closeAllConnections();
  for (const proxy of proxies) {
    proxy.server.close();
    for (const socket of proxy.sockets) socket.destroy();
  }
}
