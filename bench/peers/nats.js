/** NATS request-reply. The server is a nats-server, of its own process, and who answers, in this one. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { connect } from "@nats-io/transport-node";
import { measureRequests, readLoad, sayPort } from "./measure.js";

const SUBJECT = "bench";
const load = readLoad();

/** Starts nats-server on a port that the system picks. @returns the port */
async function startBroker() {
  const broker = spawn("nats-server", ["--addr", "127.0.0.1", "--port", "-1"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  process.on("exit", () => broker.kill());
  process.on("SIGTERM", () => process.exit(0));
  for await (const line of createInterface({ input: broker.stderr })) {
    const [, port] = line.match(/Listening for client connections on .*:(\d+)/) ?? [];
    if (port) return Number(port);
  }
  throw new Error("nats-server ended before it listened");
}

async function serve() {
  const port = await startBroker();
  const nats = await connect({ servers: `127.0.0.1:${port}` });
  nats.subscribe(SUBJECT, { callback: (_error, message) => message.respond("ok") });
  await nats.flush(); // now nats-server knows of it
  sayPort(port);
}

async function send({ port, body }) {
  const nats = await connect({ servers: `127.0.0.1:${port}` });
  await measureRequests(load, () => nats.request(SUBJECT, body, { timeout: 10_000 }));
  await nats.close();
}

if (load.role === "server") await serve();
else await send(load);
