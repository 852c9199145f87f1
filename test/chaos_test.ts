import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkRecord } from "../trace/check_promises.ts";
import { readRecords } from "../trace/read_records.ts";
import { runChaos } from "./chaos.ts";
import { discoveryUrl, startRole, stopRole } from "./helpers.ts";

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "broken-"));
for (const part of ["lib", "plumbing", "trace", "node_modules", "package.json"])
  symlinkSync(join(ROOT, part), join(folder, part));
after(() => rmSync(folder, { recursive: true }));

test("a short chaos: every promise holds, and everything is acked when the faults have ended", async () => {
  const weather = { seed: 4, seconds: 1, size: 2, receiver: "receiver.ts", store: false };
  const { verdict, unacked, counts, folder } = await runChaos(weather);
  const { broken, unclear } = verdict;
  const nothing = { broken: [], unclear: [], unacked: [] };
  assert.deepEqual({ broken, unclear, unacked }, nothing, `the records are in ${folder}`);
  assert.ok((counts.acks ?? 0) > 20 && (counts.faults ?? 0) > 0, "something happened");
  rmSync(folder, { recursive: true });
});

/** Runs a receiver that was broken on purpose, and checks what it recorded. */
async function checkBroken(name: string, part: string, replacement: string) {
  const source = readFileSync(join(ROOT, "receiver.ts"), "utf8");
  assert.equal(source.split(part).length, 2, `receiver.ts has "${part}" once`);
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, source.replace(part, replacement));

  const records = [join(folder, `${name}-receiver.jsonl`), join(folder, `${name}-client.jsonl`)] as const;
  const discovery = startRole("discovery.ts", ["--host", "127.0.0.1", "--port", "0"]);
  const common = ["--discovery", await discoveryUrl(discovery), "--record"];
  const fault = ["--fault", "lost-ack", "--fault-rate", "0.5", "--seed", "1"];
  const receiver = startRole(file, [...common, records[0], "--advertise-host", "127.0.0.1", ...fault]);
  await receiver.says(/registered as/);
  const sending = ["--to", "0", "--count", "20", "--ack-timeout", "50ms"];
  const client = startRole("client.ts", [...common, records[1], ...sending]);
  await client.exitCode();
  await Promise.all([receiver, discovery].map((role) => stopRole(role)));
  return new Set(checkRecord(readRecords(records)).broken.map(({ promise }) => promise));
}

test("the checker finds a receiver that processes a repeated message again", async () => {
  const broken = await checkBroken(
    "forgetful",
    "const duplicate = processed.has(id);",
    "const duplicate = false;",
  );
  assert.deepEqual([...broken], ["processed once"]);
});

test("the checker finds a receiver that acks before it processes", async () => {
  const part = "  processed.add(id); // before the work, so that a retry meanwhile is a duplicate\n";
  const broken = await checkBroken("hasty", part, `${part}  sendAck(node, peer, work, false);\n`);
  assert.ok(broken.has("acked only what was processed"));
});
