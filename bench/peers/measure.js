/**
 * What the clients of all peers share: a load read from the command line, so many messages in flight, and
 * one line of JSON at the end. A peer's file is run twice: `server`, and `client` with the load.
 */
import { parseArgs } from "node:util";

/** The command line: the role, a port, and for a client how many messages of how many bytes, how many at a time. */
export function readLoad() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: "string", default: "0" },
      count: { type: "string", default: "1000" },
      "in-flight": { type: "string", default: "1" },
      bytes: { type: "string", default: "16" },
      seconds: { type: "string", default: "3" },
      batched: { type: "boolean", default: false },
    },
  });
  return {
    role: positionals[0],
    port: Number(values.port),
    count: Number(values.count),
    inFlight: Number(values["in-flight"]),
    body: Buffer.alloc(Number(values.bytes), "x"),
    seconds: Number(values.seconds),
    batched: values.batched,
  };
}

/** Says to the bench where a server listens. */
export function sayPort(port) {
  console.log(`listening on port ${port}`);
}

/** Counts messages until there are `count`, or `seconds` are over. Made when the client is connected: the time starts. */
export function createTally({ count, seconds }) {
  const startedAt = performance.now();
  const latencies = new Float64Array(count);
  let begun = 0;
  let acked = 0;
  let isOver = false;
  return {
    /** @returns the time, in milliseconds, or undefined when no other message may be sent */
    begin() {
      const now = performance.now();
      isOver ||= begun === count || now - startedAt > seconds * 1000;
      if (isOver) return undefined;
      begun += 1;
      return now;
    },
    /** An ack came, of the message that was begun at that time. */
    ack(begunAt) {
      latencies[acked] = performance.now() - begunAt;
      acked += 1;
    },
    /** Whether all is sent and every ack is here. */
    isDone: () => isOver && acked === begun,
    /** Prints what the bench reads. */
    report() {
      const passed = (performance.now() - startedAt) / 1000;
      const sorted = latencies.subarray(0, acked).sort();
      const at = (part) => sorted[Math.min(acked - 1, Math.floor(acked * part))];
      console.log(JSON.stringify({ messages: acked, seconds: passed, medianMs: at(0.5), p99Ms: at(0.99) }));
    },
  };
}

/** For a peer whose request is a promise of its ack: so many lanes, each sends one message after another. */
export async function measureRequests(load, request) {
  const tally = createTally(load);
  async function sendOneByOne() {
    for (let begunAt = tally.begin(); begunAt !== undefined; begunAt = tally.begin()) {
      await request();
      tally.ack(begunAt);
    }
  }
  await Promise.all(Array.from({ length: load.inFlight }, sendOneByOne));
  tally.report();
}
