/** The file of a group: how it is made, and which one a role refuses to start with. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { readGroupFile } from "../plumbing/group_file.ts";
import { writeGroupFile } from "./group_files.ts";
import { startRole } from "./helpers.ts";

let ours: string;
let other: string;
before(async () => {
  [ours, other] = [await writeGroupFile("ours.pem"), await writeGroupFile("other.pem")];
});

const beside = (name: string) => join(dirname(ours), name);

test("group_file.ts writes a file for its owner alone, says how long it lasts, and never writes over one", async () => {
  const file = beside("new.pem");
  const make = () => startRole("group_file.ts", ["--out", file, "--days", "30"]);
  const first = make();
  assert.equal(await first.exitCode(), 0);
  const until = new Date(Date.now() + 30 * 24 * 3600 * 1000).toISOString().slice(0, 10);
  assert.ok(first.stdout().includes(`wrote ${file}, for you alone to read. It is good until ${until}.`));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(statSync(file).size < 1200, `${statSync(file).size} bytes`);
  assert.equal(readGroupFile(file).ca.length, 1);

  const text = readFileSync(file, "utf8");
  const second = make();
  assert.equal(await second.exitCode(), 2);
  assert.match(second.stderr(), /Cannot write .*new\.pem: it is there already; name another with --out/);
  assert.equal(readFileSync(file, "utf8"), text);
});

test("several files are all believed, and the first is shown", () => {
  const read = readGroupFile(`${ours}, ${other}`);
  const [first, second] = [readGroupFile(ours), readGroupFile(other)];
  assert.deepEqual([read.cert, read.key], [first.cert, first.key]);
  assert.deepEqual(read.ca, [first.cert, second.cert]);
});

/** Writes a file by hand. */
function write(name: string, text: string, mode = 0o600): string {
  writeFileSync(beside(name), text);
  chmodSync(beside(name), mode);
  return beside(name);
}

/** Who opens it waits for a writer, who never comes. */
function makePipe(): string {
  execFileSync("mkfifo", ["-m", "600", beside("pipe.pem")]);
  return beside("pipe.pem");
}

const wrong: [string, () => string | Promise<string>, RegExp][] = [
  [
    "is missing",
    () => beside("none.pem"),
    /is not there: copy it from another member, or make one with .*group_file\.ts/,
  ],
  ["is a folder", () => dirname(ours), /is no file: copy it from another member, or make one/],
  ["is a pipe", makePipe, /is no file/],
  ["is empty", () => write("empty.pem", ""), /holds no certificate: make one/],
  ["holds no key", () => write("cert.pem", readGroupFile(ours).cert), /holds no key: make one/],
  [
    "is too long",
    () => write("long.pem", "-".repeat(65_537)),
    /has more than 65536 bytes: it is no group file/,
  ],
  [
    "was damaged",
    () =>
      write(
        "damaged.pem",
        readFileSync(ours, "utf8").replace("CERTIFICATE-----\nMII", "CERTIFICATE-----\nAAA"),
      ),
    /is damaged: copy it again/,
  ],
  [
    "has the key of another",
    () => write("mixed.pem", `${readGroupFile(other).key}\n${readGroupFile(ours).cert}\n`),
    /is damaged: copy it again/,
  ],
  [
    "has expired",
    () => writeGroupFile("old.pem", { from: -9, until: -1 }),
    /has expired \(.* GMT\): make one/,
  ],
  [
    "is not valid yet",
    () => writeGroupFile("young.pem", { from: 1, until: 9 }),
    /is not valid before .* GMT: is this machine's clock right\?/,
  ],
  [
    "others can read",
    () => write("shown.pem", readFileSync(ours, "utf8"), 0o640),
    /others on this machine can read or change: chmod 600 /,
  ],
];
for (const [what, make, why] of wrong) {
  test(`a file that ${what} is refused, and what to do is said`, async () => {
    const file = await make();
    assert.throws(() => readGroupFile(file), why);
    assert.throws(() => readGroupFile(`${ours},${file}`), why, "in the second place, too");
  });
}

for (const role of ["discovery", "receiver", "client", "monitor"]) {
  test(`${role}.ts with a file that is missing ends at once, with 2 and a line that says what to do`, async () => {
    const variable = `ACK_${role.toUpperCase()}_GROUP_FILE`;
    const started = startRole(`${role}.ts`, [], { [variable]: beside("none.pem") });
    assert.equal(await started.exitCode(), 2);
    const [first, ...others] = started.stderr().trimEnd().split("\n");
    const expected = `Cannot start ${role}: --group-file (or ${variable}) names "${beside("none.pem")}", which is not there`;
    assert.ok(first?.startsWith(expected), first);
    assert.match(others.join("\n"), /^Try: /);
    assert.equal(started.stdout(), "");
  });
}
