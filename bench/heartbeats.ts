/**
 * A load of heartbeats, as cheap as it can be made, so that it is discovery that is measured: HTTP
 * written by hand on connections that stay open, one request at a time on each.
 *
 *     tsx bench/heartbeats.ts PORT SECONDS
 */
import { connect } from "node:net";

const CONNECTIONS = 32;
const [port, seconds] = process.argv.slice(2).map(Number) as [number, number];

const list = await fetch(`http://127.0.0.1:${port}/receivers`);
const receivers = (await list.json()) as { id: string }[];
const requests = receivers.map(({ id }) => {
  const body = JSON.stringify({ id });
  const header = `POST /heartbeat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json`;
  return Buffer.from(`${header}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
});

let next = 0;
let heard = 0;
const startedAt = performance.now();
const endAt = startedAt + seconds * 1000;

/** Sends heartbeats on one connection, one after another, until the time is over. */
function beat(): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  let answer = "";
  function send() {
    socket.write(requests[next % requests.length] as Buffer);
    next += 1;
  }
  return new Promise((resolve, reject) => {
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("discovery closed the connection")));
    socket.setEncoding("latin1").on("data", (chunk) => {
      answer += chunk;
      if (!answer.endsWith("}")) return; // its body is one JSON object
      if (!answer.startsWith("HTTP/1.1 200")) return reject(new Error(`discovery answered ${answer}`));
      heard += 1;
      answer = "";
      if (performance.now() < endAt) return send();
      resolve();
      socket.destroy();
    });
  });
}

await Promise.all(Array.from({ length: CONNECTIONS }, beat));
console.log(JSON.stringify({ perSecond: heard / ((performance.now() - startedAt) / 1000) }));
