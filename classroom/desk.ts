/** The teacher's desk: carries out what the monitor's page orders, on the processes of the class. servers.ts makes it. */
import type { ChildProcess } from "node:child_process";
import {
  CannotObey,
  type Deed,
  type Desk,
  type DeskState,
  makeKey,
  type Order,
} from "../monitor/desk_calls.ts";
import { FAULT_NAMES, type Planned } from "../receiver.ts";
import { DISCOVERY } from "../trace/events.ts";
import type { DeskClient } from "./desk_client.ts";
import { faultRateOf, hasEnded } from "./processes.ts";

const MAX_RECEIVERS = 50; // that were started, ended ones too
const PLANNED: Planned[] = ["ok", ...FAULT_NAMES];
const SIGNALS = {
  kill: ["SIGKILL", "killed"],
  suspend: ["SIGSTOP", "suspended"],
  resume: ["SIGCONT", "resumed"],
  end: ["SIGTERM", "told to end"],
} as const;

/** What the desk rules. */
export interface Class {
  receivers: Map<string, ChildProcess>; // by name
  startReceiver(name: string): ChildProcess;
  discovery?: { isUp(): boolean; start(): Promise<void>; stop(): void }; // if it is this process's
  client: DeskClient;
}

interface Room extends Class {
  suspended: WeakSet<ChildProcess>;
  rates: WeakMap<ChildProcess, number>; // that were given
}

export function createDesk(given: Class): Desk {
  const room: Room = { ...given, suspended: new WeakSet(), rates: new WeakMap() };
  return { key: makeKey(), look: () => look(room), obey: (order) => obey(room, order) };
}

function look({ receivers, suspended, rates, discovery }: Room): DeskState {
  const stateOf = (child: ChildProcess) => {
    if (hasEnded(child)) return "ended";
    return suspended.has(child) ? "suspended" : "running";
  };
  const rateOf = (child: ChildProcess) => rates.get(child) ?? faultRateOf(child);
  const listed = [...receivers].map(
    ([name, child]) => ({ name, state: stateOf(child), rate: rateOf(child) }) as const,
  );
  return { receivers: listed, discovery: discovery?.isUp(), faults: PLANNED };
}

async function obey(room: Room, order: Order): Promise<Deed | undefined> {
  switch (order.do) {
    case "look":
      return undefined;
    case "send":
      return void (await room.client.send(order.to, order.text));
    case "give fault":
      return giveFault(room, order.receiver, order.fault);
    case "give rate":
      room.rates.set(give(room, order.receiver, { rate: order.rate }), order.rate);
      return { event: "given rate", from: order.receiver, note: String(order.rate) };
    case "start receiver":
      return startAnother(room);
    case "start discovery":
      return startDiscovery(room);
    case "stop discovery":
      return stopDiscovery(room);
    default:
      return signal(room, order.receiver, order.do);
  }
}

function find({ receivers }: Room, name: string): ChildProcess {
  const child = receivers.get(name);
  if (child && !hasEnded(child)) return child;
  throw new CannotObey("changed", `Cannot reach ${name}: there is no such process, or it has ended`);
}

function giveFault(room: Room, name: string, fault: string): Deed {
  const next = PLANNED.find((each) => each === fault);
  if (!next) throw new CannotObey("changed", `Cannot give this fault: use one of ${PLANNED.join(", ")}`);
  give(room, name, { next });
  return { event: "given fault", from: name, fault };
}

/** receiver.ts takes it, in its `main`. */
function give(room: Room, name: string, order: { next: Planned } | { rate: number }): ChildProcess {
  const child = find(room, name);
  child.send(order, () => {}); // one that ends meanwhile doesn't get it
  return child;
}

function signal(room: Room, name: string, how: keyof typeof SIGNALS): Deed {
  const child = find(room, name);
  const [code, event] = SIGNALS[how];
  child.kill(code);
  if (how === "suspend") room.suspended.add(child);
  if (how === "resume") room.suspended.delete(child);
  return { event, from: name };
}

function startAnother({ receivers, startReceiver }: Room): Deed {
  if (receivers.size >= MAX_RECEIVERS)
    throw new CannotObey("many", `Cannot start a receiver: a class has ${MAX_RECEIVERS} at most`);
  const numbers = [...receivers.keys()].map((name) => Number(/\d+$/.exec(name)?.[0] ?? 0));
  const name = `receiver-${Math.max(0, ...numbers) + 1}`;
  receivers.set(name, startReceiver(name));
  return { event: "launched", from: name };
}

async function startDiscovery({ discovery }: Room): Promise<Deed> {
  if (!discovery || discovery.isUp())
    throw new CannotObey("changed", "Cannot start discovery: it runs, or isn't the desk's");
  await discovery.start();
  return { event: "launched", from: DISCOVERY };
}

function stopDiscovery({ discovery }: Room): Deed {
  if (!discovery?.isUp())
    throw new CannotObey("changed", "Cannot stop discovery: it doesn't run, or isn't the desk's");
  discovery.stop();
  return { event: "told to end", from: DISCOVERY };
}
