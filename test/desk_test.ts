/** The teacher's desk: from where it takes orders, and what it doesn't do. The browser test presses its buttons. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { CannotObey, type Desk, isOwnPage, type Order } from "../monitor/desk_calls.ts";
import { keptLog, until } from "./helpers.ts";
import { endAll, toClose } from "./started.ts";
import { fetch, request, startMonitor } from "./wires.ts";

afterEach(endAll);

const KEY = "a-key-of-this-run";
const STATE = { receivers: [], discovery: true, faults: ["ok"] };

/** A monitor with a desk that only writes down its orders; `obey` may do more. */
async function openDesk(obey: Desk["obey"] = async () => undefined) {
  const obeyed: Order[] = [];
  const desk: Desk = {
    key: KEY,
    look: () => STATE,
    obey(order) {
      obeyed.push(order);
      return obey(order);
    },
  };
  const url = await openMonitor(desk);
  return { url, obeyed };
}

async function openMonitor(desk?: Desk): Promise<string> {
  const options = { host: "127.0.0.1", port: 0, discovery: "http://127.0.0.1:9", ...(desk && { desk }) };
  const { port, close } = await startMonitor(options, keptLog().log);
  toClose.push(close);
  return `http://127.0.0.1:${port}`;
}

const json = { "content-type": "application/json" };
const right = (url: string) => ({ ...json, origin: url, authorization: `Bearer ${KEY}` });

/** Asks with headers that `fetch` would not send. */
function ask(url: string, headers: Record<string, string>, body = '{"do":"kill","receiver":"a"}') {
  return new Promise<{ status: number | undefined; said: string }>((resolve, reject) => {
    const { hostname: host, port } = new URL(url);
    request({ host, port, path: "/desk", method: "POST", headers }, async (answer) =>
      resolve({ status: answer.statusCode, said: (await answer.toArray()).join("") }),
    )
      .on("error", reject)
      .end(body);
  });
}

test("the desk obeys its own page, and answers how things stand", async () => {
  const { url, obeyed } = await openDesk();
  const { status, said } = await ask(url, right(url));
  assert.deepEqual([status, JSON.parse(said)], [200, STATE]);
  assert.deepEqual(obeyed, [{ do: "kill", receiver: "a" }]);
});

const strangers: [who: string, headers: (url: string) => Record<string, string>][] = [
  ["a page from elsewhere", (url) => ({ ...right(url), origin: "http://example.org" })],
  ["a page of another port", (url) => ({ ...right(url), origin: "http://127.0.0.1:1" })],
  ["whoever has no origin", (url) => ({ ...json, authorization: right(url).authorization })],
  ["a page without an origin", (url) => ({ ...right(url), origin: "null" })],
  ["a wrong key", (url) => ({ ...right(url), authorization: "Bearer a-key-of-that-run" })],
  ["a key of another length", (url) => ({ ...right(url), authorization: "Bearer a" })],
  ["no key", (url) => ({ ...json, origin: url })],
  ["another name", (url) => ({ ...right(url), host: "evil.example", origin: "http://evil.example" })],
  ["another address", (url) => ({ ...right(url), host: "10.0.0.7:5001", origin: "http://10.0.0.7:5001" })],
];
for (const [who, headers] of strangers) {
  test(`the desk refuses ${who} with 403, and does nothing`, async () => {
    const { url, obeyed } = await openDesk();
    const { status, said } = await ask(url, headers(url));
    assert.equal(status, 403);
    assert.match(JSON.parse(said).error, /^Cannot (take orders|answer)/);
    assert.deepEqual(obeyed, []);
  });
}

const own = { host: "127.0.0.1:5001", origin: "http://127.0.0.1:5001", authorization: `Bearer ${KEY}` };
for (const address of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
  test(`isOwnPage() takes orders from ${address}`, () => assert.ok(isOwnPage({ ...own, address }, KEY)));
for (const address of [
  "192.168.1.7",
  "::ffff:192.168.1.7",
  "fe80::1",
  "10.127.0.1",
  "128.0.0.1",
  "",
  undefined,
])
  test(`isOwnPage() takes no orders from the address ${address}`, () =>
    assert.equal(isOwnPage({ ...own, address }, KEY), false));

const bodies: [what: string, body: string, headers: Record<string, string>, status: number][] = [
  ["no JSON", "kill", {}, 400],
  ["an unknown order", '{"do":"format"}', {}, 400],
  ["an order for nobody", '{"do":"kill"}', {}, 400],
  ["a rate that is none", '{"do":"give rate","receiver":"a","rate":1.5}', {}, 400],
  ["a text of 1,001 units", JSON.stringify({ do: "send", to: "a", text: "x".repeat(1001) }), {}, 400],
  ["more than 8 KiB", JSON.stringify({ do: "look", more: "x".repeat(8192) }), {}, 413],
  ["another type", '{"do":"look"}', { "content-type": "text/plain" }, 415],
];
for (const [what, body, headers, status] of bodies) {
  test(`the desk answers ${what} with ${status}, and does nothing`, async () => {
    const { url, obeyed } = await openDesk();
    const answer = await ask(url, { ...right(url), ...headers }, body);
    assert.equal(answer.status, status);
    assert.match(JSON.parse(answer.said).error, /^Cannot /);
    assert.deepEqual(obeyed, []);
  });
}

test("the desk carries out one order at a time; one may look meanwhile, and the next is taken again", async () => {
  let finish = () => {};
  const finished = new Promise<undefined>((resolve) => {
    finish = () => resolve(undefined);
  });
  const { url, obeyed } = await openDesk(() => finished);
  const first = ask(url, right(url));
  await until("the first is under way", () => obeyed.length === 1);
  const looked = await ask(url, right(url), '{"do":"look"}');
  assert.equal(looked.status, 200);
  const second = await ask(url, right(url));
  assert.deepEqual([second.status, JSON.parse(second.said).code], [409, "busy"]);
  finish();
  assert.equal((await first).status, 200);
  assert.equal((await ask(url, right(url))).status, 200);
  assert.equal(obeyed.length, 2);
});

test("what the desk did is an event of the monitor; what it could not do isn't, and says why", async () => {
  const { url } = await openDesk(async (order) => {
    if (order.do !== "kill") throw new CannotObey("changed", "Cannot resume a: it runs");
    return { event: "killed", from: order.receiver };
  });
  await ask(url, right(url));
  const refused = await ask(url, right(url), '{"do":"resume","receiver":"a"}');
  assert.deepEqual(JSON.parse(refused.said), { error: "Cannot resume a: it runs", code: "changed" });
  const lines = (await (await fetch(`${url}/events.jsonl`)).text()).trim().split("\n");
  const [told, ...others] = lines.map((line) => JSON.parse(line)).filter(({ from }) => from === "a");
  assert.deepEqual([told.process, told.event, others], ["monitor", "killed", []]);
  assert.ok(Math.abs(Date.now() - told.at) < 10_000);
});

test("without a desk none of its calls exist", async () => {
  const url = await openMonitor();
  for (const method of ["POST", "GET", "PUT"]) {
    const answer = await fetch(`${url}/desk`, { method, headers: right(url) });
    assert.equal(answer.status, 404);
    await answer.arrayBuffer();
  }
});
