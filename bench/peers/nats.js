/** NATS request-reply: both this file's server and its client are clients of a nats-server, at `--port`. */
import { connect } from "@nats-io/transport-node";
import { measureRequests, readLoad, sayPort } from "./measure.js";

const SUBJECT = "bench";
const load = readLoad();
const nats = await connect({ servers: `127.0.0.1:${load.port}` });

if (load.role === "server") {
  nats.subscribe(SUBJECT, { callback: (_error, message) => message.respond("ok") });
  await nats.flush(); // now nats-server knows of it
  sayPort(load.port);
} else {
  await measureRequests(load, () => nats.request(SUBJECT, load.body, { timeout: 10_000 }));
  await nats.close();
}
