/** What the tests of the monitor's page share: a browser, and a group that sends it events. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { findFreePort } from "../plumbing/listen.ts";
import { discoveryUrl, type Role, startRole, stopRole } from "./helpers.ts";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Without a sandbox, as in a container there is none to be had; it only ever sees our own page. */
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @throws {Error} "Cannot find Chromium …" */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `Cannot find Chromium at ${CHROMIUM}: apt install chromium, or set CHROMIUM to where it is`,
    );
  }
  return chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

export interface WatchedGroup {
  /** Of the monitor. */
  url: string;
  /** Of discovery. */
  api: string;
  monitorPid: number;
  /** The options by which a role joins. */
  to: string[];
  /** Starts a role that sends its events to the monitor. */
  start(file: string, args: string[]): Role;
  stop(): Promise<void>;
}

/** Discovery and a monitor, as processes. */
export async function startWatchedGroup(discoveryArgs: string[] = []): Promise<WatchedGroup> {
  const local = ["--host", "127.0.0.1", "--port"];
  // Each needs the other's address, so one of them has to have a port that is known before.
  const port = String(await findFreePort());
  const url = `http://127.0.0.1:${port}`;
  const discovery = startRole("discovery.ts", [...local, "0", "--monitor", url, ...discoveryArgs]);
  const roles = [discovery];
  const api = await discoveryUrl(discovery);
  const monitor = startRole("monitor.ts", [...local, port, "--discovery", api]);
  roles.push(monitor);
  await monitor.says(/listening/);
  const to = ["--discovery", api, "--monitor", url];
  return {
    url,
    api,
    monitorPid: monitor.child.pid ?? 0,
    to,
    start(file, args) {
      const role = startRole(file, [...to, "--log-level", "warn", ...args]);
      roles.push(role);
      return role;
    },
    async stop() {
      await Promise.all(roles.reverse().map((role) => stopRole(role, "SIGKILL")));
    },
  };
}
