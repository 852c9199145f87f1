/** The honest client: sends to the honest receivers as long as the attack lasts, and loses nothing. */
import { type Field, urlOf } from "./attack_field.ts";
import { memoryOf } from "./attack_watch.ts";

const COUNT = 30; // messages of one run
const ENDS_WITHIN_MS = 90_000; // a run, however busy its receivers are meanwhile
const TARGETS = ["all", "any", "0"];

export interface Honest {
  sent: number;
  acked: number;
  slowestMs: number; // of one run
  peakBytes: number;
  problems: string[];
}

/** Sends until `over`; the run under way comes to its end. */
export async function keepSending(field: Field, over: AbortSignal): Promise<Honest> {
  const honest: Honest = { sent: 0, acked: 0, slowestMs: 0, peakBytes: 0, problems: [] };
  for (let round = 0; !over.aborted; round++)
    await sendOnce(field, TARGETS[round % TARGETS.length] ?? "all", honest);
  return honest;
}

async function sendOnce(field: Field, to: string, honest: Honest): Promise<void> {
  const args = ["--to", to, "--count", `${COUNT}`, "--concurrency", "3", "--ack-timeout", "2s", "--json"];
  const startedAt = performance.now();
  const run = field.run("client", ["--discovery", urlOf(field.discovery), "--log-level", "warn", ...args]);
  const looking = setInterval(() => {
    honest.peakBytes = Math.max(honest.peakBytes, memoryOf(run.target));
  }, 100);
  const deadline = setTimeout(() => run.kill("SIGKILL"), ENDS_WITHIN_MS);
  const code = await run.ended;
  clearInterval(looking);
  clearTimeout(deadline);
  const ms = performance.now() - startedAt;
  const acked = countAcked(run.said.stdout, to === "all");
  honest.sent += COUNT;
  honest.acked += acked;
  honest.slowestMs = Math.max(honest.slowestMs, ms);
  if (code !== 0 || acked !== COUNT) {
    const bad = run.said.stdout.split("\n").find((line) => line && !line.includes('"outcome":"acked"'));
    const why = bad ?? run.said.stderr.trim().split("\n").at(-1) ?? "";
    honest.problems.push(
      `--to ${to}: ${acked} of ${COUNT} acked, exit code ${code}, after ${ms.toFixed()} ms: ${why.slice(0, 300)}`,
    );
  }
}

/** A send to all has a result for each member, too, which is not counted. */
function countAcked(json: string, isToAll: boolean): number {
  const results = json.split("\n").filter((line) => line.includes('"outcome":"acked"'));
  return results.filter((line) => line.includes('"group":') === isToAll).length;
}
