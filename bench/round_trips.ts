/** Round trips: how many messages a second are acked, and how long each takes, beside the peers. */
import { median, medianRatio, show, showSpread, table } from "./statistics.ts";
import { type Measurement, OURS, type Server, SYSTEMS } from "./systems.ts";

/** Each `count` takes our client one to three seconds. */
export const CELLS = [
  { inFlight: 1, bytes: 16, count: 40_000 },
  { inFlight: 64, bytes: 16, count: 300_000 },
  { inFlight: 1024, bytes: 16, count: 250_000 },
  { inFlight: 64, bytes: 1024, count: 150_000 },
  { inFlight: 64, bytes: 64 * 1024, count: 12_000 },
] as const;
const QUICK_SHARE = 1 / 20;

export interface RoundTrip extends Measurement {
  system: string;
  inFlight: number;
  bytes: number;
  round: number;
  perSecond: number;
}

export interface RoundTripOptions {
  rounds: number;
  isQuick: boolean;
  say: (line: string) => void;
  /** Is told of what broke; the rest goes on. */
  onBroken: (what: string, error: Error) => void;
}

/** Each round starts all servers anew; each cell asks one after another, in another order each round. */
export async function measureRoundTrips({ rounds, isQuick, say, onBroken }: RoundTripOptions) {
  const results: RoundTrip[] = [];
  for (let round = 0; round < rounds; round++) {
    const servers: { system: string; server: Server }[] = [];
    for (const { name, missing, start } of rotated(SYSTEMS, round)) {
      if (missing) continue;
      await start().then(
        (server) => servers.push({ system: name, server }),
        (error) => onBroken(`${name}: its server`, error),
      );
    }
    for (const { inFlight, bytes, count: fullCount } of CELLS) {
      const count = isQuick ? fullCount * QUICK_SHARE : fullCount;
      for (const { system, server } of servers) {
        try {
          const measured = await server.measure({ inFlight, bytes, count, isQuick });
          const perSecond = measured.messages / measured.seconds;
          results.push({ system, inFlight, bytes, round, perSecond, ...measured });
          say(`round ${round + 1}, ${nameCell({ inFlight, bytes })}, ${system}: ${show(perSecond)} a second`);
        } catch (error) {
          onBroken(`${system}, ${nameCell({ inFlight, bytes })}`, error as Error);
        }
      }
    }
    for (const { system, server } of servers) {
      await server.stop().catch((error) => onBroken(`${system}: its server`, error));
    }
  }
  return results;
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

/** Three tables: round trips a second, ours as a multiple of each peer's, and the latencies. */
export function showRoundTrips(results: readonly RoundTrip[]): string {
  function tableOf(first: string, showCell: (of: RoundTrip[], cell: CellName) => string, names = SYSTEMS) {
    const rows = names.map(({ name, missing }) => {
      const cells = CELLS.map((cell, column) => {
        const of = ofCell(results, name, cell);
        if (of.length > 0) return showCell(of, cell);
        return missing === undefined ? "broke" : column === 0 ? `not measured: ${missing}` : "";
      });
      return [name, ...cells];
    });
    return table([first, ...CELLS.map(nameCell)], rows);
  }
  const byRound = (of: RoundTrip[]) => new Map(of.map(({ round, perSecond }) => [round, perSecond]));
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
  ].join("\n\n");
}
