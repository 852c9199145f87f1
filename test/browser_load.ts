/**
 * How the monitor and its page bear a large group: 200 receivers, 200 messages a second. Prints the frames
 * a second and the memory, every 15 seconds; exit code 1 when frames are under 30 or memory grows.
 *
 *     npm run test:browser-load -- --seconds 300
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { discoverReceivers, sendMessage } from "../client.ts";
import { closeLinks, createClient } from "../lib/attempt.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { createLog } from "../plumbing/log.ts";
import { parseOptions, whole } from "../plumbing/options.ts";
import { runIfMain } from "../plumbing/run.ts";
import { openOutlets } from "../trace/outlets.ts";
import { createTrace } from "../trace/trace.ts";
import { openBrowser, startWatchedGroup, type WatchedGroup } from "./browser_helpers.ts";
import { until } from "./helpers.ts";

const OPTIONS = {
  seconds: whole("300", 30, "how long"),
  receivers: whole("200", 1, "how many receivers"),
  rate: whole("200", 1, "messages a second"),
};
const REPORT_EVERY_S = 15;
const LEAST_FRAMES = 30;
const MOST_GROWTH = 1.3; // between the second report, when all is full, and the last

/** Sends messages at a steady rate until the signal. */
async function sendSteadily(group: WatchedGroup, rate: number, signal: AbortSignal): Promise<void> {
  const log = createLog("load", { logLevel: "error" });
  const trace = createTrace("client-load", { log, outlets: await openOutlets({ monitor: group.url }) });
  const discovery = createDiscoveryApi(group.api);
  const client = createClient("client-load", {
    discovery,
    log,
    trace,
    ackTimeoutMs: 2000,
    attempts: 5,
    signal,
  });
  const receivers = await discoverReceivers(client);
  let sent = 0;
  const startedAt = performance.now();
  while (!signal.aborted) {
    const due = ((performance.now() - startedAt) / 1000) * rate;
    for (; sent < due; sent++) {
      const receiver = receivers[sent % receivers.length];
      if (receiver) void sendMessage(client, receiver, `message ${sent}`, { signal });
    }
    await delay(5);
  }
  closeLinks(client);
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const { seconds, receivers, rate } = parseOptions("browser_load", OPTIONS, argv, {
    about: "How the monitor's page bears a large group.",
    example: "npm run test:browser-load -- --seconds 60",
  });
  const group = await startWatchedGroup();
  const browser = await openBrowser();
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort());
  try {
    const args = ["--copies", `${receivers}`, "--advertise-host", "127.0.0.1", "--fault-rate", "0.1"];
    group.start("receiver.ts", [
      ...args,
      "--fault",
      "silent,lost-ack,late-ack",
      "--late-by",
      "3s",
      "--seed",
      "1",
    ]);
    const discovery = createDiscoveryApi(group.api);
    await until("all are in the group", async () => (await discovery.list()).length === receivers, 60_000);
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    await page.goto(group.url);
    const devTools = await page.context().newCDPSession(page);
    void sendSteadily(group, rate, stop.signal);

    const memory: { page: number; monitor: number }[] = [];
    const frames: number[] = [];
    for (let second = 0; second < seconds; second += REPORT_EVERY_S) {
      frames.push(Number(await page.evaluate(COUNT_FRAMES)) / REPORT_EVERY_S);
      await devTools.send("HeapProfiler.collectGarbage");
      const { usedSize } = await devTools.send("Runtime.getHeapUsage");
      memory.push({ page: usedSize / 2 ** 20, monitor: residentMiB(group.monitorPid) });
      const { page: heap, monitor } = memory.at(-1) as (typeof memory)[0];
      const shown = [frames.at(-1), heap, monitor].map((value) => value?.toFixed(1));
      console.log(
        `${second + REPORT_EVERY_S} s: ${shown[0]} frames a second, page ${shown[1]} MiB, monitor ${shown[2]} MiB`,
      );
    }
    const growth = (memory.at(-1)?.page ?? 0) / (memory[Math.min(2, memory.length - 1)]?.page ?? 1);
    console.log(
      `least ${Math.min(...frames).toFixed(1)} frames a second; the page's memory grew by ${growth.toFixed(2)}`,
    );
    return Math.min(...frames) >= LEAST_FRAMES && growth <= MOST_GROWTH ? 0 : 1;
  } finally {
    stop.abort();
    await browser.close();
    await group.stop();
  }
}

/** Runs in the page. */
const COUNT_FRAMES = `new Promise((done) => {
  let frames = 0;
  const end = performance.now() + ${REPORT_EVERY_S * 1000};
  requestAnimationFrame(function count() {
    frames += 1;
    if (performance.now() < end) requestAnimationFrame(count);
    else done(frames);
  });
})`;

function residentMiB(pid: number): number {
  const [, kib] = readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/) ?? [];
  return Number(kib) / 1024;
}

await runIfMain(import.meta, main);
