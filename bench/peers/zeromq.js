/** ZeroMQ, a dealer that asks and a router that answers. */
import { Dealer, Router } from "zeromq";
import { createTally, readLoad, sayPort } from "./measure.js";

const NO_LIMIT = { sendHighWaterMark: 0, receiveHighWaterMark: 0 }; // by default a router drops what is over 1,000
const load = readLoad();

async function serve() {
  const router = new Router(NO_LIMIT);
  await router.bind("tcp://127.0.0.1:*");
  sayPort(new URL(router.lastEndpoint).port);
  for await (const [client] of router) await router.send([client, "ok"]);
}

async function send({ port, body, inFlight }) {
  const dealer = new Dealer(NO_LIMIT);
  dealer.connect(`tcp://127.0.0.1:${port}`);
  await dealer.send(body); // connecting is done behind our back: it is when the first answer is here
  await dealer.receive();

  const tally = createTally(load);
  const begun = []; // the times of the messages under way: the answers come in their order
  let wanted = inFlight;
  let isSending = false;
  // zeromq.js takes one send at a time, so only one of these loops runs. The last ack may come while it still
  // waits for its send; so it is this function that sees the end.
  async function sendWanted() {
    if (isSending) return;
    isSending = true;
    for (; wanted > 0; wanted--) {
      const begunAt = tally.begin();
      if (begunAt === undefined) continue;
      begun.push(begunAt);
      await dealer.send(body);
    }
    isSending = false;
    if (tally.isDone()) dealer.close(); // which ends the loop below
  }
  void sendWanted();
  for await (const _ack of dealer) {
    tally.ack(begun.shift());
    wanted += 1;
    void sendWanted();
  }
  tally.report();
}

if (load.role === "server") await serve();
else await send(load);
