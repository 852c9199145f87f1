/** A client's process from its start to its end, one message and its ack included: with tsx, and without. */
import { dirname } from "node:path";
import { startDiscovery, startReceivers } from "./ours.ts";
import { endedProcessorSeconds, isOnPath, start } from "./processes.ts";
import { showSpread, table } from "./statistics.ts";

const STARTS = { full: 5, quick: 1 }; // of each, in each round

export interface WayToStart {
  way: string;
  /** Why it can't be measured on this machine, if it can't. */
  missing?: string | undefined;
  /** Of each start, in milliseconds; processor time only with /proc. */
  ms: number[];
  processorMs: number[];
}

interface Way {
  way: string;
  missing?: string | undefined;
  command: readonly string[];
}

function waysToSend(discoveryUrl: string): Way[] {
  const client = ["client.ts", "--discovery", discoveryUrl, "--to", "0"];
  const node = process.execPath;
  const path = `PATH=${dirname(node)}:${process.env.PATH}`; // npx takes this node too
  const stripsTypes = "typescript" in process.features && process.features.typescript;
  return [
    { way: "node that does nothing", command: [node, "-e", "0"] },
    {
      way: "npx tsx client.ts --to 0",
      missing: isOnPath("npx") ? undefined : "no npx on the PATH",
      command: ["env", path, "npx", "tsx", ...client],
    },
    { way: "node --import tsx client.ts --to 0", command: [node, "--import", "tsx", ...client] },
    {
      way: "node client.ts --to 0",
      missing: stripsTypes ? undefined : `Node ${process.version} doesn't strip types`,
      command: [node, ...client],
    },
  ];
}

/** One after another, in turns. */
export async function measureStart({ rounds, isQuick }: { rounds: number; isQuick: boolean }) {
  const discovery = await startDiscovery();
  const receiver = startReceivers(discovery);
  await discovery.untilReceivers(1);
  const ways = waysToSend(discovery.url);
  const results = ways.map(({ way, missing }): WayToStart => ({ way, missing, ms: [], processorMs: [] }));
  for (let turn = 0; turn < rounds * (isQuick ? STARTS.quick : STARTS.full); turn++) {
    for (const [index, { missing, command }] of ways.entries()) {
      if (missing) continue;
      const { ms, processorMs } = await timeOne(command);
      results[index]?.ms.push(ms);
      if (processorMs !== undefined) results[index]?.processorMs.push(processorMs);
    }
  }
  await receiver.stop();
  await discovery.stop();
  return results;
}

async function timeOne([program = "", ...args]: readonly string[]) {
  const usedBefore = endedProcessorSeconds();
  const startedAt = performance.now();
  await start(program, args).output();
  const ms = performance.now() - startedAt;
  const usedAfter = endedProcessorSeconds();
  const isKnown = usedBefore !== undefined && usedAfter !== undefined;
  return { ms, processorMs: isKnown ? (usedAfter - usedBefore) * 1000 : undefined };
}

export function showStart(results: readonly WayToStart[]): string {
  const rows = results.map(({ way, missing, ms, processorMs }) =>
    missing
      ? [way, `not measured: ${missing}`]
      : [way, showSpread(ms), processorMs.length === 0 ? "no /proc" : showSpread(processorMs)],
  );
  return [
    "### A client from its start to its end",
    "With one message and its ack; each is started in turn.",
    table(["command", "ms", "processor time, ms"], rows),
  ].join("\n\n");
}
