/**
 * The tests again, as members of a group: with its file for every role, on both wires.
 *
 *     npm run test:secure
 *     npm run test:secure -- test/group_test.ts
 *     npm run test:secure -- test/browser.ts test/browser_desk.ts
 *     npm run test:secure -- test/chaos.ts --seed 7 --seconds 60
 *     npm run test:secure -- test/attack.ts --local --seconds 60
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { runIfMain } from "../plumbing/run.ts";
import { writeGroupFile } from "./group_files.ts";

const ROLES = ["DISCOVERY", "RECEIVER", "CLIENT", "MONITOR", "DEMO", "LESSON"];

async function main(argv: string[]): Promise<number> {
  const file = await writeGroupFile("tests.pem");
  const env = Object.fromEntries(ROLES.map((role) => [`ACK_${role}_GROUP_FILE`, file]));
  const all = readdirSync(import.meta.dirname).filter((name) => name.endsWith("_test.ts"));
  const what = argv.length > 0 ? argv : all.map((name) => `${import.meta.dirname}/${name}`);
  const isTest = /(_test|\/browser(_page|_truth|_time|_desk)?)\.ts$/.test(what[0] ?? "");
  const how = isTest ? ["--test", "--test-concurrency=2", "--test-reporter=spec"] : [];
  const run = spawn(process.execPath, ["--import", "tsx", ...how, ...what], {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  const [code] = await once(run, "exit");
  return code ?? 1;
}

await runIfMain(import.meta, main);
