/** The servers of a class, in this process: discovery and the monitor, which need each other's address. The demo starts them. */
import { startDiscovery } from "../discovery.ts";
import { startMonitor } from "../monitor.ts";
import { findFreePort } from "../plumbing/listen.ts";
import { createLog } from "../plumbing/log.ts";
import { TSX } from "../plumbing/printable.ts";
import { openOutlets } from "../trace/outlets.ts";
import type { Print } from "./processes.ts";

/** Starts both, and says where they are. @returns the options that name both */
export async function startServers(print: Print, options: Parameters<typeof createLog>[1]) {
  const log = createLog("discovery", { ...options, writeLine: print });
  const host = "127.0.0.1";
  const port = await findFreePort(5000);
  const discovery = `http://${host}:${port}`;
  const monitorLog = createLog("monitor", { ...options, writeLine: print });
  const page = await startMonitor({ host, port: await findFreePort(5001), discovery }, monitorLog);
  const monitor = `http://${host}:${page.port}`;
  const leases = { receiverTtlMs: 30_000, sweepEveryMs: 5000 };
  const server = await startDiscovery({ host, port, ...leases }, log, await openOutlets({ monitor }));
  print(`the monitor's page: open ${monitor} in a browser`);
  const elsewhere = port === 5000 ? "" : ` --discovery ${discovery}`;
  print(`discovery: ${discovery}; join with: ${TSX} client.ts --monitor ${monitor}${elsewhere}`);
  const close = () => [server, page].forEach((each) => void each.close());
  return { discovery, to: ["--discovery", discovery, "--monitor", monitor], close };
}
