/** Heartbeats, many in one call to etcd: as many as have come while others were under way. The registry on etcd sends them. */
import { type Read, readJson } from "../plumbing/read_json.ts";
import { KeptAliveSchema } from "./etcd_answers.ts";
import { askText, begin, type Etcd, type Purpose } from "./etcd_calls.ts";

const MAX_CALLS = 4; // under way: what comes meanwhile goes together
const MAX_BATCH = 256;

interface Waiting {
  lease: string;
  purpose: Purpose;
  resolve: (isThere: boolean) => void;
  reject: (error: unknown) => void;
}

/** @returns what renews a lease, and tells whether it was there */
export function createKeepalives(etcd: Etcd): (lease: string) => Promise<boolean> {
  const waiting: Waiting[] = [];
  let calls = 0;
  function send() {
    while (calls < MAX_CALLS && waiting.length > 0) {
      calls += 1;
      keepAlive(etcd, waiting.splice(0, MAX_BATCH)).finally(() => {
        calls -= 1;
        send();
      });
    }
  }
  return (lease) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(send); // with what else comes in this turn
      waiting.push({ lease, purpose: begin("take heartbeat"), resolve, reject });
    });
}

/** etcd reads such a call as a stream of objects, and answers each on a line, in order. */
async function keepAlive(etcd: Etcd, batch: readonly Waiting[]): Promise<void> {
  const [first] = batch;
  if (first === undefined) return;
  const body = batch.map(({ lease }) => `{"ID":"${lease}"}`).join("\n");
  const read = (text: string) => readKept(text, batch);
  try {
    const kept = await askText(etcd, first.purpose, { path: "lease/keepalive", body, read });
    for (const [index, { resolve }] of batch.entries()) resolve(kept[index] === true);
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

function readKept(text: string, batch: readonly Waiting[]): Read<boolean[]> {
  const value: boolean[] = [];
  for (const line of text.trim().split("\n")) {
    const kept = readJson(KeptAliveSchema, line);
    if (!("value" in kept)) return { problem: "it renews no lease at this time" };
    const { ID, TTL } = kept.value.result;
    if (ID !== batch[value.length]?.lease) return { problem: "it answers what nobody asked" };
    value.push(TTL > 0); // of a lease that is gone there is none
  }
  return value.length === batch.length ? { value } : { problem: "it answers too little" };
}
