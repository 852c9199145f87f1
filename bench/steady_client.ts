/**
 * A client that says how quick each tenth of its messages was, all to one receiver.
 *
 *     tsx bench/steady_client.ts DISCOVERY_URL MESSAGES
 */
import type { Receiver } from "../lib/messages.ts";
import { inLanes } from "../plumbing/lanes.ts";
import { openOwnClient } from "./own_client.ts";

const IN_FLIGHT = 64;
const [url = "", messages = ""] = process.argv.slice(2);

const { receivers, send, close } = await openOwnClient(url);
const [receiver] = receivers as [Receiver];
const tenth = Number(messages) / 10;
const tenths: number[] = [];
let acked = 0;
let startedAt = performance.now();

function count(): void {
  acked += 1;
  if (acked % tenth !== 0) return;
  const now = performance.now();
  tenths.push(tenth / ((now - startedAt) / 1000));
  startedAt = now;
}

await inLanes(IN_FLIGHT, Array(tenth * 10).keys(), () => send(receiver, count));
close();
console.log(JSON.stringify(tenths));
