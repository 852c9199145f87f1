/** What a receiver costs: time from start to registered and memory, as processes and as `--copies` in one. */
import { setTimeout as delay } from "node:timers/promises";
import { openFilesFor, openFilesLimit } from "../plumbing/open_files.ts";
import { startDiscovery, startReceivers } from "./ours.ts";
import { processorSeconds, residentBytes } from "./processes.ts";
import { show, showSpread, slope, table } from "./statistics.ts";

const PROCESSES = { full: 5, quick: 2 };
const COPIES = { full: [1, 100, 1000, 10_000], quick: [1, 100] };
const COPIES_WATCHED = 10_000; // how much processor time their heartbeats take
const WATCH_MS = 10_000;
const SETTLE_MS = 500; // what the start leaves to be done
const MIB = 1024 * 1024;

export interface CopiesCost {
  copies: number;
  ms: number;
  /** Of the receivers' process and of discovery's; undefined without /proc. */
  bytes: number | undefined;
  discoveryBytes: number | undefined;
}

export interface CopiesResult {
  processes: { ms: number; bytes: number | undefined }[];
  copies: CopiesCost[];
  skipped: number[];
  /** Of one processor, by heartbeats alone. */
  idle?: { copies: number; receivers: number; discovery: number } | undefined;
}

export async function measureCopies({ isQuick }: { isQuick: boolean }): Promise<CopiesResult> {
  const result: CopiesResult = { processes: [], copies: [], skipped: [] };
  result.processes = await measureProcesses(isQuick ? PROCESSES.quick : PROCESSES.full);
  for (const copies of isQuick ? COPIES.quick : COPIES.full) {
    if (openFilesFor(copies) > (openFilesLimit() ?? Infinity)) {
      result.skipped.push(copies);
      continue;
    }
    const discovery = await startDiscovery();
    const startedAt = performance.now();
    const receivers = startReceivers(discovery, { copies });
    await discovery.untilReceivers(copies);
    const ms = performance.now() - startedAt;
    await delay(SETTLE_MS);
    const bytes = residentBytes(receivers.pid);
    result.copies.push({ copies, ms, bytes, discoveryBytes: residentBytes(discovery.pid) });
    if (copies === COPIES_WATCHED) {
      const [ofReceivers, ofDiscovery] = await Promise.all([receivers, discovery].map(watchProcessor));
      if (ofReceivers !== undefined && ofDiscovery !== undefined) {
        result.idle = { copies, receivers: ofReceivers, discovery: ofDiscovery };
      }
    }
    await receivers.stop();
    await discovery.stop();
  }
  return result;
}

async function measureProcesses(count: number) {
  const discovery = await startDiscovery();
  const started = [];
  const costs: CopiesResult["processes"] = [];
  for (let n = 0; n < count; n++) {
    const startedAt = performance.now();
    const receiver = startReceivers(discovery, { logLevel: "info" });
    started.push(receiver);
    await receiver.says(/registered as/);
    const ms = performance.now() - startedAt;
    await delay(SETTLE_MS);
    costs.push({ ms, bytes: residentBytes(receiver.pid) });
  }
  for (const each of [...started, discovery]) await each.stop();
  return costs;
}

/** The share of one processor that a process takes. */
async function watchProcessor({ pid }: { pid: number }): Promise<number | undefined> {
  const before = processorSeconds(pid);
  await delay(WATCH_MS);
  const after = processorSeconds(pid);
  return before !== undefined && after !== undefined ? (after - before) / (WATCH_MS / 1000) : undefined;
}

const showMib = (bytes: readonly (number | undefined)[]) => {
  const known = bytes.filter((each) => each !== undefined).map((each) => each / MIB);
  return known.length === 0 ? "not measured: no /proc" : showSpread(known);
};

export function showCopies({ processes, copies, skipped, idle }: CopiesResult): string {
  const rows = copies.map(({ copies, ms, bytes, discoveryBytes }) => [
    `one process, --copies ${copies}`,
    show(ms),
    showMib([bytes]),
    showMib([discoveryBytes]),
  ]);
  const bytes = copies.flatMap(({ copies, bytes }) => (bytes === undefined ? [] : [{ x: copies, y: bytes }]));
  const time = slope(copies.map(({ copies, ms }) => ({ x: copies, y: ms })));
  const percent = (share: number) => `${show(share * 100)}%`;
  const lines = [
    "### What a receiver costs",
    table(
      ["receivers", "ms from start to registered", "MiB, their process", "MiB, discovery"],
      [
        [
          "a process each",
          showSpread(processes.map(({ ms }) => ms)),
          showMib(processes.map(({ bytes }) => bytes)),
          "",
        ],
        ...rows,
      ],
    ),
    `A copy more takes ${show(time)} ms${bytes.length > 1 ? ` and ${show(slope(bytes))} bytes` : ""}.`,
  ];
  if (idle) {
    lines.push(
      `The heartbeats of ${show(idle.copies)} copies, one each in 10 s, take ${percent(idle.receivers)} of a ` +
        `processor in their process and ${percent(idle.discovery)} in discovery.`,
    );
  }
  for (const copies of skipped) {
    lines.push(`--copies ${copies}: not measured, a process may open ${openFilesLimit()} files here.`);
  }
  return lines.join("\n\n");
}
