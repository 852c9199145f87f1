/** Whom a monitor with a group file answers: a browser has no certificate. */
import assert from "node:assert/strict";
import { request } from "node:https";
import { afterEach, before, test } from "node:test";
import { Hono } from "hono";
import { keepStrangersOut, pageAddress } from "../monitor/keep_strangers_out.ts";
import { startMonitor } from "../monitor.ts";
import { type GroupFile, readGroupFile } from "../plumbing/group_file.ts";
import { openMonitor } from "../trace/to_monitor.ts";
import { writeGroupFile } from "./group_files.ts";
import { keptLog } from "./helpers.ts";
import { endAll, toClose } from "./started.ts";

afterEach(endAll);

const HOST = "127.0.0.1";
const EVENT = { event: "started", process: "client-1", clock: 1, at: Date.now() } as const;
let ours: GroupFile;
let others: GroupFile;
before(async () => {
  [ours, others] = (await Promise.all(
    ["ours.pem", "others.pem"].map(async (name) => readGroupFile(await writeGroupFile(name))),
  )) as [GroupFile, GroupFile];
});

async function start() {
  const { log } = keptLog();
  const options = { host: HOST, port: 0, discovery: `http://${HOST}:9`, groupFile: ours };
  const monitor = await startMonitor(options, log);
  toClose.push(monitor.close);
  return monitor;
}

interface Asking {
  shown?: GroupFile | undefined;
  method?: string;
  headers?: Record<string, string>;
}

/** Asks as a browser does, which believes what its user told it to believe. @returns status and body */
function ask(port: number, path: string, { shown, ...options }: Asking = {}): Promise<[number, string]> {
  const how = {
    host: HOST,
    port,
    path,
    ...options,
    ...shown,
    rejectUnauthorized: false,
    agent: false,
  } as const;
  return new Promise((resolve, reject) => {
    request(how, async (answer) => resolve([answer.statusCode ?? 0, (await answer.toArray()).join("")]))
      .on("error", reject)
      .end();
  });
}

test("a monitor takes events from members alone", async () => {
  const { port } = await start();
  for (const shown of [undefined, others]) {
    const [status, said] = await ask(port, "/events", { method: "POST", shown });
    assert.equal(status, 403);
    assert.match(said, /Cannot take events: they come from members/);
    const stranger = openMonitor(`http://${HOST}:${port}`, { groupFile: shown });
    stranger.tell({ ...EVENT, process: "nobody" });
    await stranger.flush();
  }
  const member = openMonitor(`http://${HOST}:${port}`, { groupFile: ours });
  member.tell(EVENT);
  await member.flush();
  const [, lines] = await ask(port, "/events.jsonl", { shown: ours });
  const told = lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).process);
  assert.deepEqual(
    told.filter((process) => process !== "monitor"),
    ["client-1"],
  );
});

test("a monitor shows its page on this machine, and to no page of another", async () => {
  const monitor = await start();
  const { port } = monitor;
  assert.match(pageAddress(monitor), new RegExp(`^https://localhost:${port}/\\?token=[0-9a-f]{32}$`));
  const [status, html] = await ask(port, "/");
  assert.equal(status, 200);
  assert.match(html, /<html/);
  assert.equal((await ask(port, "/", { headers: { Host: `evil.example:${port}` } }))[0], 403);
  assert.equal((await ask(port, "/", { headers: { Origin: "https://evil.example" } }))[0], 403);
});

/** An app that answers "shown" to whom it admits; asked from that address. */
function askFrom(remoteAddress: string, path: string, headers = {}) {
  const app = new Hono();
  keepStrangersOut(app, "a".repeat(32));
  app.get("/", (c) => c.text("shown"));
  const incoming = { socket: { remoteAddress, authorized: false } };
  return app.request(path, { headers }, { incoming });
}

test("elsewhere, the page is for who has the token, from the address or the cookie that it left", async () => {
  for (const here of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
    assert.equal((await askFrom(here, "/")).status, 200, here);
  for (const token of ["", "a".repeat(31), "b".repeat(32), "á".repeat(32)]) {
    const answer = await askFrom("192.0.2.7", `/?token=${encodeURIComponent(token)}`);
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /open the address that the monitor printed/);
  }
  const welcome = await askFrom("192.0.2.7", `/?token=${"a".repeat(32)}`);
  assert.deepEqual([welcome.status, welcome.headers.get("location")], [303, "/"]);
  const cookie = welcome.headers.get("set-cookie") ?? "";
  assert.match(cookie, /^monitor=a{32}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  const [value = ""] = cookie.split(";");
  assert.equal((await askFrom("192.0.2.7", "/", { Cookie: value })).status, 200);
  assert.equal((await askFrom("192.0.2.7", "/", { Cookie: `monitor=${"b".repeat(32)}` })).status, 403);
});
