/** The servers of a class, in this process: discovery, and the monitor with the desk on its page. The demo starts them. */
import type { ChildProcess } from "node:child_process";
import { startDiscovery } from "../discovery.ts";
import { CannotObey } from "../monitor/desk_calls.ts";
import { startMonitor } from "../monitor.ts";
import { findFreePort } from "../plumbing/listen.ts";
import { createLog } from "../plumbing/log.ts";
import { TSX } from "../plumbing/printable.ts";
import { openOutlets } from "../trace/outlets.ts";
import { createDesk } from "./desk.ts";
import { createDeskClient } from "./desk_client.ts";
import { type Print, startReceiver } from "./processes.ts";

const HOST = "127.0.0.1";

export interface Leases {
  receiverTtlMs: number;
  sweepEveryMs: number;
}

export interface ServersOptions {
  /** Those that the desk rules, by name; it adds those that it starts. */
  receivers: Map<string, ChildProcess>;
  /** The options of a receiver that the desk starts. @default none */
  flags?: readonly string[];
  /** Of discovery, if it is free; the monitor's is the next. 0: what the system picks. @default {5000} */
  port?: number;
  /** @default {{ receiverTtlMs: 30_000, sweepEveryMs: 5000 }} */
  leases?: Leases | undefined;
  /** Discovery isn't started: how to do that is said. */
  withoutDiscovery?: true | undefined;
  /** What the page's address ends with, such as `/?lang=pt`. @default {"/"} */
  search?: string;
}

/** Starts both, and says where they are. @returns the options that name both */
export async function startServers(
  print: Print,
  options: Parameters<typeof createLog>[1],
  { receivers, flags = [], port: wanted = 5000, leases, withoutDiscovery, search = "/" }: ServersOptions,
) {
  const logOf = (name: string) => createLog(name, { ...options, writeLine: print });
  const [port, monitorPort] = [await findFreePort(wanted), await findFreePort(wanted && wanted + 1)];
  const urls = { discovery: `http://${HOST}:${port}`, monitor: `http://${HOST}:${monitorPort}` };
  const to = ["--discovery", urls.discovery, "--monitor", urls.monitor];
  const times = leases ?? { receiverTtlMs: 30_000, sweepEveryMs: 5000 };
  const discovery = createSwitch(async () => {
    if ((await findFreePort(port)) !== port)
      throw new CannotObey("changed", "Cannot start discovery: one runs");
    return startDiscovery({ host: HOST, port, ...times }, logOf("discovery"), await openOutlets(urls));
  });
  const client = createDeskClient(urls, logOf("desk"));
  const start = (name: string) => startReceiver(name, [...to, ...flags], print);
  const desk = createDesk({ receivers, startReceiver: start, discovery, client });
  const place = { host: HOST, port: monitorPort, discovery: urls.discovery };
  const page = await startMonitor({ ...place, desk }, logOf("monitor"));
  print(`the monitor's page: open ${urls.monitor}${search}#desk=${desk.key} in a browser`);
  const elsewhere = port === 5000 ? "" : ` --discovery ${urls.discovery}`;
  if (withoutDiscovery)
    print(`start discovery with: ${TSX} discovery.ts --port ${port} ${to.slice(2).join(" ")}`);
  else {
    await discovery.start();
    print(`discovery: ${urls.discovery}; join with: ${TSX} client.ts --monitor ${urls.monitor}${elsewhere}`);
  }
  async function close() {
    await client.close();
    discovery.stop();
    page.close();
  }
  return { discovery: urls.discovery, to, close };
}

/** A server that can be stopped and started again, at the same port. */
function createSwitch(listen: () => Promise<{ close(): void }>) {
  let server: { close(): void } | undefined;
  return {
    isUp: () => server !== undefined,
    async start() {
      server = await listen();
    },
    stop() {
      server?.close();
      server = undefined;
    },
  };
}
