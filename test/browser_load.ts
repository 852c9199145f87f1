/**
 * How the monitor and its page bear a large group: 200 receivers, 200 messages a second. Prints the frames
 * a second and the memory, every 15 seconds; exit code 1 when frames are under 30 or memory grows.
 *
 *     npm run test:browser-load -- --seconds 300
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import { discoverReceivers, sendMessage } from "../client.ts";
import { closeLinks } from "../lib/links.ts";
import { createChildController } from "../plumbing/child_controller.ts";
import * as kind from "../plumbing/kinds.ts";
import { createLog } from "../plumbing/log.ts";
import { option, parseOptions } from "../plumbing/options.ts";
import { runIfMain } from "../plumbing/run.ts";
import { openOutlets } from "../trace/outlets.ts";
import { createTrace } from "../trace/trace.ts";
import {
  addressOf,
  countFrames,
  heapOf,
  openBrowser,
  startWatchedGroup,
  type WatchedGroup,
} from "./browser_helpers.ts";
import { until } from "./helpers.ts";
import { createClient, createDiscoveryApi, groupFile } from "./wires.ts";

const OPTIONS = {
  seconds: option(kind.whole(30), "300", "how long"),
  receivers: option(kind.whole(1), "200", "how many receivers"),
  rate: option(kind.whole(1), "200", "messages a second"),
};
const REPORT_EVERY_S = 15;
const LEAST_FRAMES = 30;
const MOST_GROWTH = 1.3; // between the second report, when all is full, and the last

/** Sends messages at a steady rate until the signal. */
async function sendSteadily(group: WatchedGroup, rate: number, signal: AbortSignal): Promise<void> {
  const log = createLog("load", { logLevel: "error" });
  const trace = createTrace("client-load", {
    log,
    outlets: await openOutlets({ monitor: group.url, groupFile }),
  });
  const discovery = createDiscoveryApi(group.api);
  const client = createClient({
    name: "client-load",
    discovery,
    log,
    trace,
    ackTimeoutMs: 2000,
    maxAttempts: 5,
  });
  const receivers = await discoverReceivers(client, signal);
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
  closeLinks(client.links);
}

/** Says every 15 seconds how the page and the monitor do. @returns whether they bear it */
async function watch(page: Page, { monitorPid }: WatchedGroup, seconds: number): Promise<boolean> {
  const frames: number[] = [];
  const memory: number[] = []; // of the page, in MiB
  for (let second = REPORT_EVERY_S; second < seconds + REPORT_EVERY_S; second += REPORT_EVERY_S) {
    const rate = await countFrames(page, REPORT_EVERY_S);
    const heap = await heapOf(page);
    frames.push(rate);
    memory.push(heap);
    const [framesShown, heapShown, monitorShown] = [rate, heap, residentMiB(monitorPid)].map((value) =>
      value.toFixed(1),
    );
    console.log(
      `${second} s: ${framesShown} frames a second, page ${heapShown} MiB, monitor ${monitorShown} MiB`,
    );
  }
  const least = Math.min(...frames);
  const growth = (memory.at(-1) ?? 0) / (memory[Math.min(2, memory.length - 1)] ?? 1);
  console.log(`least ${least.toFixed(1)} frames a second; the page's memory grew by ${growth.toFixed(2)}`);
  return least >= LEAST_FRAMES && growth <= MOST_GROWTH;
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const { seconds, receivers, rate } = parseOptions("browser_load", OPTIONS, argv, {
    about: "How the monitor's page bears a large group.",
    example: "npm run test:browser-load -- --seconds 60",
  });
  const group = await startWatchedGroup();
  const browser = await openBrowser();
  const stop = createChildController(signal);
  try {
    group.start("receiver.ts", [
      ...["--copies", `${receivers}`, "--advertise-host", "127.0.0.1", "--fault-rate", "0.1"],
      ...["--fault", "silent,lost-ack,late-ack", "--late-by", "3s", "--seed", "1"],
    ]);
    const discovery = createDiscoveryApi(group.api);
    const isWhole = async () => (await discovery.list()).receivers.length === receivers;
    await until("all are in the group", isWhole, 60_000);
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    await page.goto(addressOf(group.url));
    void sendSteadily(group, rate, stop.signal);
    return (await watch(page, group, seconds)) ? 0 : 1;
  } finally {
    stop.abort("it is over");
    await browser.close();
    await group.stop();
  }
}

function residentMiB(pid: number): number {
  const [, kib] = readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/) ?? [];
  return Number(kib) / 1024;
}

await runIfMain(import.meta, main);
