/**
 * The diagrams of the documentation, drawn from real runs: each scene starts discovery, a receiver and a
 * client, with a seed and times by which it always goes the same way, and draws their events as the
 * monitor does (`GET /diagram.mmd`), with names in place of the ids.
 *
 *     npm run diagrams                 writes docs/diagrams.md
 *     npm run diagrams -- --check      says whether docs/diagrams.md is still what the program does
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { discoverReceivers, sendMessage } from "../client.ts";
import { startDiscovery } from "../discovery.ts";
import { closeLinks, createClient } from "../lib/attempt.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { createCoin, type Fault, seededRandom } from "../lib/faults.ts";
import { createLog } from "../lib/log.ts";
import { drawMermaid } from "../lib/mermaid.ts";
import { runIfMain } from "../lib/run.ts";
import { createTrace, type TraceEvent } from "../lib/trace.ts";
import { cleanup, registerReceiver, startReceiver } from "../receiver.ts";

const FILE = `${import.meta.dirname}/diagrams.md`;
const ACK_TIMEOUT_MS = 1000;
const LATE_BY_MS = 1500;

interface Scene {
  title: string;
  about: string;
  /** What the coin, tossed with this seed, gives the first messages. @default no faults */
  faults?: Fault[];
  seed?: number;
  /** Which events are drawn. @default those of the message */
  only?: (event: TraceEvent) => boolean;
}

const isAboutMessage = ({ message }: TraceEvent) => message !== undefined;

export const SCENES: readonly Scene[] = [
  {
    title: "Registering",
    about: "A receiver says where it listens, gets an id, and leaves when it is stopped.",
    only: ({ event }) => event === "joined" || event === "left",
  },
  {
    title: "Discovering",
    about: "A client asks who is in the group.",
    only: ({ event }) => event === "listed",
  },
  { title: "Message acked", about: "The message is processed, and the ack says so." },
  {
    title: "Ack missing, and retry",
    about: "The receiver crashes on the first attempt; the client can only wait, and send the message again.",
    faults: ["silent"],
    seed: 9,
  },
  {
    title: "Ack lost, and retry",
    about:
      "The message was processed, and the client can't know it. The id saves it from being processed twice.",
    faults: ["lost-ack"],
    seed: 9,
  },
  {
    title: "Late ack",
    about: "The ack comes after the timeout: the receiver was only slow.",
    faults: ["late-ack"],
    seed: 9,
  },
];

/** Runs a scene. @returns its events */
async function play({ faults = [], seed = 0 }: Scene): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  const outlets = [(event: TraceEvent) => void events.push(event)];
  const log = createLog("diagrams", { logLevel: "error" });
  const { signal } = new AbortController();
  const local = { host: "127.0.0.1", port: 0 };
  const server = await startDiscovery({ ...local, receiverTtl: 30_000, sweepEvery: 5000 }, log, outlets);
  const discovery = createDiscoveryApi(`http://127.0.0.1:${server.port}`);

  const rate = faults.length > 0 ? 0.5 : 0;
  const tossCoin = createCoin({ rate, faults, random: seededRandom(seed) });
  const receiver = await startReceiver(
    { advertiseHost: "localhost", port: 0, heartbeatEvery: 10_000, work: 0, lateBy: LATE_BY_MS },
    { discovery, log, trace: createTrace("receiver", { log, outlets }), tossCoin, signal },
  );
  await registerReceiver(receiver);
  const client = createClient("client", {
    discovery,
    log,
    trace: createTrace("client", { log, outlets }),
    ackTimeoutMs: ACK_TIMEOUT_MS,
    attempts: 5,
    signal,
  });
  const [found] = await discoverReceivers(client);
  if (!found) throw new Error("Cannot draw: nobody is in the group");
  await sendMessage(client, found, "Hello Receiver!", { signal });
  if (faults.includes("late-ack")) await delay(LATE_BY_MS - ACK_TIMEOUT_MS + 200); // until it has come
  closeLinks(client);
  await cleanup(receiver);
  server.close();
  return events;
}

/** Ids, ports and the like differ in each run: in the picture they have names. */
export function normalize(diagram: string): string {
  return diagram
    .replace(/\b(message|ack of|ack|processes) [0-9a-f]{8}\b/g, "$1 m1")
    .replace(/\bid [0-9a-f]{8}\b/g, "id r1")
    .replace(/\blocalhost:\d+/g, "localhost:40121");
}

/** All diagrams, as Markdown. */
export async function drawAll(): Promise<string> {
  const parts = await Promise.all(
    SCENES.map(async (scene) => {
      const events = (await play(scene)).filter(scene.only ?? isAboutMessage);
      return `## ${scene.title}\n\n${scene.about}\n\n\`\`\`mermaid\n${normalize(drawMermaid(events))}\`\`\`\n`;
    }),
  );
  const head =
    "# What happens, drawn from real runs\n\nMade by `npm run diagrams`; a test says when they no longer match.\n";
  return [head, ...parts].join("\n");
}

async function main(argv: string[]): Promise<number> {
  const drawn = await drawAll();
  if (!argv.includes("--check")) {
    writeFileSync(FILE, drawn);
    return 0;
  }
  const matches = readFileSync(FILE, "utf8") === drawn;
  if (!matches) process.stderr.write("docs/diagrams.md is not what the program does: npm run diagrams\n");
  return matches ? 0 : 1;
}

await runIfMain(import.meta, main);
