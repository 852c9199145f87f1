/** What the two HTTP servers do with peers that lie, that lag, and that never read. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startDiscovery } from "../discovery.ts";
import { keptLog } from "./helpers.ts";

const OPTIONS = { host: "127.0.0.1", port: 0, receiverTtlMs: 30_000, sweepEveryMs: 5000 };
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
