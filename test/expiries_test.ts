/** How a watch of etcd is followed when its stream ends, when etcd has forgotten what was to come, and when it was emptied. */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { listen } from "../plumbing/listen.ts";
import { toBase64 } from "../store/etcd_answers.ts";
import { createEtcd, endEtcd } from "../store/etcd_calls.ts";
import { createExpiries, followExpiries } from "../store/expiries.ts";
import { keptLog, until } from "./helpers.ts";

/** Follows a node that answers each watch, one after another, with one of these streams; one that ends with a text stays open. */
async function follow(t: TestContext, streams: (object | string)[][]) {
  const asked: (string | undefined)[] = []; // the start of each watch
  let toldUpTo: string | undefined;
  const answers: Record<string, (body: Body, response: ServerResponse) => void> = {
    "/v3/watch": ({ create_request }, response) => {
      const stream = streams[asked.push(create_request.start_revision) - 1] ?? [];
      for (const part of stream)
        response.write(typeof part === "string" ? part : `${JSON.stringify({ result: part })}\n`);
      if (stream !== streams.at(-1) && typeof stream.at(-1) !== "string") response.end();
    },
    "/v3/kv/range": (_, response) => {
      const kvs = toldUpTo ? [{ key: "", value: toldUpTo, mod_revision: "1" }] : [];
      response.end(JSON.stringify({ header: { revision: "1000" }, kvs }));
    },
    "/v3/kv/txn": ({ success }, response) => {
      toldUpTo = success[0]?.request_put.value;
      response.end(JSON.stringify({ header: { revision: "1" }, succeeded: true }));
    },
  };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    answers[request.url ?? ""]?.(JSON.parse(body), response);
  });
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  const stop = new AbortController();
  t.after(() => stop.abort());
  const etcd = createEtcd([`http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`]);
  t.after(() => endEtcd(etcd));
  const told: string[] = [];
  const { log, lines } = keptLog();
  const expiries = createExpiries(etcd, log, ({ host }) => void told.push(host));
  const following = followExpiries(expiries, stop.signal);
  return { asked, told, lines, stop, following };
}

interface Body {
  create_request: { start_revision?: string };
  success: { request_put: { value: string } }[];
}

const created = (revision: number) => ({ header: { revision: `${revision}` }, created: true });
const gone = (revision: number, host: string, more = {}) => {
  const receiver = { id: `id of ${host}`, host, port: 1, last_seen: 0, ...more };
  const prev_kv = { key: "", value: toBase64(JSON.stringify(receiver)) };
  const event = { type: "DELETE", kv: { key: "", mod_revision: `${revision}` }, prev_kv };
  return { header: { revision: `${revision}` }, events: [event] };
};

test("a watch goes on where its stream ended, and tells nothing twice", async (t) => {
  const { asked, told } = await follow(t, [
    [created(10), gone(11, "a"), gone(13, "b")],
    [created(20), gone(13, "b"), gone(14, "c"), gone(15, "d", { isLeaving: true })],
  ]);
  await until("all is told", () => told.length > 2);
  assert.deepEqual(told, ["a", "b", "c"]);
  assert.deepEqual(asked, [undefined, "14"]);
});

test("a watch goes on with what etcd still knows, and says that some may be missing", async (t) => {
  const { asked, told, lines } = await follow(t, [
    [created(10)],
    [{ header: { revision: "60" }, canceled: true, compact_revision: "50" }],
    [created(60), gone(51, "a")],
  ]);
  await until("it is told", () => told.length > 0);
  assert.deepEqual(asked, [undefined, "11", "50"]);
  assert.match(lines.join("\n"), /may not be told/);
});

test("a watch of an etcd that was emptied begins anew", async (t) => {
  const { asked, told } = await follow(t, [[created(100)], [created(3)], [created(3), gone(4, "a")]]);
  await until("it is told", () => told.length > 0);
  assert.deepEqual(asked, [undefined, "101", "4"]);
});

test("a watch of which a line has no end is listened to anew", async (t) => {
  const { asked } = await follow(t, [[created(10), "x".repeat(17 * 1024 * 1024)], [created(10)]]);
  await until("it is asked again", () => asked.length > 1);
  assert.deepEqual(asked, [undefined, "11"]);
});

test("a watch that is stopped ends, and is not taken for an etcd that is away", async (t) => {
  const { asked, lines, stop, following } = await follow(t, [[]]); // no answer yet
  await until("it is asked", () => asked.length > 0);
  stop.abort();
  await following;
  assert.deepEqual(lines, []);
});
