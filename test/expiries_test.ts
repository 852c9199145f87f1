/** How a watch of etcd is followed when its stream ends, when etcd has forgotten what was to come, and when it was emptied. */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { listen } from "../plumbing/listen.ts";
import { toBase64 } from "../store/etcd_answers.ts";
import { createEtcd } from "../store/etcd_calls.ts";
import { createExpiries, followExpiries } from "../store/expiries.ts";
import { keptLog, until } from "./helpers.ts";

/** Follows a node that answers each watch, one after another, with one of these streams. */
async function follow(t: TestContext, streams: object[][]) {
  const asked: (string | undefined)[] = []; // the start of each watch
  let toldUpTo: string | undefined;
  const answers: Record<string, (body: Body, response: ServerResponse) => void> = {
    "/v3/watch": ({ create_request }, response) => {
      const lines = streams[asked.push(create_request.start_revision) - 1];
      for (const result of lines ?? []) response.write(`${JSON.stringify({ result })}\n`);
      if (lines !== streams.at(-1)) response.end();
    },
    "/v3/kv/range": (_, response) => {
      const kvs = toldUpTo ? [{ key: "", value: toldUpTo, mod_revision: "1" }] : [];
      response.end(JSON.stringify({ header: { revision: "1" }, kvs }));
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
  t.after(() => etcd.agent.destroy());
  const told: string[] = [];
  const { log, lines } = keptLog();
  void followExpiries(
    createExpiries(etcd, log, ({ host }) => void told.push(host)),
    stop.signal,
  );
  return { asked, told, lines };
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
