/** Several clients that send to several receivers, a process each, and one that sends to a thousand: what they make together. */
import { cpus } from "node:os";
import { openFilesFor, openFilesLimit } from "../plumbing/open_files.ts";
import { startDiscovery, startReceivers } from "./ours.ts";
import { type Started, startScript } from "./processes.ts";
import { median, show, showSpread, table } from "./statistics.ts";

interface Crowd {
  clients: number;
  receivers: number; // to all of whom each client sends
  processes: number; // that the receivers share
  inFlight: number; // of each client with each receiver
}

const FEW: Crowd[] = [
  { clients: 1, receivers: 1, processes: 1, inFlight: 64 },
  { clients: 1, receivers: 4, processes: 4, inFlight: 64 },
  { clients: 2, receivers: 1, processes: 1, inFlight: 64 },
  { clients: 2, receivers: 4, processes: 4, inFlight: 64 },
  { clients: 4, receivers: 4, processes: 4, inFlight: 64 },
];
const MANY: Crowd = { clients: 1, receivers: 1000, processes: 1, inFlight: 1 };
const CROWDS = { full: [...FEW, MANY], quick: [...FEW.slice(0, 2), MANY] };
const SECONDS = { full: 2, quick: 0.2 };

/** What one client's process says in the end. */
interface ClientCount {
  messages: number;
  seconds: number;
  processorSeconds: number;
}

/** What all clients of a crowd counted in the same seconds. */
export interface Counted {
  perSecond: number;
  /** Of clients and receivers together; NaN without /proc. */
  processorSecondsAMessage: number;
  /** Of all cores, by whomever. */
  busyShare: number;
}

export interface SeveralResult extends Crowd {
  rounds: Counted[];
}

/** A copy listens, and has a connection from each client. */
const openFiles = ({ receivers, processes, clients }: Crowd) =>
  openFilesFor((receivers / processes) * (1 + clients));

export async function measureSeveral({ rounds, isQuick }: { rounds: number; isQuick: boolean }) {
  const crowds = isQuick ? CROWDS.quick : CROWDS.full;
  const results: SeveralResult[] = crowds.map((crowd) => ({ ...crowd, rounds: [] }));
  const possible = results.filter((crowd) => openFiles(crowd) <= (openFilesLimit() ?? Infinity));
  for (let round = 0; round < rounds; round++) {
    for (const result of possible)
      result.rounds.push(await measureCrowd(result, isQuick ? SECONDS.quick : SECONDS.full));
  }
  return results;
}

async function measureCrowd({ clients, receivers, processes, inFlight }: Crowd, seconds: number) {
  const discovery = await startDiscovery();
  const copies = receivers / processes;
  const group = Array.from({ length: processes }, () => startReceivers(discovery, { copies }));
  await discovery.untilReceivers(receivers);
  const load = [discovery.url, `${inFlight}`, `${seconds}`];
  const senders = Array.from({ length: clients }, () => startScript("bench/crowd_client.ts", load));
  await Promise.all(senders.map((sender) => sender.says(/ready/)));

  const [usedBefore, coresBefore] = [sumOfSeconds(group), coreTimes()];
  for (const sender of senders) sender.tell("go");
  const outputs = await Promise.all(senders.map((sender) => sender.output()));
  const [usedAfter, coresAfter] = [sumOfSeconds(group), coreTimes()];
  for (const each of [...group, discovery]) await each.stop();

  const counted: ClientCount[] = outputs.map((output) => JSON.parse(output));
  const sum = (of: (each: ClientCount) => number) => counted.reduce((all, each) => all + of(each), 0);
  const used = usedAfter - usedBefore + sum((each) => each.processorSeconds);
  return {
    perSecond: sum((each) => each.messages / each.seconds),
    processorSecondsAMessage: used / sum((each) => each.messages),
    busyShare: (coresAfter.busy - coresBefore.busy) / (coresAfter.all - coresBefore.all),
  };
}

const sumOfSeconds = (processes: readonly Started[]) =>
  processes.reduce((sum, each) => sum + (each.processorSeconds() ?? Number.NaN), 0);

/** How long all cores together have been busy, and how long there were any. */
function coreTimes() {
  const times = cpus().map(({ times }) => times);
  const all = times.flatMap((each) => Object.values(each)).reduce((sum, each) => sum + each, 0);
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) };
}

export function showSeveral(results: readonly SeveralResult[]): string {
  const measured = results.filter(({ rounds }) => rounds.length > 0);
  const of = ({ rounds }: SeveralResult, figure: keyof Counted) => rounds.map((each) => each[figure]);
  const name = ({ clients, receivers }: Crowd) => `${clients} × ${show(receivers)}`;
  const processesOf = ({ clients, processes }: Crowd) => clients + processes;
  const rows = results.map((result) => {
    const first = [name(result), `${processesOf(result)}`];
    if (!measured.includes(result)) return [...first, `not measured: takes ${openFiles(result)} open files`];
    const microseconds = median(of(result, "processorSecondsAMessage")) * 1e6;
    return [
      ...first,
      showSpread(of(result, "perSecond")),
      Number.isNaN(microseconds) ? "no /proc" : show(microseconds),
      `${show(median(of(result, "busyShare")) * 100)}%`,
    ];
  });
  const rate = (result: SeveralResult) => median(of(result, "perSecond"));
  const most = measured.reduce((best, each) => (rate(each) > rate(best) ? each : best));
  return [
    "### Several clients and receivers: acks a second, all together",
    "Each client has 64 messages in flight with each receiver; with each of a thousand, one.",
    table(
      ["clients × receivers", "processes", "acks a second", "processor time a message, µs", "cores busy"],
      rows,
    ),
    `The most is made by ${name(most)}: ${processesOf(most)} processes, on ${cpus().length} cores.`,
  ].join("\n\n");
}
