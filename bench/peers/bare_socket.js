/**
 * The floor: what node:net itself costs. The frames are those of this project, a line of JSON each, but
 * nobody reads them: the server cuts at the newlines and writes every frame back, and for every frame that
 * came back the client writes another. No JSON, no ids, no promises, no timeouts.
 *
 * One `write` a frame, thus one system call a frame. With `--batched` the frames of a chunk go out together.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createTally, readLoad, sayPort } from "./measure.js";

const NEWLINE = 0x0a;
const load = readLoad();

/** Cuts chunks into frames, each with its newline. */
function createCutter(onFrame) {
  let pieces = []; // of the frame whose end has not come yet
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      let frame = chunk.subarray(start, end + 1);
      if (pieces.length > 0) {
        frame = Buffer.concat([...pieces, frame]);
        pieces = [];
      }
      start = end + 1;
      onFrame(frame);
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  };
}

function readFrames(socket, onFrame) {
  const cut = createCutter(onFrame);
  socket.on("data", (chunk) => {
    if (load.batched) socket.cork();
    cut(chunk);
    if (load.batched) socket.uncork();
  });
}

function serve() {
  const server = createServer({ noDelay: true }, (socket) => {
    readFrames(socket, (frame) => socket.write(frame));
  });
  server.listen(0, "127.0.0.1", () => sayPort(server.address().port));
}

async function send({ port, body, inFlight }) {
  const message = { type: "message", id: randomUUID(), from: "client-abc123", attempt: 1, body: `${body}` };
  const frame = Buffer.from(`${JSON.stringify({ ...message, clock: 123456 })}\n`);
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  const tally = createTally(load);
  const begun = []; // the times of the messages under way: what is sent first comes back first
  function sendNext() {
    const begunAt = tally.begin();
    if (begunAt === undefined) return;
    begun.push(begunAt);
    socket.write(frame);
  }
  readFrames(socket, () => {
    tally.ack(begun.shift());
    sendNext();
    if (tally.isDone()) socket.end(tally.report);
  });
  for (let lane = 0; lane < inFlight; lane++) sendNext();
}

if (load.role === "server") serve();
else await send(load);
