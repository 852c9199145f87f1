/** docs/SECURITY.md: what it says for other languages is run, and each test that it names is there. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, test } from "node:test";
import { writeGroupFile } from "./group_files.ts";
import { discoveryUrl, startProgram } from "./helpers.ts";
import { endAll, start } from "./started.ts";

afterEach(endAll);

const page = readFileSync(`${import.meta.dirname}/../docs/SECURITY.md`, "utf8");

test("the Python script and the curl line of the page work as members, and not without the file", async () => {
  const file = await writeGroupFile("group.pem");
  const other = await writeGroupFile("other.pem");
  const [, script = ""] = page.match(/```python\n(.*?)```/s) ?? [];
  writeFileSync(join(dirname(file), "member.py"), script);
  const [, lines = ""] = page.match(/```sh\n(python3.*?)```/s) ?? [];

  const discovery = start("discovery.ts", "--port", "0", "--group-file", file);
  const url = await discoveryUrl(discovery);
  const to = ["--discovery", url, "--group-file", file];
  const receiver = start(
    "receiver.ts",
    "--name",
    "tester",
    "--fault-rate",
    "0",
    "--advertise-host",
    "127.0.0.1",
    ...to,
  );
  await receiver.says(/registered as/);

  const run = async (text: string) => {
    const commands = text.replaceAll("5000", new URL(url).port);
    const { child, said, ended } = startProgram("bash", ["-c", `cd ${dirname(file)}; set -e; ${commands}`]);
    await ended;
    return { code: child.exitCode, ...said };
  };
  const { code, stdout, stderr } = await run(lines);
  assert.equal(code, 0, stderr);
  const [ack, list = ""] = stdout.split("\n");
  assert.equal(ack, "ack by tester");
  assert.deepEqual(
    JSON.parse(list).map(({ name }: { name: string }) => name),
    ["tester"],
  );
  await receiver.says(/from python: processed "olá"/);

  for (const line of lines.trim().split("\n")) {
    const refused = await run(line.replaceAll("group.pem", other));
    assert.notEqual(refused.code, 0);
    assert.equal(refused.stdout, "");
    assert.match(refused.stderr, /certificate/i);
  }
});

test("each test that the page names is there", () => {
  const source = readFileSync(`${import.meta.dirname}/strangers_test.ts`, "utf8");
  const named = [...page.matchAll(/`strangers_test`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(([, names = ""]) =>
    [...names.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name),
  );
  assert.ok(named.length > 10, `${named.length} are named`);
  for (const name of named) {
    assert.ok(source.includes(name), `strangers_test has no test "${name}…"`);
  }
});
