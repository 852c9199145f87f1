/**
 * The desk of a monitor that was started by hand, with --desk: a process of its own owns what is started there, and carries out
 * the orders. monitor.ts makes it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import type { GroupFile } from "../plumbing/group_file.ts";
import { UsageError } from "../plumbing/options.ts";
import {
  CannotObey,
  type Deed,
  type Desk,
  type DeskState,
  makeKey,
  type Order,
  type WhyNot,
} from "./desk_calls.ts";

const FILE = `${import.meta.dirname}/../classroom/desk_owner.ts`;
const WITHIN_MS = 8000;

export interface Asked {
  number: number;
  order: Order;
  /** After that time, in milliseconds since 1970, it was refused: it must not be carried out any more. */
  until: number;
}
export interface Answered {
  number: number;
  deed?: Deed | undefined;
  state: DeskState;
  refusal?: { code: WhyNot; message: string };
}

/** Where the desk acts. */
export interface DeskPlace {
  discovery: string;
  monitor: string;
  groupFile?: GroupFile | undefined;
}

export interface OwnDesk extends Desk {
  /** Starts the process, which ends with this one, and ends what it has started. */
  open(place: DeskPlace): void;
}

interface Owner {
  process?: ChildProcess;
  asked: number; // so many questions
  waiting: Map<number, (answer: Answered) => void>; // for the answers, by number
}

export function createOwnDesk(): OwnDesk {
  if (!existsSync(FILE))
    throw new UsageError(
      "Cannot start monitor: --desk needs receiver.ts, which a container hasn't; leave it out there",
    );
  const owner: Owner = { asked: 0, waiting: new Map() };
  return {
    key: makeKey(),
    open: (place) => open(owner, place),
    look: async () => (await ask(owner, { do: "look" })).state,
    async obey(order) {
      const { deed, refusal } = await ask(owner, order);
      if (refusal) throw new CannotObey(refusal.code, refusal.message);
      return deed;
    },
  };
}

function open(owner: Owner, { discovery, monitor, groupFile }: DeskPlace): void {
  const urls = [discovery, monitor, ...(groupFile ? [groupFile.files] : [])];
  const child = fork(FILE, urls, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  child.on("message", (answer: Answered) => owner.waiting.get(answer.number)?.(answer));
  child.unref();
  child.channel?.unref();
  owner.process = child;
}

async function ask(owner: Owner, order: Order): Promise<Answered> {
  if (!owner.process?.connected)
    throw new CannotObey(
      "ended",
      "Cannot take the order: the desk's process has ended; start the monitor again",
    );
  const number = ++owner.asked;
  const asked: Asked = { number, order, until: Date.now() + WITHIN_MS };
  return new Promise<Answered>((resolve, reject) => {
    const tooLate = () =>
      reject(new CannotObey("busy", "Cannot take the order: the desk's process is silent"));
    const timer = setTimeout(tooLate, WITHIN_MS);
    owner.waiting.set(number, (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    owner.process?.send(asked, () => {}); // one that ends meanwhile doesn't answer
  }).finally(() => owner.waiting.delete(number));
}
