/** What is compared: our own roles, and the peers, each with a server and a client in processes of their own. */
import { existsSync } from "node:fs";
import { makeGroup, startClient, startDiscovery, startReceivers } from "./ours.ts";
import { isOnPath, start } from "./processes.ts";

const PEER_SECONDS = { full: 2, quick: 0.5 }; // after that a peer's client begins no message more

/** What is measured: bodies of so many bytes, so many messages in flight, and how many in all. */
export interface Cell {
  inFlight: number;
  bytes: number;
  count: number;
  isQuick: boolean;
}

/** What one client process measured. */
export interface Measurement {
  messages: number;
  seconds: number;
  medianMs: number;
  p99Ms: number;
  /** The processor time of the client's process, its start included; undefined without /proc. */
  clientSeconds?: number | undefined;
}

export interface Server {
  /** The processor time that it has used, in seconds. */
  processorSeconds(): number | undefined;
  measure(cell: Cell): Promise<Measurement>;
  stop(): Promise<void>;
}

export interface System {
  name: string;
  /** Why it can't be measured on this machine, if it can't. */
  missing?: string | undefined;
  start(): Promise<Server>;
}

export const OURS = "this project";

export const SYSTEMS: System[] = [
  { name: OURS, start: () => startOurs() },
  { name: "this project, with a group file", start: async () => startOurs(await makeGroup()) },
  peer("bare socket", ["bare_socket.js"]),
  peer("bare socket, batched", ["bare_socket.js", "--batched"]),
  peer("NATS request-reply", ["nats.js"], { npm: "@nats-io/transport-node", command: "nats-server" }),
  peer("ZeroMQ dealer/router", ["zeromq.js"], { npm: "zeromq" }),
  peer("gRPC unary", ["grpc.js"], { npm: "@grpc/grpc-js" }),
  peer("a connection a message, Python", ["new_connection.py"], { command: "python3" }),
];

/** Our roles, by their command lines; what the client measured is what it says to its user. */
async function startOurs(groupFile?: string): Promise<Server> {
  const discovery = await startDiscovery({ groupFile });
  const receiver = startReceivers(discovery);
  await discovery.untilReceivers(1);
  return {
    processorSeconds: receiver.processorSeconds,
    async measure({ count, inFlight, bytes }) {
      const client = startClient(discovery, [
        ...["--to", "0", "--count", `${count}`, "--concurrency", `${inFlight}`],
        ...["--message", "x".repeat(bytes)],
      ]);
      const measured = readSummary(await client.output());
      if (measured.messages !== count) throw new Error(`${measured.messages} acks for ${count} messages`);
      return { ...measured, clientSeconds: client.processorSeconds() };
    },
    async stop() {
      await receiver.stop();
      await discovery.stop();
    },
  };
}

/** What our client says in the end, as numbers. */
export function readSummary(summary: string): Measurement {
  const acked = summary.match(/\d+ messages: (\d+) acked,.* in [\d.]+m?s \(([\d,]+) acked a second\)/);
  const times = summary.match(/time to ack: median ([\d.]+m?s), 99th percentile ([\d.]+m?s)/);
  if (!acked || !times) throw new Error(`Cannot read the client's summary: ${summary}`);
  const number = (text = "") => Number(text.replaceAll(",", ""));
  return {
    messages: number(acked[1]),
    seconds: number(acked[1]) / number(acked[2]), // of the two ways to say it the rate has more digits
    medianMs: readDuration(times[1]),
    p99Ms: readDuration(times[2]),
  };
}

/** A duration as our client writes it, in milliseconds. */
export function readDuration(text = ""): number {
  return Number.parseFloat(text) * (text.endsWith("ms") ? 1 : 1000);
}

/** A script of bench/peers, and what it needs: a package of bench/package.json, a command. */
function peer(
  name: string,
  [file, ...flags]: string[],
  needs: { npm?: string; command?: string } = {},
): System {
  const path = `bench/peers/${file}`;
  const program = path.endsWith(".py") ? "python3" : process.execPath;
  let missing: string | undefined;
  if (needs.command && !isOnPath(needs.command)) missing = `no ${needs.command} on the PATH`;
  if (needs.npm && !existsSync(`${import.meta.dirname}/node_modules/${needs.npm}`)) {
    missing = `the package ${needs.npm} is not installed`;
  }

  async function startPeer(): Promise<Server> {
    const server = start(program, [path, "server", ...flags]);
    const [, port] = await server.says(/listening on port (\d+)/);
    return {
      stop: server.stop,
      processorSeconds: server.processorSeconds,
      async measure({ count, inFlight, bytes, isQuick }) {
        const seconds = isQuick ? PEER_SECONDS.quick : PEER_SECONDS.full;
        const client = start(program, [
          ...[path, "client", ...flags, "--port", `${port}`, "--count", `${count}`],
          ...["--in-flight", `${inFlight}`, "--bytes", `${bytes}`, "--seconds", `${seconds}`],
        ]);
        const measured = JSON.parse(await client.output()) as Measurement;
        const isWhole = measured.messages === count || measured.seconds >= seconds;
        if (!isWhole) throw new Error(`${measured.messages} acks for ${count} messages`);
        return { ...measured, clientSeconds: client.processorSeconds() };
      },
    };
  }
  return { name, missing, start: startPeer };
}
