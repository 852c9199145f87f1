/**
 * A client that says how quick each tenth of its messages was, which client.ts doesn't; it sends as that does.
 *
 *     tsx bench/steady_client.ts DISCOVERY_URL MESSAGES
 */
import { createClient, discoverReceivers, sendMessage } from "../client.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { closeLinks } from "../lib/links.ts";
import { inLanes } from "../plumbing/lanes.ts";
import { createLog } from "../plumbing/log.ts";
import { createTrace } from "../trace/trace.ts";

const IN_FLIGHT = 64;
const [url = "", messages = ""] = process.argv.slice(2);

const { signal } = new AbortController();
const log = createLog("steady", { logLevel: "warn" });
const client = createClient({
  name: "steady",
  discovery: createDiscoveryApi(url),
  log,
  trace: createTrace("steady", { log }),
  ackTimeoutMs: 5000,
  maxAttempts: 1,
});
const [receiver] = await discoverReceivers(client, signal);
if (!receiver) throw new Error("Cannot measure: nobody is in the group");

const tenth = Number(messages) / 10;
const tenths: number[] = [];
let acked = 0;
let startedAt = performance.now();

await inLanes(IN_FLIGHT, Array(tenth * 10).keys(), async () => {
  const { outcome } = await sendMessage(client, receiver, "x".repeat(16), { signal });
  if (outcome !== "acked") throw new Error(`Cannot measure: a message is ${outcome}`);
  acked += 1;
  if (acked % tenth !== 0) return;
  const now = performance.now();
  tenths.push(tenth / ((now - startedAt) / 1000));
  startedAt = now;
});
closeLinks(client.links);
console.log(JSON.stringify(tenths));
