/** Round trips: how many messages a second are acked, and how long each takes, beside the peers. */
import { median, medianRatio, show, showSpread, spread, table } from "./statistics.ts";
import { type Cell, type Measurement, OURS, type Server, SYSTEMS, type System } from "./systems.ts";

/** Each `count` takes our client one to three seconds. */
export const CELLS = [
  { inFlight: 1, bytes: 16, count: 40_000 },
  { inFlight: 64, bytes: 16, count: 300_000 },
  { inFlight: 1024, bytes: 16, count: 250_000 },
  { inFlight: 64, bytes: 1024, count: 150_000 },
  { inFlight: 64, bytes: 64 * 1024, count: 12_000 },
] as const;
const QUICK_SHARE = 1 / 20;
const JUST_START = { inFlight: 1, bytes: 16, count: 2 };
const FLOOR = "bare socket";
const MAX_SPREAD = 0.15; // of the floor between the rounds; more is somebody else's load

export interface RoundTrip extends Measurement {
  system: string;
  inFlight: number;
  bytes: number;
  round: number;
  perSecond: number;
  /** Processor time, in seconds: of a client that only starts, and of the server for these messages. */
  startSeconds?: number | undefined;
  serverSeconds?: number | undefined;
}

export interface RoundTripOptions {
  /** Only systems whose name has this in it, and the floor, which shows whether the run was disturbed. */
  system?: string | undefined;
  rounds: number;
  isQuick: boolean;
  say: (line: string) => void;
  /** Is told of what broke; the rest goes on. */
  onBroken: (what: string, error: Error) => void;
}

/** Each round starts all servers anew; each cell asks one after another, in another order each round. */
export async function measureRoundTrips({
  system: wanted = "",
  rounds,
  isQuick,
  say,
  onBroken,
}: RoundTripOptions) {
  const results: RoundTrip[] = [];
  for (let round = 0; round < rounds; round++) {
    const servers: StartedSystem[] = [];
    for (const { name, missing, start } of rotated(SYSTEMS, round)) {
      if (missing || !(name.includes(wanted) || name === FLOOR)) continue;
      try {
        const server = await start();
        const { clientSeconds } = await server.measure({ ...JUST_START, isQuick });
        servers.push({ system: name, server, startSeconds: clientSeconds });
      } catch (error) {
        onBroken(`${name}: its server`, error as Error);
      }
    }
    for (const { inFlight, bytes, count: fullCount } of CELLS) {
      const count = isQuick ? fullCount * QUICK_SHARE : fullCount;
      for (const started of servers) {
        try {
          const result = { round, ...(await measureCell(started, { inFlight, bytes, count, isQuick })) };
          results.push(result);
          say(
            `round ${round + 1}, ${nameCell(result)}, ${result.system}: ${show(result.perSecond)} a second`,
          );
        } catch (error) {
          onBroken(`${started.system}, ${nameCell({ inFlight, bytes })}`, error as Error);
        }
      }
    }
    for (const { system, server } of servers) {
      await server.stop().catch((error) => onBroken(`${system}: its server`, error));
    }
  }
  return results;
}

interface StartedSystem {
  system: string;
  server: Server;
  startSeconds: number | undefined;
}

async function measureCell({ system, server, startSeconds }: StartedSystem, cell: Cell) {
  const { inFlight, bytes } = cell;
  const before = server.processorSeconds() ?? Number.NaN;
  const measured = await server.measure(cell);
  const serverSeconds = (server.processorSeconds() ?? Number.NaN) - before;
  const perSecond = measured.messages / measured.seconds;
  return { system, inFlight, bytes, perSecond, ...measured, startSeconds, serverSeconds };
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

type CellName = Pick<RoundTrip, "inFlight" | "bytes">;

function nameCell({ inFlight, bytes }: CellName): string {
  return `${show(inFlight)} × ${bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`}`;
}

export function ofCell(results: readonly RoundTrip[], system: string, { inFlight, bytes }: CellName) {
  return results.filter(
    (each) => each.system === system && each.inFlight === inFlight && each.bytes === bytes,
  );
}

const byRound = (of: readonly RoundTrip[]) => new Map(of.map(({ round, perSecond }) => [round, perSecond]));

/** Four tables: round trips a second, ours as a multiple of each peer's, the latencies, and processor time. */
export function showRoundTrips(results: readonly RoundTrip[]): string {
  function tableOf(first: string, showCell: (of: RoundTrip[], cell: CellName) => string, names = SYSTEMS) {
    const rows = names.filter(isShown).map(({ name, missing }) => {
      const cells = CELLS.map((cell, column) => {
        const of = ofCell(results, name, cell);
        if (of.length > 0) return showCell(of, cell);
        return missing === undefined ? "broke" : column === 0 ? `not measured: ${missing}` : "";
      });
      return [name, ...cells];
    });
    return table([first, ...CELLS.map(nameCell)], rows);
  }
  const isShown = ({ name, missing }: System) =>
    missing !== undefined || results.some(({ system }) => system === name);
  const peers = SYSTEMS.filter(({ name }) => name !== OURS);
  return [
    "### Round trips acked a second: median (lowest–highest)",
    "Columns: messages in flight × size of the body. The bare sockets send the whole frame back, the others a short ack.",
    tableOf("system", (of) => showSpread(of.map((each) => each.perSecond))),
    "### How many times as many this project makes",
    "The median of the rounds' ratios; below 1 the peer makes more.",
    tableOf(
      "beside",
      (of, cell) => {
        const ratio = medianRatio(byRound(ofCell(results, OURS, cell)), byRound(of));
        return ratio === undefined ? "" : `${show(ratio)}×`;
      },
      peers,
    ),
    "### Latency in ms: median / 99th percentile, medians of the rounds",
    tableOf("system", (of) => {
      const of99 = median(of.map((each) => each.p99Ms));
      return `${show(median(of.map((each) => each.medianMs)))} / ${show(of99)}`;
    }),
    "### Processor time a message in µs: client / server, medians of the rounds",
    "The client's without that of its start. It is steadier than the rate where others use the machine as well.",
    tableOf("system", showProcessorTime),
    ...showDisturbed(results),
  ].join("\n\n");
}

function showProcessorTime(of: readonly RoundTrip[]): string {
  const microseconds = (secondsOf: (of: RoundTrip) => number) =>
    median(of.map((each) => (secondsOf(each) / each.messages) * 1e6));
  const client = microseconds(
    ({ clientSeconds = Number.NaN, startSeconds = Number.NaN }) => clientSeconds - startSeconds,
  );
  const server = microseconds(({ serverSeconds = Number.NaN }) => serverSeconds);
  return Number.isNaN(client + server) ? "no /proc" : `${show(client)} / ${show(server)}`;
}

/** The floor does the same each round; where it doesn't, another load had the processors, and no figure counts. */
function showDisturbed(results: readonly RoundTrip[]): string[] {
  const disturbed = CELLS.filter((cell) => {
    const rates = ofCell(results, FLOOR, cell).map(({ perSecond }) => perSecond);
    if (rates.length === 0) return false;
    const { median, min, max } = spread(rates);
    return (max - min) / median > MAX_SPREAD;
  });
  if (disturbed.length === 0) return [];
  const cells = disturbed.map(nameCell).join(", ");
  return [
    `**Disturbed**: the ${FLOOR} itself differs by more than ${MAX_SPREAD * 100} % from round to round (${cells}). Measure again.`,
  ];
}
