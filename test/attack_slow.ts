/** Attacks by peers that are slow: that ask and never read, and that send a byte a second. */
import { setTimeout as delay } from "node:timers/promises";
import type { Field, Target } from "./attack_field.ts";
import {
  askMany,
  message,
  openSockets,
  pick,
  request,
  type Tools,
  untilOver,
  write,
} from "./attack_sockets.ts";

const UNREAD = 60; // connections, each with an answer that nobody reads
const LONG_LIST = 30_000; // receivers
const DRIPPING = 100; // connections that send a byte a second
const WRITERS = 20; // connections that send messages and read no ack

export const SLOW_ATTACKS: Record<string, (field: Field, tools: Tools) => Promise<unknown>> = {
  async "long lists unread"({ flooded }, tools) {
    await fillGroup(flooded, tools);
    await leaveUnread(flooded, "/receivers", tools);
  },
  "events unread": ({ monitor }, tools) => leaveUnread(monitor, "/events.jsonl", tools),
  "pages unread": ({ monitor }, tools) => leaveUnread(monitor, "/events", tools),
  "diagrams unread": ({ monitor }, tools) => leaveUnread(monitor, "/diagram.mmd", tools),
  "groups unread": ({ monitor }, tools) => leaveUnread(monitor, "/group", tools),

  async "acks unread"({ receivers }, tools) {
    const sockets = await openSockets(pick(tools, receivers), WRITERS, tools);
    const writeOn = async (number: number) => {
      const socket = sockets[number];
      socket?.pause();
      for (let count = 0; socket?.writable; count++) {
        const frames = Array.from({ length: 200 }, (_each, place) =>
          message(`unread-${number}-${count}-${place}`, ""),
        );
        await write(socket, frames.join(""), tools);
      }
    };
    await Promise.all([...sockets.keys()].map(writeOn));
    await untilOver(tools);
  },
  async "a byte a second"({ receivers, discovery, monitor }, tools) {
    const target = pick(tools, [...receivers, discovery, monitor]);
    const text =
      target.role === "receiver" ? message("slow", "x") : request("POST", "/heartbeat", '{"id":"x"}');
    const sockets = await openSockets(target, DRIPPING, tools);
    for (const byte of Buffer.from(text)) {
      for (const socket of sockets) if (socket.writable) socket.write(Buffer.of(byte));
      await delay(1000, undefined, { signal: tools.signal });
    }
  },
};

/** Asks on many connections, several times on each, and reads nothing. */
async function leaveUnread(target: Target, path: string, tools: Tools): Promise<void> {
  const sockets = await openSockets(target, UNREAD, tools);
  for (const socket of sockets) socket.pause();
  await Promise.all(sockets.map((socket) => write(socket, request("GET", path).repeat(3), tools)));
  await untilOver(tools);
}

async function fillGroup(discovery: Target, tools: Tools): Promise<void> {
  const register = (number: number) => JSON.stringify({ host: `long-${number}`.padEnd(100, "x"), port: 1 });
  await askMany(discovery, "/register", tools, LONG_LIST, register);
}
