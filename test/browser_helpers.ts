/** What the tests of the monitor's page share: a browser, and a group that sends it events. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { findFreePort, listen } from "../plumbing/listen.ts";
import type { TraceEvent } from "../trace/events.ts";
import { discoveryUrl, type Role, startRole, stopRole, until } from "./helpers.ts";
import { createHttpServer, fetch, groupFile } from "./wires.ts";

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
  ...(groupFile ? ["--ignore-certificate-errors"] : []), // about which it would ask a person
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

/** A monitor's address as a browser wants it: to the roles, `http://` means TLS, too, when there is a group file. */
export const addressOf = (url: string) => (groupFile ? url.replace(/^http:/, "https:") : url);

/**
 * Opens a page of ours; a network of this machine that comes or goes ends whatever Chromium was loading.
 * What else goes wrong in it is kept in `problems`.
 */
export async function visit(page: Page, url: string, problems: string[]): Promise<void> {
  let isCutOff = false;
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    if (message.text().includes("ERR_NETWORK_CHANGED")) isCutOff = true;
    else problems.push(message.text());
  });
  // From elsewhere: to an address that only differs after its # a browser doesn't go again.
  const goThere = () => page.goto("about:blank").then(() => page.goto(addressOf(url)));
  const isLoaded = () =>
    goThere().then(
      () => !isCutOff,
      () => false,
    );
  await until(
    "the page is loaded",
    async () => {
      isCutOff = false;
      return await isLoaded();
    },
    60_000,
  );
}

/** How many frames a second the page draws, over some seconds. */
export async function countFrames(page: Page, seconds: number): Promise<number> {
  return Number(await page.evaluate(`(${COUNT_FRAMES})(${seconds})`));
}

/** Runs in the page. One that is busy may end late: what counts is how long it took. */
const COUNT_FRAMES = `(forSeconds) => new Promise((done) => {
  let frames = 0;
  const startedAt = performance.now();
  requestAnimationFrame(function count() {
    frames += 1;
    const seconds = (performance.now() - startedAt) / 1000;
    if (seconds < forSeconds) requestAnimationFrame(count);
    else done(frames / seconds);
  });
})`;

/** What the page's JavaScript keeps, in MiB. */
export async function heapOf(page: Page): Promise<number> {
  const devTools = await page.context().newCDPSession(page);
  await devTools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devTools.send("Runtime.getHeapUsage");
  await devTools.detach();
  return usedSize / 2 ** 20;
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

export interface WatchedCrowd {
  /** Of the monitor. */
  url: string;
  /** Gives the monitor events, up to 500 of them. */
  tell(events: TraceEvent[]): Promise<void>;
  stop(): Promise<void>;
}

/** A monitor, and a discovery that only says that so many receivers are in the group. */
export async function startWatchedCrowd(receivers: number): Promise<WatchedCrowd> {
  const list = Array.from({ length: receivers }, (_, n) => ({
    id: `id-${n}`,
    host: "a",
    port: 1 + (n % 65535),
  }));
  const discovery = createHttpServer(({ url }, answer) => {
    const seen = list.map((each) => ({ ...each, last_seen: Date.now() / 1000 }));
    const told = url === "/health" ? { status: "ok", receivers } : seen;
    answer.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(told));
  });
  const port = await listen(discovery, 0, "127.0.0.1");
  const local = ["--host", "127.0.0.1", "--port", "0"];
  const monitor = startRole("monitor.ts", [...local, "--discovery", `http://127.0.0.1:${port}`]);
  const [, monitorPort] = await monitor.says(/listening on .*port (\d+)/);
  const url = `http://127.0.0.1:${monitorPort}`;
  return {
    url,
    async tell(events) {
      const body = JSON.stringify({ events });
      const headers = { "Content-Type": "application/json" };
      const signal = AbortSignal.timeout(10_000);
      const answer = await fetch(`${url}/events`, { method: "POST", body, headers, signal });
      if (!answer.ok) throw new Error(`Cannot tell the monitor: ${answer.status} ${await answer.text()}`);
    },
    async stop() {
      await stopRole(monitor, "SIGKILL");
      discovery.close();
      discovery.closeAllConnections();
    },
  };
}
