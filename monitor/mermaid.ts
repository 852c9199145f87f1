/**
 * Draws events as a Mermaid sequence diagram, which GitHub shows as a picture. monitor.ts calls it, and
 * docs/diagrams.ts for the READMEs.
 */
import { shortId } from "../plumbing/printable.ts";
import { DESK_EVENTS, type TraceEvent } from "../trace/events.ts";

export interface DrawMermaidOptions {
  /** How many messages: the last ones. @default all */
  messages?: number;
}

const HIDDEN: ReadonlySet<string> = new Set([
  "heartbeat",
  "registered",
  "replaced",
  "gave up",
  "group acked",
  "started",
  "stopped",
  "unreachable",
  "reachable",
  ...DESK_EVENTS,
]);

/** @returns the text of the diagram; events of one process must come in their order */
export function drawMermaid(
  events: readonly TraceEvent[],
  { messages = Number.POSITIVE_INFINITY }: DrawMermaidOptions = {},
): string {
  const processOf = new Map<string, string>(); // by receiver id
  for (const { process, receiver, event } of events) {
    if (receiver && ["joined", "received", "acked"].includes(event)) processOf.set(receiver, process);
  }
  const nameOf = (receiver: string | undefined) => processOf.get(receiver ?? "") ?? shortId(receiver ?? "?");

  const shown = lastMessages(events, messages);
  const arrived = findArrivals(events, nameOf);
  const participants = new Set<string>();
  const lines: string[] = [];
  const say = (from: string, arrow: string, to: string, words: string) => {
    participants.add(from).add(to);
    lines.push(`${idOf(from)}${arrow}${idOf(to)}: ${words}`);
  };
  const note = (process: string, words: string) => {
    participants.add(process);
    lines.push(`Note over ${idOf(process)}: ${words}`);
  };

  for (const event of inOrder(events, nameOf)) {
    if (HIDDEN.has(event.event) || (event.message !== undefined && !shown.has(event.message))) continue;
    drawEvent(event, { say, note, nameOf, arrived });
  }
  const order = [...participants].sort((a, b) => rankOf(a) - rankOf(b));
  const declared = order.map((name) => `participant ${idOf(name)} as ${plain(name)}`);
  return `${["sequenceDiagram", ...[...declared, ...lines].map((line) => `    ${line}`)].join("\n")}\n`;
}

interface Pen {
  say(from: string, arrow: string, to: string, words: string): void;
  note(process: string, words: string): void;
  nameOf(receiver: string | undefined): string;
  arrived: ReadonlySet<string>;
}

function drawEvent(event: TraceEvent, pen: Pen): void {
  if (event.message === undefined) drawGroupEvent(event, pen);
  else drawMessageEvent(event, pen);
}

function drawGroupEvent({ event, process, receiver, note: words = "" }: TraceEvent, pen: Pen): void {
  const { say, note, nameOf } = pen;
  switch (event) {
    case "joined":
      say(process, "->>", "discovery", `register ${plain(words)}`);
      say("discovery", "-->>", process, `id ${shortId(receiver ?? "")}`);
      break;
    case "left":
      if (process !== "discovery") say(process, "->>", "discovery", "leave");
      break;
    case "expired":
      note("discovery", `${nameOf(receiver)} expired`);
      break;
    case "listed":
      say(process, "->>", "discovery", "who is in the group?");
      say("discovery", "-->>", process, plain(words));
      break;
  }
}

function drawMessageEvent(event: TraceEvent, { say, note, nameOf, arrived }: Pen): void {
  const { process, message = "", attempt, receiver, duplicate } = event;
  const id = shortId(message);
  switch (event.event) {
    case "sent":
    case "retried": {
      const arrow = arrived.has(`${process} ${event.clock} ${nameOf(receiver)}`) ? "->>" : "-x";
      say(process, arrow, nameOf(receiver), `message ${id}, attempt ${attempt}`);
      break;
    }
    case "fault": // of one that was lost on its way the receiver knows nothing
      if (event.fault !== "lost") note(process, plain(event.note ?? "fault"));
      break;
    case "processed":
      note(process, `processes ${id}`);
      break;
    case "acked": // drawn where it arrives
      if (!arrived.has(`${process} ${event.clock}`)) note(process, `ack of ${id} goes to nobody`);
      break;
    case "ack received":
    case "ack ignored": {
      const more = `${duplicate ? ", duplicate" : ""}${event.event === "ack ignored" ? ", too late" : ""}`;
      say(nameOf(receiver), "-->>", process, `ack ${id}${more}`);
      break;
    }
    case "timed out":
    case "connection failed":
      note(process, plain(event.note ?? event.event));
  }
}

/** Names what arrived by where and when it left, which is what who gets it knows of it. */
function findArrivals(events: readonly TraceEvent[], nameOf: Pen["nameOf"]): Set<string> {
  const arrived = new Set<string>();
  for (const { event, process, from, heard, receiver } of events) {
    if (event === "received") arrived.add(`${from} ${heard} ${process}`);
    if (event === "ack received" || event === "ack ignored") arrived.add(`${nameOf(receiver)} ${heard}`);
  }
  return arrived;
}

const TRIED: ReadonlySet<string> = new Set(["sent", "connection failed"]); // the second alone: it was never sent

function lastMessages(events: readonly TraceEvent[], count: number): Set<string> {
  const messages = new Set<string>();
  for (const { event, message } of events) if (message && TRIED.has(event)) messages.add(message);
  return new Set([...messages].slice(-Math.min(count, messages.size)));
}

/**
 * By the clock on the wall, as far as causes allow: an event is never drawn before what caused it, by
 * the Lamport clocks, nor before what its own process did before it.
 */
function inOrder(events: readonly TraceEvent[], nameOf: Pen["nameOf"]): TraceEvent[] {
  const drawnAt = new Map<string, number>();
  const latest = new Map<string, number>(); // by process
  const byClock = [...events].sort((a, b) => a.clock - b.clock);
  const placed = byClock.map((event) => {
    const { process, clock, at, heard, from, receiver } = event;
    const cause = drawnAt.get(`${from ?? nameOf(receiver)} ${heard}`) ?? at;
    const when = Math.max(at, cause, latest.get(process) ?? at);
    drawnAt.set(`${process} ${clock}`, when);
    latest.set(process, when);
    return { event, when };
  });
  return placed.sort((a, b) => a.when - b.when).map(({ event }) => event);
}

function rankOf(process: string): number {
  return process === "discovery" ? 1 : process.startsWith("client") ? 0 : 2;
}

/** Names of participants are letters, digits and _ in Mermaid. */
function idOf(process: string): string {
  return process.replace(/\W/g, "_");
}

/** What Mermaid would take for its own: line ends, entities, `;` and `#`. */
function plain(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,:_()/-]/gu, " ").trim();
}
