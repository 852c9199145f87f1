/** Attacks by how much is sent: connections, frames, ids, registrations, events and pages. */
import type { Field, Target } from "./attack_field.ts";
import {
  askMany,
  countAnswers,
  MIB,
  message,
  openSocket,
  openSockets,
  pick,
  request,
  type Tools,
  untilOver,
  write,
} from "./attack_sockets.ts";
import { reset } from "./wires.ts";

const SILENT = 1200; // connections: more than a receiver takes
const UNFINISHED = 300; // frames: more than a receiver's memory
const IDS = 1_000_000;
const IN_WORK = 20; // messages of a MiB on one connection
const REGISTRATIONS = 120_000; // more than a group may have
const LONG_EVENTS = 100; // of so many names, by turns: some more than an event may have, or nearly that
const NAMES = [30_000, 3800];
const PAGES = 120; // more than the monitor opens
const GROUPED = 200; // small requests or frames that are written at once

type Flood = (field: Field, tools: Tools) => Promise<unknown>;

/** Each ends when the tools' signal says so, or earlier. */
export const FLOODS: Record<string, Flood> = {
  async "connections opened and reset"(field, tools) {
    const { discovery, monitor, receivers, worker } = field;
    for (;;) reset(await openSocket(pick(tools, [discovery, monitor, worker, ...receivers]), tools));
  },
  async "connections that send nothing"({ receivers, discovery, monitor }, tools) {
    const target = pick(tools, [...receivers, ...receivers, discovery, monitor]);
    for (const socket of await openSockets(target, SILENT, tools)) countAnswers(socket, tools);
    await untilOver(tools);
  },
  async "frames of a MiB, unfinished"({ receivers }, tools) {
    const half = Buffer.from(message("half", "x".repeat(MIB - 200)).slice(0, -10));
    const sockets = await openSockets(pick(tools, receivers), UNFINISHED, tools);
    await Promise.all(sockets.map((socket) => write(socket, half, tools)));
    await untilOver(tools);
  },
  async "a million ids"({ receivers }, tools) {
    const socket = await openAndCount(pick(tools, receivers), tools);
    const first = tools.random();
    await writeMany(socket, tools, IDS, (number) => message(`${number}-${first}`.padEnd(128, "x"), ""));
    await untilOver(tools);
  },
  async "ids repeated in work"({ worker }, tools) {
    const socket = await openAndCount(worker, tools);
    const id = `again-${tools.random()}`;
    await writeMany(socket, tools, IDS, () => message(id, ""));
    const large = message(id, "x".repeat(MIB - 300));
    for (;;) await write(await openAndCount(worker, tools), large, tools);
  },
  async "messages of a MiB in work"({ worker }, tools) {
    const socket = await openAndCount(worker, tools);
    for (let number = 0; number < IN_WORK; number++)
      await write(socket, message(`large-${number}-${tools.random()}`, "x".repeat(MIB - 300)), tools);
    await untilOver(tools);
  },
  async "messages of a MiB in work, on many connections"({ worker }, tools) {
    for (const socket of await openSockets(worker, UNFINISHED, tools)) {
      countAnswers(socket, tools);
      await write(socket, message(`many-${tools.random()}`, "x".repeat(MIB - 300)), tools);
    }
    await untilOver(tools);
  },
  async "registrations up to the full group"({ flooded }, tools) {
    const register = (number: number) =>
      JSON.stringify({ host: `${number}`.padEnd(253, "h"), port: 65535, name: "n".repeat(128) });
    await askMany(flooded, "/register", tools, REGISTRATIONS, register);
    await untilOver(tools);
  },
  async "heartbeats of unknown ids"({ discovery }, tools) {
    const beat = (number: number) => JSON.stringify({ id: `${number}`.padEnd(128, "i") });
    await askMany(discovery, "/heartbeat", tools, IDS, beat);
  },
  async "events of 30,000 names"({ monitor }, tools) {
    const names = NAMES.map((length) => Array.from({ length }, (_each, name) => `${name}`.padEnd(128, "n")));
    await openPages(monitor, 20, tools);
    for (let number = 0; number < LONG_EVENTS; number++) {
      const event = {
        event: "group acked",
        process: "attacker",
        clock: number + 1,
        at: 0,
        need: 1,
        ackedBy: names[number % names.length],
      };
      const body = JSON.stringify({ events: [event], lost: 0 });
      await write(await openAndCount(monitor, tools), request("POST", "/events", body), tools);
    }
    await untilOver(tools);
  },
  async "pages opened"({ monitor }, tools) {
    await openPages(monitor, PAGES, tools);
    await untilOver(tools);
  },
};

async function openAndCount(target: Target, tools: Tools) {
  const socket = await openSocket(target, tools);
  countAnswers(socket, tools);
  return socket;
}

/** Writes many small things, some together: one call each would cost this side more than the other. */
async function writeMany(
  socket: Awaited<ReturnType<typeof openSocket>>,
  tools: Tools,
  most: number,
  make: (number: number) => string,
): Promise<void> {
  for (let number = 0; number < most && socket.writable; number += GROUPED) {
    const group = Array.from({ length: Math.min(GROUPED, most - number) }, (_each, place) =>
      make(number + place),
    );
    await write(socket, group.join(""), tools);
    tools.count("sent", group.length);
  }
}

async function openPages(monitor: Target, howMany: number, tools: Tools): Promise<void> {
  for (let page = 0; page < howMany; page++) {
    const socket = await openSocket(monitor, tools);
    if (page < 20) socket.pause();
    else countAnswers(socket, tools); // reads along
    await write(socket, request("GET", "/events"), tools);
  }
}
