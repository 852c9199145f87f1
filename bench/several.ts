/** Several clients that send to several receivers, a process each, and to a thousand in one: what they make together. */
import { startClient, startDiscovery, startReceivers } from "./ours.ts";
import { show, showSpread, table } from "./statistics.ts";
import { readSummary } from "./systems.ts";

interface Crowd {
  clients: number;
  receivers: number; // to all of whom each client sends
  processes: number; // that the receivers share
}

const CROWDS: Crowd[] = [
  { clients: 1, receivers: 1, processes: 1 },
  { clients: 1, receivers: 4, processes: 4 },
  { clients: 2, receivers: 1, processes: 1 },
  { clients: 2, receivers: 4, processes: 4 },
  { clients: 1, receivers: 1000, processes: 1 },
];
const IN_FLIGHT = 64; // of each client; one with each receiver, if there are more
const MESSAGES = { full: 20_000, quick: 4000 }; // of each client

export interface SeveralResult extends Crowd {
  perSecond: number[];
}

export async function measureSeveral({ rounds, isQuick }: { rounds: number; isQuick: boolean }) {
  const results: SeveralResult[] = CROWDS.map((crowd) => ({ ...crowd, perSecond: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const result of results)
      result.perSecond.push(await measureCrowd(result, isQuick ? MESSAGES.quick : MESSAGES.full));
  }
  return results;
}

/** @returns how many acks a second all clients got together */
async function measureCrowd({ clients, receivers, processes }: Crowd, messages: number): Promise<number> {
  const discovery = await startDiscovery();
  const copies = receivers / processes;
  const started = Array.from({ length: processes }, () => startReceivers(discovery, { copies }));
  await discovery.untilReceivers(receivers);
  const inFlight = Math.max(1, IN_FLIGHT / receivers);
  const load = ["--count", `${messages / receivers}`, "--concurrency", `${inFlight}`];
  const running = Array.from({ length: clients }, () => startClient(discovery, ["--to", "all", ...load]));
  const rates = running.map(async (client) => {
    const measured = readSummary(await client.output());
    if (measured.messages !== messages) throw new Error(`${measured.messages} acks for ${messages} messages`);
    return measured.messages / measured.seconds;
  });
  const sum = (await Promise.all(rates)).reduce((all, rate) => all + rate, 0);
  for (const each of [...started, discovery]) await each.stop();
  return sum;
}

export function showSeveral(results: readonly SeveralResult[]): string {
  const rows = results.map(({ clients, receivers, processes, perSecond }) => [
    `${clients} × ${show(receivers)}`,
    `${clients + processes}`,
    showSpread(perSecond),
  ]);
  return [
    "### Several clients and receivers: acks a second, all together",
    "Each client sends to all receivers, 64 messages in flight, or one with each receiver.",
    table(["clients × receivers", "processes", "acks a second"], rows),
  ].join("\n\n");
}
