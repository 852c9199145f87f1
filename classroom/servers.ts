/** The servers of a class, in this process: discovery, and the monitor with the desk on its page. The demo starts them. */
import type { ChildProcess } from "node:child_process";
import { startDiscovery } from "../discovery.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { CannotObey } from "../monitor/desk_calls.ts";
import { startMonitor } from "../monitor.ts";
import { type GroupFile, memberFlags } from "../plumbing/group_file.ts";
import { findFreePort } from "../plumbing/listen.ts";
import { createLog, type LogOptions } from "../plumbing/log.ts";
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
  { groupFile, ...options }: LogOptions & { groupFile?: GroupFile | undefined },
  { receivers, flags = [], port: wanted = 5000, leases, withoutDiscovery, search = "/" }: ServersOptions,
) {
  const logOf = (name: string) => createLog(name, { ...options, writeLine: print });
  const [port, monitorPort] = [await findFreePort(wanted), await findFreePort(wanted && wanted + 1)];
  const urls = { discovery: `http://${HOST}:${port}`, monitor: `http://${HOST}:${monitorPort}` };
  const to = ["--discovery", urls.discovery, "--monitor", urls.monitor, ...memberFlags(groupFile)];
  const times = leases ?? { receiverTtlMs: 30_000, sweepEveryMs: 5000 };
  const discovery = createSwitch(async () => {
    if ((await findFreePort(port)) !== port)
      throw new CannotObey("changed", "Cannot start discovery: one runs");
    const outlets = await openOutlets({ ...urls, groupFile });
    return startDiscovery({ host: HOST, port, ...times, groupFile }, logOf("discovery"), outlets);
  });
  const client = createDeskClient({ ...urls, groupFile }, logOf("desk"));
  const start = (name: string) => startReceiver(name, [...to, ...flags], print);
  const desk = createDesk({ receivers, startReceiver: start, discovery, client });
  const place = { host: HOST, port: monitorPort, discovery: urls.discovery, groupFile };
  const page = await startMonitor({ ...place, desk }, logOf("monitor"));
  const shown = groupFile ? urls.monitor.replace("http:", "https:") : urls.monitor;
  print(`open ${shown}${search}#desk=${desk.key} in a browser`); // without a word more it fits in a row
  const elsewhere = port === 5000 ? [] : to.slice(0, 2);
  if (withoutDiscovery)
    print(`start discovery with: ${TSX} discovery.ts --port ${port} ${to.slice(2).join(" ")}`);
  else {
    await discovery.start();
    print(
      `discovery: ${urls.discovery}; join with: ${TSX} client.ts ${[...to.slice(2), ...elsewhere].join(" ")}`,
    );
  }
  async function close() {
    await client.close();
    discovery.stop();
    page.close();
  }
  return { discovery: urls.discovery, api: createDiscoveryApi(urls.discovery, { groupFile }), to, close };
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
