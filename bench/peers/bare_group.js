/**
 * The floor of a send to the group: bare sockets that connect, write a line and get it back. As a group's receivers
 * do, each listens on a port of its own, all in one process; nobody reads what is in the lines.
 *
 *     node bench/peers/bare_group.js server RECEIVERS
 *     node bench/peers/bare_group.js client BYTES PORT…
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";

const NEWLINE = 0x0a;

async function serve(count) {
  const ports = [];
  for (let n = 0; n < count; n++) {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (chunk) => socket.write(chunk));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push(server.address().port);
  }
  console.log(`listening on ports ${ports.join(" ")}.`);
}

/** Sends one frame, and waits until all of it is back. */
function exchange(port, frame) {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  return new Promise((resolve, reject) => {
    socket.on("connect", () => socket.write(frame));
    socket.on("data", (chunk) => chunk.at(-1) === NEWLINE && resolve(socket));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection")));
  });
}

async function send(bytes, ports) {
  const message = {
    type: "message",
    id: "1-abc123",
    from: "client-abc123",
    attempt: 1,
    body: "x".repeat(bytes),
  };
  const frame = Buffer.from(`${JSON.stringify({ ...message, clock: 123456 })}\n`);
  const startedAt = performance.now();
  const sockets = await Promise.all(ports.map((port) => exchange(port, frame)));
  console.log(JSON.stringify({ messages: sockets.length, ms: performance.now() - startedAt }));
  for (const socket of sockets) socket.destroy();
}

const [role, ...numbers] = process.argv.slice(2);
const [first, ...ports] = numbers.map(Number);
if (role === "server") await serve(first);
else await send(first, ports);
