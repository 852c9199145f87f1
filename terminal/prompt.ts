/** The prompt of a client: the list, the question, whom the answer means, and what Ctrl-C and Ctrl-D end. */
import type { Need } from "../group/send_to_all.ts";
import { MAX_FRAME_BYTES } from "../lib/framing.ts";
import type { Receiver } from "../lib/messages.ts";
import { type ChildController, createChildController } from "../plumbing/child_controller.ts";
import type { Kind } from "../plumbing/kinds.ts";
import { printable, shortId, TSX } from "../plumbing/printable.ts";
import type { Screen } from "./screen.ts";

const PROMPT =
  'Choose a receiver to send a message to (number or id, "all", "any", Enter lists again, q quits): ';

/** Besides its body, a frame has less than 1 KiB. */
const MAX_MESSAGE_BYTES = MAX_FRAME_BYTES - 1024;
const USUAL_DISCOVERY = "http://localhost:5000"; // where a receiver asks that isn't told
const REFRESH_MS = 1000; // an empty group is listed again by itself, as in the Python

/** The text of a message, as an option. */
export const BODY: Kind<string> = {
  right: `a text of 1 to ${MAX_MESSAGE_BYTES} bytes`,
  parse: (text) => (text === "" || problemWithBody(text) ? undefined : text),
};

const byName = new Intl.Collator("en", { numeric: true });

/** In the order of their names, so that a receiver keeps its number when it registers anew. */
export function sortByName(receivers: readonly Receiver[]): Receiver[] {
  return receivers.toSorted((a, b) => byName.compare(a.name ?? "", b.name ?? ""));
}

/**
 * Prints the list, a line for each receiver with its number; `discovery` gave it. Source: the Python's
 * `show_receivers`.
 */
export function showReceivers(
  screen: Screen,
  receivers: readonly Receiver[],
  discovery: readonly string[],
): void {
  if (receivers.length === 0) screen.print(sayNobody(discovery));
  else for (const line of listReceivers(receivers)) screen.print(line);
}

/** That the group is empty, and how to start a receiver that joins it. */
function sayNobody(discovery: readonly string[]): string {
  const urls = discovery.join();
  const where = urls === USUAL_DISCOVERY ? "" : ` --discovery ${urls}`;
  return `No receiver is in the group yet. Start one with: ${TSX} receiver.ts${where}`;
}

/** The list as lines. */
export function listReceivers(receivers: readonly Receiver[], nowSeconds = Date.now() / 1000): string[] {
  const addresses = receivers.map(({ host, port }) => `${host}:${port}`);
  const widest = addresses.reduce((most, address) => Math.max(most, address.length), 0);
  const lines = receivers.map(({ id, last_seen, name = "" }, index) => {
    const seconds = Math.max(0, Math.round(nowSeconds - last_seen));
    const number = String(index).padStart(3);
    const where = `${shortId(id)}  ${addresses[index]?.padEnd(widest)}`;
    return `${number}: ${where}  seen ${seconds}s ago  ${printable(name)}`.trimEnd();
  });
  return ["Available receivers:", ...lines];
}

/** Whom the user means: one receiver, any of them, or all. */
export type Target = Receiver | "any" | "all";

/** What is sent to whom: `receivers` is the list that the user chose from. */
export type Order = { target: Target; body: string; need: Need };

export type Choice = { target: Target; body?: string } | "list" | "refresh" | "quit";

/** Asks until the answer makes sense. `refresh`: nobody is in the group, and nothing was typed for a second. */
export async function askWhom(screen: Screen, receivers: readonly Receiver[]): Promise<Choice> {
  for (;;) {
    const line = await screen.ask(PROMPT, receivers.length === 0 ? REFRESH_MS : undefined);
    if (line === null) return "refresh";
    if (line === undefined || line.trim() === "q") return "quit";
    if (line.trim() === "") return "list";
    const choice = chooseTarget(receivers, line);
    if (!("problem" in choice)) return choice;
    screen.print(choice.problem);
  }
}

/** Reads whom a line means (a number of the list, an id or the beginning of one, `any` or `all`), and the text after. */
export function chooseTarget(
  receivers: readonly Receiver[],
  line: string,
): { target: Target; body?: string } | { problem: string } {
  const [, whom = "", body = ""] = line.trim().match(/^(\S*)\s*(.*)$/s) ?? [];
  const target = findTarget(receivers, whom);
  if (typeof target === "object" && "problem" in target) return target;
  const problem = problemWithBody(body);
  if (problem !== undefined) return { problem };
  return { target, ...(body && { body }) };
}

function findTarget(receivers: readonly Receiver[], whom: string): Target | { problem: string } {
  if (whom === "any" || whom === "all") return whom;
  if (receivers.length === 0)
    return { problem: "No receiver is in the group: start one, with the same --discovery" };
  const byNumber = /^\d{1,6}$/.test(whom) ? receivers[Number(whom)] : undefined;
  if (byNumber) return byNumber;

  const byId = receivers.filter(({ id }) => id.startsWith(whom.toLowerCase()));
  const [first] = byId;
  // Fewer than four digits are a number for sure, even if an id happens to begin with them.
  if (first && byId.length === 1 && !/^\d{1,3}$/.test(whom)) return first;
  if (byId.length > 1 && !/^\d+$/.test(whom))
    return { problem: `${byId.length} ids begin with "${whom}": type more of it` };
  const last = receivers.length - 1;
  return { problem: `There is no receiver "${whom}": give a number from 0 to ${last}, an id, any or all` };
}

/** What is wrong with a body, if anything. */
export function problemWithBody(body: string): string | undefined {
  const isTooLong = Buffer.byteLength(JSON.stringify(body)) > MAX_MESSAGE_BYTES;
  return isTooLong ? `a message has at most ${MAX_MESSAGE_BYTES} bytes` : undefined;
}

export interface Interruptible {
  /** Ends the conversation: at Ctrl-C while nothing is under way, at the end of the input, with the program. */
  signal: AbortSignal;
  /** Does something that Ctrl-C ends alone. */
  during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

export function listenToPerson(screen: Screen, program: AbortSignal): Interruptible {
  const all = createChildController(program);
  let part: ChildController | undefined;
  let hasEnded = false;
  screen.onInterrupt(() => (part ?? all).abort("given up"));
  screen.onEnd(() => {
    hasEnded = true;
    // What came through a pipe is sent to its end; who types Ctrl-D wants to go.
    if (!part || screen.isTerminal) all.abort("given up");
  });
  all.signal.addEventListener("abort", () => screen.close(), { once: true });
  return {
    signal: all.signal,
    async during(work) {
      part = createChildController(all.signal);
      const { signal, release } = part;
      return work(signal).finally(() => {
        part = undefined;
        release();
        if (hasEnded) all.abort("given up");
      });
    },
  };
}
