/**
 * A client that keeps so many messages in flight with each receiver of the group. First it sends until its code is
 * compiled, and says so; it counts from a line on its standard input on, so that several count during the same seconds.
 *
 *     tsx bench/crowd_client.ts DISCOVERY_URL IN_FLIGHT SECONDS
 */
import { once } from "node:events";
import { inLanes } from "../plumbing/lanes.ts";
import { openOwnClient } from "./own_client.ts";

const [url = "", inFlight = "", seconds = ""] = process.argv.slice(2);
const countedMs = Number(seconds) * 1000;
const warmUpMs = countedMs / 2;

const { receivers, send, close } = await openOwnClient(url);
let acked = 0;
const count = () => void acked++;

/** One item for each message, until the time is over. */
function* untilMs(end: number) {
  while (performance.now() < end) yield;
}

function sendToEach(ms: number) {
  const end = performance.now() + ms;
  return Promise.all(
    receivers.map((receiver) => inLanes(Number(inFlight), untilMs(end), () => send(receiver, count))),
  );
}

await sendToEach(warmUpMs);
console.error("ready");
await once(process.stdin, "data");
process.stdin.destroy();
acked = 0;
const startedAt = performance.now();
const usedBefore = process.cpuUsage();
await sendToEach(countedMs);
const used = process.cpuUsage(usedBefore);
const took = (performance.now() - startedAt) / 1000;
close();
console.log(
  JSON.stringify({ messages: acked, seconds: took, processorSeconds: (used.user + used.system) / 1e6 }),
);
