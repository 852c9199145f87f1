/** A network that can be broken: TCP proxies in front of the receivers, and the discovery that sends clients there. */
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { listen } from "../plumbing/listen.ts";

/**
 * What the network does with the bytes between a client and a receiver.
 * - `pass`: carries them
 * - `cut`: ends every connection and lets none in
 * - `slow`: carries each piece after 150 ms
 * - `lose requests`, `lose answers`: carries them in one direction only
 */
export type Weather = "pass" | "cut" | "slow" | "lose requests" | "lose answers";

const SLOW_MS = 150;

export interface Proxy {
  port: number;
  setWeather(weather: Weather): void;
  close(): void;
}

/** Listens on a port of its own and carries what comes to the port `to`. */
export async function startProxy(to: number): Promise<Proxy> {
  let weather: Weather = "pass";
  const sockets = new Set<Socket>();
  const damaged = new Set<Socket>(); // lost bytes: its frames don't fit together any more

  const server: Server = createServer({ noDelay: true }, (client) => {
    const receiver = connect({ port: to, host: "127.0.0.1", noDelay: true });
    for (const [from, into, loss] of [
      [client, receiver, "lose requests"],
      [receiver, client, "lose answers"],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        damaged.delete(from);
        into.destroy();
      });
      from.on("data", async (bytes) => {
        if (weather === loss) return void damaged.add(from);
        if (weather === "slow") {
          from.pause(); // so that the pieces stay in order
          await delay(SLOW_MS);
          from.resume();
        }
        into.write(bytes);
      });
    }
    if (weather === "cut") client.destroy();
  });

  return {
    port: await listen(server, 0, "127.0.0.1"),
    setWeather(next) {
      const ends = next === "cut" ? sockets : damaged;
      weather = next;
      for (const socket of ends) socket.destroy();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export interface Network {
  /** What the clients take for discovery. */
  url: string;
  /** All the proxies that there are. */
  proxies(): Proxy[];
  close(): void;
}

/** Answers as discovery does, but each receiver's port is that of the proxy in front of it. */
export async function startNetwork(discoveryUrl: string): Promise<Network> {
  const discovery = createDiscoveryApi(discoveryUrl);
  const proxies = new Map<number, Promise<Proxy>>(); // by the receiver's port
  function proxyTo(port: number): Promise<Proxy> {
    const proxy = proxies.get(port) ?? startProxy(port);
    proxies.set(port, proxy);
    return proxy;
  }
  const ready: Proxy[] = [];

  const server = createHttpServer(async (request, response) => {
    try {
      if (request.url === "/health") await discovery.health();
      const receivers = request.url === "/receivers" ? await discovery.list() : [];
      const moved = receivers.map(async (receiver) => {
        const proxy = await proxyTo(receiver.port);
        if (!ready.includes(proxy)) ready.push(proxy);
        return { ...receiver, host: "127.0.0.1", port: proxy.port };
      });
      response.setHeader("X-Complete", discovery.isComplete() ? "yes" : "no");
      response.end(JSON.stringify(await Promise.all(moved)));
    } catch {
      response.writeHead(502).end();
    }
  });
  return {
    url: `http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`,
    proxies: () => ready,
    close() {
      server.close();
      server.closeAllConnections();
      for (const proxy of ready) proxy.close();
    },
  };
}
