/**
 * What the clients of all peers share: their command line, the loop that keeps so many messages in
 * flight, and the line of JSON in which they tell what they measured.
 */
import { createHistogram } from "node:perf_hooks";
import { parseArgs } from "node:util";

/** What every server answers a message with, but for the bare socket, which sends back what it got. */
export const ACK = Buffer.from("ok");

/** Is it a server or a client, and of a client: what it is to measure. */
export function readCommandLine() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: "string", default: "0" },
      count: { type: "string", default: "1" },
      "in-flight": { type: "string", default: "1" },
      bytes: { type: "string", default: "16" },
      seconds: { type: "string", default: "2" }, // after which no message is begun
      batched: { type: "boolean", default: false }, // of the bare socket only
    },
  });
  return {
    isServer: positionals[0] === "server",
    port: Number(values.port),
    count: Number(values.count),
    inFlight: Number(values["in-flight"]),
    bytes: Number(values.bytes),
    seconds: Number(values.seconds),
    batched: values.batched,
  };
}

/** Tells the benchmark that a server is ready. */
export function sayListening(port) {
  console.log(`listening on port ${port}`);
}

/** Counts answers. Times are those of `performance.now()`. */
export function createMeter({ count, seconds }) {
  const latencies = createHistogram(); // in microseconds
  const startedAt = performance.now();
  let begun = 0;
  let answered = 0;
  return {
    /** Whether one more may begin. Counts it if so. */
    mayBegin(now) {
      if (begun === count || now - startedAt > seconds * 1000) return false;
      begun += 1;
      return true;
    },
    answered(sentAt, now) {
      answered += 1;
      latencies.record(Math.max(1, Math.round((now - sentAt) * 1000)));
    },
    isDone: () => answered === begun,
    show() {
      const passed = (performance.now() - startedAt) / 1000;
      const at = (percent) => latencies.percentile(percent) / 1000;
      const line = { messages: answered, seconds: passed, medianMs: at(50), p99Ms: at(99) };
      console.log(JSON.stringify(line));
    },
  };
}

/** Keeps `inFlight` requests under way, each a promise for its answer, and tells how fast they were. */
export async function measureRequests(options, request) {
  const meter = createMeter(options);
  async function lane() {
    for (let sentAt = performance.now(); meter.mayBegin(sentAt); ) {
      const answer = await request();
      if (Buffer.compare(answer, ACK) !== 0) throw new Error(`Cannot measure: not an ack: ${answer}`);
      const now = performance.now();
      meter.answered(sentAt, now);
      sentAt = now;
    }
  }
  await Promise.all(Array.from({ length: options.inFlight }, lane));
  meter.show();
}
