/** gRPC, unary calls over one HTTP/2 connection; the messages are bytes, without protobuf. */
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import { measureRequests, readLoad, sayPort } from "./measure.js";

const asIs = (bytes) => bytes;
const SERVICE = {
  send: {
    path: "/bench.Bench/Send",
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
};
const ACK = Buffer.from("ok");
const load = readLoad();

function serve() {
  const server = new grpc.Server();
  server.addService(SERVICE, { send: (_call, answer) => answer(null, ACK) });
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    sayPort(port);
  });
}

async function send({ port, body }) {
  const Client = grpc.makeGenericClientConstructor(SERVICE, "Bench");
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  await promisify(client.waitForReady.bind(client))(Date.now() + 5000);
  const call = promisify(client.send.bind(client));
  await measureRequests(load, () => call(body));
  client.close();
}

if (load.role === "server") serve();
else await send(load);
