/** One call over HTTP, against servers that lie, that lag and that close. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import type { RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import { type Call, createTarget, LimitError, makeCall } from "../plumbing/http_call.ts";
import { listen } from "../plumbing/listen.ts";
import { discoveryUrl, inTime, startProgram, startRole, until } from "./helpers.ts";
import { endAll, roles, toClose } from "./started.ts";
import { createHttpServer, groupFile } from "./wires.ts";

afterEach(endAll);

const MANY = 10;

/** A server that answers as the test says, what it was asked, and by how many connections. */
async function startServer(answer: RequestListener, { below = "", maxSockets = MANY } = {}) {
  const seen = { asked: [] as string[], connections: 0 };
  const server = createHttpServer(async (request, response) => {
    seen.asked.push(`${request.method} ${request.url} ${(await request.toArray()).join("")}`.trim());
    answer(request, response);
  });
  server.on(groupFile ? "secureConnection" : "connection", () => seen.connections++);
  const url = `http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}${below}`;
  const target = createTarget(url, { maxSockets, groupFile });
  toClose.push(() => target.agent.destroy());
  toClose.push(() => server.close().closeAllConnections());
  const call = (more: Partial<Call> = {}) => makeCall(target, { path: "a", withinMs: 10_000, ...more });
  return { call, seen, server, target };
}

const isLimit = (limit: LimitError["limit"], message: RegExp) => (error: unknown) =>
  error instanceof LimitError && error.limit === limit && message.test(error.message);

test("any status is an answer, with its headers and its body; a redirect is not followed", async () => {
  const { call, seen } = await startServer((request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { Location: "/200", "X-Registry": "r" }).end("olá");
  });
  for (const status of [200, 201, 302, 404, 418, 500]) {
    const { statusCode, headers, body } = await call({ path: `${status}` });
    assert.deepEqual([statusCode, headers["x-registry"], `${body}`], [status, "r", "olá"]);
  }
  assert.equal((await call({ path: "204" })).body.length, 0);
  assert.equal((await call({ path: "200", method: "HEAD" })).body.length, 0);
  assert.equal(seen.asked.length, 8);
});

test("what is sent is JSON, below the address of the target", async () => {
  const types: unknown[] = [];
  const { call, seen } = await startServer(
    ({ headers }, response) => {
      types.push([headers["content-type"], headers["content-length"]]);
      response.end();
    },
    { below: "/group/7" },
  );
  await call({ method: "POST", path: "register", body: '"olá"' });
  await call({ method: "DELETE", path: "receivers/a%2Fb" });
  assert.deepEqual(seen.asked, ['POST /group/7/register "olá"', "DELETE /group/7/receivers/a%2Fb"]);
  assert.deepEqual(types[0], ["application/json", "6"]);
});

test("connections are kept, and are no more than it was said", async () => {
  const { call, seen } = await startServer((_, response) => void response.end(), { maxSockets: 3 });
  await Promise.all(Array.from({ length: 20 }, () => call()));
  await call();
  assert.equal(seen.connections, 3);
});

test("a server that never answers, or never ends its answer, is waited for as long as it was said", async () => {
  const silent = await startServer(() => {});
  await assert.rejects(silent.call({ withinMs: 50 }), isLimit("time", /^no answer within 50ms$/));
  await assert.rejects(
    silent.call({ withinMs: 60_000, beginsWithinMs: 50 }),
    isLimit("time", /^no answer within 50ms$/),
  );
  const endless = await startServer((_, response) => {
    const writing = setInterval(() => response.write(" "), 5);
    response.on("close", () => clearInterval(writing));
  });
  await assert.rejects(
    endless.call({ withinMs: 300, beginsWithinMs: 299 }),
    isLimit("time", /^no answer within 300ms$/),
  );
});

test("a call that is given up, or takes too long, closes its connection", async () => {
  const stop = new AbortController();
  const { call, server } = await startServer(() => stop.abort());
  const closed = new Promise((resolve) => server.on("connection", (socket) => socket.on("close", resolve)));
  await assert.rejects(call({ signal: stop.signal }), { name: "AbortError" });
  await inTime("it is closed", closed);
});

test("a call that was given up before isn't made", async () => {
  const { call, seen } = await startServer((_, response) => void response.end());
  await assert.rejects(call({ signal: AbortSignal.abort() }), { name: "AbortError" });
  await call({ path: "b" });
  assert.deepEqual(seen.asked, ["GET /b"]);
});

test("a call that waits for a connection ends when it is given up, or takes too long, and isn't made", async () => {
  const held: ServerResponse[] = [];
  const { call, seen } = await startServer((_, response) => void held.push(response), { maxSockets: 1 });
  const first = call({ path: "first" });
  await until("it is asked", () => held.length === 1);
  const stop = new AbortController();
  const second = call({ path: "second", signal: stop.signal });
  const third = call({ path: "third", withinMs: 20 });
  stop.abort();
  await assert.rejects(second, { name: "AbortError" });
  await assert.rejects(third, isLimit("time", /20ms/));
  held[0]?.end();
  await first;
  const last = call({ path: "last" });
  await until("it is asked", () => held.length === 2);
  held[1]?.end();
  await last;
  assert.deepEqual(seen.asked, ["GET /first", "GET /last"]);
});

test("a signal that many calls share keeps nothing of those that are over", async () => {
  const { signal } = new AbortController();
  const { call } = await startServer((_, response) => void response.end());
  const calls = Array.from({ length: 5 }, () => call({ signal }));
  assert.equal(getEventListeners(signal, "abort").length, 5);
  await Promise.all(calls);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("an answer may have just so many bytes, in however many pieces", async () => {
  const { call } = await startServer(async ({ url }, response) => {
    for (let n = 0; n < Number(url?.slice(1)); n++) response.write("x");
    response.end();
  });
  const { body } = await call({ path: "3000", maxBytes: 3000 });
  assert.equal(`${body}`, "x".repeat(3000));
  await assert.rejects(call({ path: "3001", maxBytes: 3000 }), isLimit("bytes", /^its answer is too long$/));
  assert.equal((await call({ path: `${64 * 1024}` })).body.length, 64 * 1024);
  await assert.rejects(call({ path: `${64 * 1024 + 1}` }), isLimit("bytes", /too long/));
});

test("an answer that says that it is too long isn't waited for; one to HEAD only says how long it would be", async () => {
  const { call } = await startServer(({ method }, response) => {
    response.writeHead(200, { "Content-Length": 1e9 });
    if (method === "HEAD") response.end();
    else response.flushHeaders();
  });
  await assert.rejects(call(), isLimit("bytes", /too long/));
  assert.equal((await call({ method: "HEAD" })).headers["content-length"], "1000000000");
});

/** Closes what was kept as soon as it is used again, without an answer. */
function closeKept(answer: RequestListener): RequestListener {
  const used = new WeakSet();
  return (request, response) => {
    if (used.has(request.socket)) request.socket.destroy();
    else answer(request, response);
    used.add(request.socket);
  };
}

test("a connection that was kept and turns out to be closed is no failure: the call is made again, on another", async () => {
  const { call, seen } = await startServer(closeKept((_, response) => void response.end("well")));
  for (const path of ["1", "2"]) assert.equal(`${(await call({ path })).body}`, "well");
  assert.deepEqual(seen, { asked: ["GET /1", "GET /2", "GET /2"], connections: 2 });
});

test("one that is closed only when it is written to is no failure, either", async () => {
  const { call, seen, target } = await startServer((_, response) => void response.end("well"));
  await call({ path: "1" });
  const kept = await until("it is kept", () => Object.values(target.agent.freeSockets)[0]?.[0]);
  const broken = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  const fail = (...given: unknown[]) => (given.at(-1) as (error: Error) => void)(broken);
  Object.assign(kept, { _write: fail, _writev: fail }); // what the system says of a pipe that has broken
  assert.equal(`${(await call({ path: "2" })).body}`, "well");
  assert.deepEqual(seen, { asked: ["GET /1", "GET /2"], connections: 2 });
});

test("an answer that changes the protocol is one like any other", async () => {
  const { call } = await startServer(({ socket }) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  });
  assert.equal((await call()).statusCode, 101);
});

test("it is made again on a new connection: all that were kept may be closed", async () => {
  const { call, seen } = await startServer(closeKept((_, response) => void response.end()));
  await Promise.all(Array.from({ length: MANY }, () => call()));
  await call();
  assert.equal(seen.asked.length, MANY + 2);
  assert.equal(seen.connections, MANY + 1);
});

test("it is made again only once, and in the time that is left", async () => {
  const resets = await startServer(({ url, socket }, response) => {
    if (url === "/first") response.end();
    else socket.destroy();
  });
  await resets.call({ path: "first" });
  await assert.rejects(resets.call(), { code: "ECONNRESET" });
  assert.deepEqual(resets.seen.asked, ["GET /first", "GET /a", "GET /a"]);
  const lags = await startServer(
    closeKept(({ url }, response) => {
      if (url === "/first") response.end();
    }),
  );
  await lags.call({ path: "first" });
  await assert.rejects(lags.call({ withinMs: 200 }), isLimit("time", /200ms/));
  assert.deepEqual(lags.seen.asked, ["GET /first", "GET /a", "GET /a"]);
});

test("a new connection that is closed is a failure, and isn't tried again", async () => {
  const { call, seen } = await startServer(({ socket }) => void socket.destroy());
  await assert.rejects(call(), { code: "ECONNRESET" });
  assert.equal(seen.asked.length, 1);
});

test("an answer that ends too early, or is none, is a failure", async () => {
  const { call } = await startServer(({ url, socket }, response) => {
    if (url === "/early") response.writeHead(200, { "Content-Length": 9 }).write("olá");
    else socket.write("220 mail.example ESMTP\r\n");
    socket.end();
  });
  await assert.rejects(call({ path: "early" }), { code: "ECONNRESET" });
  await assert.rejects(call({ path: "mail" }), { code: "HPE_INVALID_CONSTANT" });
});

test("a program stays for an answer, but not for one that it asks for at an address", async () => {
  const held: ServerResponse[] = [];
  const { server } = await startServer((_, response) => {
    if (held.push(response) === 2) held.find(({ req }) => req.method === "GET")?.end();
  });
  const script = `
    import { createTarget, makeCall } from "./plumbing/http_call.ts";
    import { readGroupFile } from "./plumbing/group_file.ts";
    const [url, file] = process.argv.slice(1);
    const target = createTarget(url, { maxSockets: 2, groupFile: file && readGroupFile(file) });
    const call = { path: "a", withinMs: 1e6 };
    makeCall(target, { ...call, method: "HEAD", at: { address: "127.0.0.1", family: 4 } });
    makeCall(target, call).then(({ statusCode }) => console.log(statusCode));`;
  const { port } = server.address() as AddressInfo;
  const loader = process.execArgv.filter((arg) => !arg.startsWith("--test"));
  const code = [...loader, "--input-type=module", "-e", script, `http://127.0.0.1:${port}`];
  const { said, ended } = startProgram(process.execPath, groupFile ? [...code, groupFile.files] : code);
  assert.deepEqual(await inTime("the program ends", ended), [0, null], said.stderr);
  assert.equal(said.stdout, "200\n");
});

const NO_GOT = `
  import { register } from "node:module";
  register("data:text/javascript," + encodeURIComponent(\`export function resolve(name, context, next) {
    if (name === "got") throw new Error("got was loaded");
    return next(name, context);
  }\`));`;

test("no role loads got, unless it has a monitor", async () => {
  const start = (file: string, ...args: string[]) => {
    const noGot = ["--import", `data:text/javascript,${encodeURIComponent(NO_GOT)}`];
    const env = { NODE_OPTIONS: noGot.join(" ") };
    const role = startRole(file, args, env);
    roles.push(role);
    return role;
  };
  const discovery = await discoveryUrl(start("discovery.ts", "--host", "127.0.0.1", "--port", "0"));
  const common = ["--discovery", discovery];
  const receiver = start("receiver.ts", ...common, "--advertise-host", "127.0.0.1", "--fault-rate", "0");
  await receiver.says(/registered as/);
  const client = start("client.ts", ...common, "--to", "0");
  assert.equal(await client.exitCode(), 0, client.stderr());
  const watched = start("client.ts", ...common, "--to", "0", "--monitor", "http://127.0.0.1:9");
  assert.equal(await watched.exitCode(), 1);
  assert.match(watched.stderr(), /got was loaded/);
});
