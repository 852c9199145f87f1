/**
 * The diagrams of the pages, drawn from real runs: each scene starts discovery, a receiver and a
 * client, with a plan and times by which it always goes the same way, and draws their events as the
 * monitor does (`GET /diagram.mmd`), with names in place of the ids.
 *
 *     npm run diagrams                 writes them into the pages
 *
 * Where a diagram goes, the page has `<!-- diagram: NAME -->` before it and `<!-- /diagram -->` after it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { createClient, discoverReceivers, sendMessage } from "../client.ts";
import { startDiscovery } from "../discovery.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { closeLinks } from "../lib/links.ts";
import { drawMermaid } from "../monitor/mermaid.ts";
import { createIntake } from "../plumbing/intake.ts";
import { createLog } from "../plumbing/log.ts";
import { runIfMain } from "../plumbing/run.ts";
import { cleanup, createCoin, type Planned, registerReceiver, startReceiver } from "../receiver.ts";
import type { TraceEvent } from "../trace/events.ts";
import { createTrace } from "../trace/trace.ts";

export const FILES = ["README.md", "README.pt-BR.md", "docs/FAULTS.md", "docs/PROTOCOL.md"].map(
  (file) => `${import.meta.dirname}/../${file}`,
);
const ACK_TIMEOUT_MS = 1000;
const LATE_BY_MS = 2000; // what comes between the timeout and the retry may take a while

interface Scene {
  /** What the first messages meet. @default no faults */
  plan?: Planned[];
  /** How long a frame is on its way. @default 0 */
  linkDelayMs?: number;
  /** It goes on until an ack comes for which nobody waits. */
  endsWithStrayAck?: true;
  /** Which events are drawn. @default those of the message */
  only?: (event: TraceEvent) => boolean;
}

const isAboutMessage = ({ message }: TraceEvent) => message !== undefined;

/** By the name of the diagram. */
const SCENES: Readonly<Record<string, Scene>> = {
  registering: { only: ({ event }) => event === "joined" || event === "left" },
  discovering: { only: ({ event }) => event === "listed" },
  "ack missing, and retry": { plan: ["silent"] },
  "message acked": {},
  "ack lost, and retry": { plan: ["lost-ack"] },
  "late ack": { plan: ["late-ack"], endsWithStrayAck: true },
  "an ack crosses the retry": { linkDelayMs: 900, endsWithStrayAck: true },
};

/** Runs a scene. @returns its events */
async function play({ plan = [], linkDelayMs = 0, endsWithStrayAck }: Scene): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  const outlets = [(event: TraceEvent) => void events.push(event)];
  const log = createLog("diagrams", { logLevel: "error" });
  const { signal } = new AbortController();
  const local = { host: "127.0.0.1", port: 0 };
  const times = { receiverTtlMs: 30_000, sweepEveryMs: 5000 };
  const server = await startDiscovery({ ...local, ...times }, log, outlets);
  const discovery = createDiscoveryApi(`http://127.0.0.1:${server.port}`);
  const role = (name: string) => ({ name, discovery, log, trace: createTrace(name, { log, outlets }) });

  const receiver = await startReceiver({
    ...role("receiver"),
    ...{ advertiseHost: "localhost", port: 0, heartbeatEveryMs: 10_000, workMs: 0, lateByMs: LATE_BY_MS },
    intake: createIntake(1000),
    tossCoin: createCoin(0, [], Math.random, [...plan]),
    signal,
  });
  await registerReceiver(receiver);
  const limits = { ackTimeoutMs: ACK_TIMEOUT_MS, linkDelayMs, maxAttempts: 5 };
  const client = createClient({ ...role("client"), ...limits });
  const [found] = await discoverReceivers(client, signal);
  if (!found) throw new Error("Cannot draw: nobody is in the group");
  await sendMessage(client, found, "Hello Receiver!", { signal });
  if (endsWithStrayAck) await untilStrayAck(events);
  closeLinks(client.links);
  await cleanup(receiver);
  server.close();
  return events;
}

async function untilStrayAck(events: readonly TraceEvent[]): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (events.some(({ event }) => event === "ack ignored")) return;
    await delay(20);
  }
  throw new Error("Cannot draw: no second ack came");
}

/** Ids, ports and the like differ in each run: in the picture they have names. */
export function normalize(diagram: string): string {
  return diagram
    .replace(/\b(message|ack of|ack|processes) \d+-\w+/g, "$1 m1")
    .replace(/\bid [0-9a-f]{8}\b/g, "id r1")
    .replace(/\blocalhost:\d+/g, "localhost:40121");
}

/** Plays every scene. @returns its diagram, by name */
export async function drawAll(): Promise<Map<string, string>> {
  const drawn = Object.entries(SCENES).map(async ([name, scene]) => {
    const events = (await play(scene)).filter(scene.only ?? isAboutMessage);
    return [name, normalize(drawMermaid(events))] as const;
  });
  return new Map(await Promise.all(drawn));
}

/**
 * Puts each diagram where it goes.
 *
 * @throws {Error} "Cannot place …" when a text has a place for a diagram that nobody draws
 */
export function placeDiagrams(text: string, diagrams: ReadonlyMap<string, string>): string {
  const places = /(<!-- diagram: (.*?) -->\n).*?(?=<!-- \/diagram -->)/gs;
  return text.replace(places, (_place, before: string, name: string) => {
    const diagram = diagrams.get(name);
    if (diagram === undefined) throw new Error(`Cannot place the diagram "${name}": no scene has this name`);
    return `${before}\`\`\`mermaid\n${diagram}\`\`\`\n`;
  });
}

async function main(): Promise<number> {
  const diagrams = await drawAll();
  for (const file of FILES) writeFileSync(file, placeDiagrams(readFileSync(file, "utf8"), diagrams));
  return 0;
}

await runIfMain(import.meta, main);
