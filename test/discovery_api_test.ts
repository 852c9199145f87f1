/** The client's side of discovery's calls, against a discovery that lies. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { afterEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { DiscoveryError } from "../lib/discovery_api.ts";
import { MAX_LIST_BYTES, MAX_RECEIVERS } from "../lib/messages.ts";
import { listen } from "../plumbing/listen.ts";
import { inTime } from "./helpers.ts";
import { endAll, toClose } from "./started.ts";
import { createDiscoveryApi, createHttpServer as createServer } from "./wires.ts";

afterEach(endAll);

async function lyingDiscovery(answer: RequestListener) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.on("error", () => {});
    answer(request, response);
  });
  const url = `http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`;
  toClose.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { discovery: createDiscoveryApi(url), url, asked };
}

const isBadAnswer = (error: unknown) => error instanceof DiscoveryError && error.code === "bad_answer";

test("list() reads no further than the longest list there can be, and closes the connection", async () => {
  const chunk = Buffer.alloc(64 * 1024, " ");
  let sent = 0;
  let closed = () => {};
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const { discovery } = await lyingDiscovery((_request, response) => {
    const more = () => {
      while (response.write(chunk)) sent += chunk.length;
      sent += chunk.length;
    };
    response.on("drain", more).on("close", closed);
    more();
  });
  await assert.rejects(discovery.list(), /its answer is too long/);
  await inTime("the connection is closed", isClosed);
  assert.ok(sent >= MAX_LIST_BYTES && sent < 2 * MAX_LIST_BYTES, `${sent} bytes were sent`);
});

test("register() reads no more than 64 KiB of an answer", async () => {
  const { discovery } = await lyingDiscovery((_request, response) => {
    response.end(JSON.stringify({ message: "x".repeat(65 * 1024), id: "a" }));
  });
  await assert.rejects(discovery.register({ host: "a", port: 1 }), isBadAnswer);
});

test("list() doesn't unpack what is packed: a small answer can hold a large one", async () => {
  const { discovery } = await lyingDiscovery((_request, response) => {
    response.setHeader("Content-Encoding", "gzip").end(gzipSync("[]"));
  });
  await assert.rejects(discovery.list(), /the answer is not discovery's \(it is not JSON\)/);
});

for (const status of [301, 302, 307, 308, 304]) {
  test(`no call follows a redirect (${status}): it isn't discovery that answers so`, async () => {
    const elsewhere = await lyingDiscovery((_request, response) => void response.end("[]"));
    const { discovery } = await lyingDiscovery((request, response) => {
      response.writeHead(status, { Location: `${elsewhere.url}${request.url}` }).end("[]");
    });
    await assert.rejects(discovery.list(), isBadAnswer);
    await assert.rejects(discovery.register({ host: "a", port: 1 }), isBadAnswer);
    await assert.rejects(discovery.heartbeat("a"), isBadAnswer);
    await assert.rejects(discovery.leave("a"), isBadAnswer);
    assert.deepEqual(elsewhere.asked, []);
  });
}

test("what answers in another protocol is no discovery: another program has its port", async () => {
  const { discovery } = await lyingDiscovery(({ socket }) => void socket.end("220 mail.example ESMTP\r\n"));
  await assert.rejects(discovery.list(), isBadAnswer);
  await assert.rejects(discovery.list(), /at http.*: it doesn't speak HTTP \(HPE_INVALID_CONSTANT\)$/);
});

test("list() says that a list is too long, however long", async () => {
  const receiver = { id: "a", host: "b", port: 1, last_seen: 1 };
  const { discovery } = await lyingDiscovery((_request, response) => {
    response.end(JSON.stringify(Array(MAX_RECEIVERS + 30_000).fill(receiver)));
  });
  await assert.rejects(discovery.list(), /must have at most 100000 receivers/);
});

test("a refusal is told in few words, and without what would move a terminal's cursor", async () => {
  const { discovery } = await lyingDiscovery((_request, response) => {
    response.writeHead(503).end(JSON.stringify({ error: `\x1b[2J\u202e${"x".repeat(1e6)}` }));
  });
  await assert.rejects(discovery.list(), (error: Error) => {
    assert.match(error.message, /it answered 503, \\x1b\[2J\\u202ex+…$/);
    return error.message.length < 400;
  });
});

test("a 400 says that a registration is wrong; of a list it is no answer of discovery's", async () => {
  const { discovery } = await lyingDiscovery((_request, response) => void response.writeHead(400).end("{}"));
  await assert.rejects(discovery.register({ host: "a", port: 1 }), { code: "refused" });
  await assert.rejects(discovery.list(), { code: "bad_answer" });
  await assert.rejects(discovery.heartbeat("a"), { code: "bad_answer" });
});
