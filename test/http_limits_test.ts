/** What the two HTTP servers do with peers that lie, that lag, and that never read. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { after, before, test } from "node:test";
import * as kind from "../plumbing/kinds.ts";
import { keptLog, startRole, stopRole } from "./helpers.ts";
import { fetch, request, startDiscovery } from "./wires.ts";

const LEASES = { receiverTtlMs: 30_000, sweepEveryMs: 5000 };
const OPTIONS = { host: "127.0.0.1", port: 0, allowHost: ["Discovery_Server", "b.example"], ...LEASES };
let discovery: Awaited<ReturnType<typeof startDiscovery>>;
let url: string;
before(async () => {
  discovery = await startDiscovery(OPTIONS, keptLog().log);
  url = `http://127.0.0.1:${discovery.port}`;
});
after(() => discovery.close());

const REGISTRATION = JSON.stringify({ host: "a", port: 1, name: "é" });
function post(body: string | Buffer, headers: Record<string, string>) {
  return fetch(`${url}/register`, { method: "POST", body, headers });
}

const types: [Record<string, string>, number][] = [
  [{ "content-type": "application/json" }, 201],
  [{ "content-type": "Application/JSON; charset=UTF-8" }, 201],
  [{ "content-type": 'application/json;charset="utf-8"' }, 201],
  [{ "content-type": "application/json", "content-encoding": "identity" }, 201],
  [{ "content-type": "application/json-x" }, 415],
  [{ "content-type": "application/json-seq; charset=utf-8" }, 415],
  [{ "content-type": "application/json; charset=latin1" }, 415],
  [{ "content-type": "application/json; charset=utf-8, text/plain" }, 415],
  [{ "content-type": "application/json", "content-encoding": "gzip" }, 415],
];
for (const [headers, status] of types) {
  test(`a body with ${Object.values(headers).join(", ")} gets ${status}`, async () => {
    const answer = await post(REGISTRATION, headers);
    assert.equal(answer.status, status);
    if (status === 415) assert.match(JSON.parse(await answer.text()).error, /Cannot register: send/);
  });
}

test("a body that is not UTF-8 gets 400, and says so", async () => {
  const answer = await post(Buffer.from(REGISTRATION, "latin1"), { "content-type": "application/json" });
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /Cannot register: it is not UTF-8/);
});

/** Asks with headers that `fetch` would not send. @returns status and body */
function ask(path: string, headers: Record<string, string>, at = url): Promise<[number | undefined, string]> {
  return new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(at);
    request({ host, port, path, headers }, async (answer) => {
      resolve([answer.statusCode, (await answer.toArray()).join("")]);
    })
      .on("error", reject)
      .end();
  });
}

const asked: [Record<string, string>, number, RegExp][] = [
  [{ host: "localhost" }, 200, /ok/],
  [{ host: "LocalHost:5000" }, 200, /ok/],
  [{ host: "localhost.:5000" }, 200, /ok/],
  [{ host: "192.168.0.7:5000" }, 200, /ok/],
  [{ host: "[::1]:5000" }, 200, /ok/],
  [{ host: hostname() }, 200, /ok/],
  [{ host: "discovery_server:5000" }, 200, /ok/],
  [{ host: "b.example" }, 200, /ok/],
  [{ host: "evil.example:5000" }, 403, /"evil.example:5000\\": start this server with --allow-host/],
  [{ host: "127.0.0.1.evil.example" }, 403, /--allow-host/],
  [{ host: "localhost.evil.example" }, 403, /--allow-host/],
  [{ host: "[localhost]" }, 403, /--allow-host/],
  [{ host: "x@127.0.0.1" }, 403, /--allow-host/],
  [{ host: "localhost:5001", origin: "http://localhost:5001" }, 200, /ok/],
  [{ host: "LOCALHOST", origin: "http://localhost" }, 200, /ok/],
  [{ host: "localhost:5001", origin: "http://localhost:5000" }, 403, /only this server's own page/],
  [{ host: "localhost:5001", origin: "http://evil.example" }, 403, /only this server's own page/],
  [{ host: "localhost:5001", origin: "null" }, 403, /only this server's own page/],
];
for (const [headers, status, said] of asked) {
  test(`asked with ${JSON.stringify(headers)}, discovery answers ${status}`, async () => {
    const [got, body] = await ask("/health", headers);
    assert.equal(got, status);
    assert.match(body, said);
    if (status !== 200) assert.equal(typeof JSON.parse(body).error, "string");
  });
}

test("a server that listens on a name is reached by it", async (t) => {
  const named = await startDiscovery({ ...OPTIONS, host: "localhost" }, keptLog().log);
  t.after(() => named.close());
  assert.equal((await fetch(`http://localhost:${named.port}/health`)).status, 200);
});

test("the names of --allow-host are read, and what is none is not", () => {
  assert.deepEqual(kind.hostNames.parse("discovery_server, b.example"), ["discovery_server", "b.example"]);
  for (const wrong of ["", "a,", "http://a", "a:5000", "a b"])
    assert.equal(kind.hostNames.parse(wrong), undefined);
});

for (const [role, service] of [
  ["discovery", "discovery_server"],
  ["monitor", "monitor"],
] as const) {
  test(`the ${role} takes --allow-host`, async (t) => {
    const args = ["--host", "127.0.0.1", "--port", "0", "--allow-host", `a,${service}`];
    const server = startRole(`${role}.ts`, args);
    t.after(() => stopRole(server, "SIGKILL"));
    const [, port] = await server.says(/listening on .*port (\d+)/);
    const at = `http://127.0.0.1:${port}`;
    assert.equal((await ask("/health", { host: `${service}:5000` }, at))[0], 200);
    assert.equal((await ask("/health", { host: "evil.example" }, at))[0], 403);
  });

  test(`the Compose file of ${role} allows the name by which the other containers reach it`, () => {
    const compose = readFileSync(`${import.meta.dirname}/../docker-compose.${role}.yml`, "utf8");
    assert.match(compose, new RegExp(`^  ${service}:`, "m"));
    assert.match(compose, new RegExp(`ACK_${role.toUpperCase()}_ALLOW_HOST: ${service}\n`));
  });
}
