/** Honest clients and receivers among liars: each has one liar, and has to end when its time is over. */
import { setTimeout as delay } from "node:timers/promises";
import { type Field, hasControls, isTrace, type Run } from "./attack_field.ts";
import { DISCOVERY_LIES, type Lie, startLyingDiscovery } from "./attack_lying_discovery.ts";
import { RECEIVER_LIES, startLyingReceiver } from "./attack_lying_receiver.ts";
import { memoryOf } from "./attack_watch.ts";

const LIE_MS = 5000; // then it gets a SIGTERM
const END_WITHIN_MS = 10_000; // of that: the machine is busy
const AGAIN_MS = 1000; // then it gets another: one that comes before a program listens to signals is lost
const GOOD_CODES = new Set([0, 1, 143]); // 143: the SIGTERM came before it listened to any
const SAYS_BYTES = 256 * 1024; // in that time, at most
const LINE_CHARS = 2000;
const ASKS_PER_SECOND = 20; // of discovery, at most
const BODY = "b".repeat(60_000); // the system takes no argument of more than 128 KiB

/** What came of one. */
export interface LieResult {
  lie: string;
  peakBytes: number;
  problems: string[];
}
export type LieTest = (field: Field) => Promise<LieResult[]>;

const CLIENT = ["--attempts", "3", "--ack-timeout", "500ms", "--message", BODY, "--concurrency", "10"];

/** Every lie, by name. */
export const LIES: [string, LieTest][] = [
  ...Object.entries(DISCOVERY_LIES).map(([name, lie]): [string, LieTest] => {
    const what = `discovery ${name}`;
    return [what, (field) => liveWithDiscovery(field, what, lie)];
  }),
  ...Object.entries(RECEIVER_LIES).map(([name, lie]): [string, LieTest] => {
    const what = `receiver ${name}`;
    return [what, async (field) => [await liveWithReceiver(field, what, lie)]];
  }),
];

async function liveWithDiscovery(field: Field, what: string, lie: Lie): Promise<LieResult[]> {
  const receiver = await startLyingReceiver(RECEIVER_LIES["acks as it should"] ?? (() => {}), field.ownHost);
  const entries = ["real-0", "real-1"].map((id) => entryFor(field, id, receiver.port));
  const to = ["--to", what.length % 2 ? "any" : "all", "--count", "3", ...CLIENT];
  const heartbeat = ["--heartbeat-every", "500ms", "--fault-rate", "0"];
  const live = async (role: "client" | "receiver", args: string[]) => {
    const liar = await startLyingDiscovery(lie, field.ownHost, entries);
    const run = field.run(role, ["--discovery", `http://${field.ownHost}:${liar.port}`, ...args]);
    const result = await watch(`${what}: ${role}`, run);
    if (liar.strayed() > 0) result.problems.push(`it followed to another server, ${liar.strayed()} times`);
    const perSecond = liar.asked() / (LIE_MS / 1000);
    if (perSecond > ASKS_PER_SECOND) result.problems.push(`it asked ${perSecond.toFixed()} times a second`);
    liar.close();
    return result;
  };
  const results = await Promise.all([live("client", to), live("receiver", heartbeat)]);
  receiver.close();
  return results;
}

const entryFor = ({ ownHost }: Field, id: string, port: number) => ({
  id,
  host: ownHost,
  port,
  last_seen: 1,
});

async function liveWithReceiver(
  field: Field,
  what: string,
  lie: (typeof RECEIVER_LIES)[string],
): Promise<LieResult> {
  const receiver = await startLyingReceiver(lie, field.ownHost);
  const entries = [entryFor(field, "liar-0", receiver.port)];
  const truth = DISCOVERY_LIES["tells the truth"] as Lie;
  const discovery = await startLyingDiscovery(truth, field.ownHost, entries);
  const url = `http://${field.ownHost}:${discovery.port}`;
  const client = field.run("client", ["--discovery", url, "--to", "0", "--count", "30", ...CLIENT]);
  const result = await watch(what, client);
  receiver.close();
  discovery.close();
  return result;
}

/** Lets it live for a time, and ends it. */
async function watch(lie: string, run: Run): Promise<LieResult> {
  let peakBytes = 0;
  const looking = setInterval(() => {
    peakBytes = Math.max(peakBytes, memoryOf(run.target));
  }, 50);
  const problems: string[] = [];
  const endsWithin = (ms: number) => Promise.race([run.ended.then(() => true), delay(ms, false)]);
  let isEnded = await endsWithin(LIE_MS);
  for (let waitedMs = 0; !isEnded && waitedMs < END_WITHIN_MS; waitedMs += AGAIN_MS) {
    await run.kill("SIGTERM");
    isEnded = await endsWithin(AGAIN_MS);
  }
  if (!isEnded) {
    problems.push(`it did not end within ${END_WITHIN_MS / 1000} s of SIGTERM`);
    await run.kill("SIGKILL");
  }
  const code = await run.ended;
  clearInterval(looking);
  if (isEnded && !GOOD_CODES.has(code)) problems.push(`its exit code is ${code}`);
  const { limitBytes } = run.target;
  if (peakBytes > limitBytes) problems.push(`it took ${mib(peakBytes)} of its ${mib(limitBytes)}`);
  return { lie, peakBytes, problems: [...problems, ...problemsWithWords(run)] };
}

const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed()} MiB`;

/** What a person would not want to have on the screen. */
function problemsWithWords({ said }: Run): string[] {
  const text = said.stdout + said.stderr;
  const lines = text.split("\n");
  const longest = Math.max(...lines.map(({ length }) => length));
  const problems: string[] = [];
  if (said.bytes > SAYS_BYTES) problems.push(`it said ${(said.bytes / 1024).toFixed()} KiB`);
  if (longest > LINE_CHARS) problems.push(`a line has ${longest} characters`);
  if (hasControls(text)) problems.push("it said control characters");
  const trace = lines.find(isTrace);
  if (trace) problems.push(`it said a stack: ${trace.trim()}`);
  return problems;
}
