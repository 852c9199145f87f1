/**
 * Messages on their way in the picture of the group: filled dots are messages, hollow ones acks. A real
 * message takes a millisecond, so its dot is slower than it was, and the ack's dot waits for it. What the client
 * can't know, it doesn't see: its message goes half the way. live.js tells the events, page.js moves the dots for
 * each frame.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").TraceEvent} TraceEvent
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ from: Process, to: Process, start: number, what: "message" | "ack", end?: "lost" | "unknown", key?: string, element?: Element }} Dot `end`: how it ends, if it doesn't arrive
 *
 * @typedef {object} Dots
 * @property {Element} layer
 * @property {Dot[]} flying
 * @property {Map<string, number>} landings when the dot of a message lands, by message and receiver
 */
import { attemptsOf } from "./kept_attempts.js";
import { draw, set } from "./svg.js";

const FLIGHT_MS = 600;
const END_MS = 500; // the ✕, or the ?, stays so long
const MAX_DOTS = 120;
const MAX_LANDINGS = 10_000;
const CRASHES = new Set(["disconnect", "exit"]);
const LOST = /** @type {const} */ ({ end: "lost" });
const UNKNOWN = /** @type {const} */ ({ end: "unknown" });
const CLASS_OF_END = { lost: "cross", unknown: "question" };

/** @param {SVGSVGElement} svg @returns {Dots} */
export function createDots(svg) {
  return { layer: draw(svg, "g", { class: "dots" }), flying: [], landings: new Map() };
}

/** @param {Dots} dots @param {TraceEvent} event @param {Model} model @param {{ now: number, clientOnly: boolean }} view */
export function tellDots(dots, event, model, { now, clientOnly }) {
  const receiver = model.byId.get(event.receiver ?? "");
  const client = model.byName.get(attemptsOf(model, event.message ?? "")[0]?.client ?? "");
  const key = `${event.message} ${event.receiver}`;
  const start = Math.max(now, dots.landings.get(key) ?? 0);
  switch (event.event) {
    case "sent":
    case "retried":
      if (dots.landings.size < MAX_LANDINGS) dots.landings.set(key, now + FLIGHT_MS);
      return add(dots, client, receiver, { start: now, what: "message", key, ...(clientOnly && UNKNOWN) });
    case "fault":
      if (!clientOnly) tellFault(dots, event, { client, receiver, start, key });
      return;
    case "acked":
      if (!clientOnly) add(dots, receiver, client, { start, what: "ack" });
      return;
    case "ack received":
      if (clientOnly) add(dots, receiver, client, { start: now, what: "ack" });
  }
}

/**
 * @param {Dots} dots @param {TraceEvent} event
 * @param {{ client: Process | undefined, receiver: Process | undefined, start: number, key: string }} where
 */
function tellFault(dots, { fault = "" }, { client, receiver, start, key }) {
  if (CRASHES.has(fault)) add(dots, receiver, receiver, { start, what: "message", ...LOST });
  if (fault === "lost-ack") add(dots, receiver, client, { start, what: "ack", ...LOST });
  if (fault !== "lost") return;
  // What is on its way is lost there, and doesn't arrive.
  const flying = dots.flying.findLast((dot) => dot.key === key);
  if (flying) flying.end = "lost";
}

/** @param {Dots} dots @param {Process | undefined} from @param {Process | undefined} to @param {Omit<Dot, "from" | "to">} dot */
function add({ flying }, from, to, dot) {
  if (from && to && flying.length < MAX_DOTS) flying.push({ from, to, ...dot });
}

/** @param {Dots} dots */
export function clearDots(dots) {
  for (const { element } of dots.flying) element?.remove();
  dots.flying = [];
  dots.landings.clear();
}

/** @param {Dots} dots @param {Map<Process, Point>} places @param {number} now */
export function moveDots(dots, places, now) {
  const { layer, landings } = dots;
  dots.flying = dots.flying.filter((dot) => {
    const [from, to] = [places.get(dot.from), places.get(dot.to)];
    const age = now - dot.start;
    if (from && to && age < FLIGHT_MS + (dot.end ? END_MS : 0)) {
      if (age >= 0) drawDot(layer, dot, { from, to, part: Math.min(1, age / FLIGHT_MS) });
      return true;
    }
    dot.element?.remove();
    return false;
  });
  if (landings.size > 2000) for (const [key, at] of landings) if (at < now) landings.delete(key);
}

/** @param {Element} layer @param {Dot} dot @param {{ from: Point, to: Point, part: number }} way */
function drawDot(layer, dot, { from, to, part }) {
  if (
    dot.end &&
    (part >= 0.5 || dot.from === dot.to) &&
    dot.element?.getAttribute("class") !== CLASS_OF_END[dot.end]
  ) {
    dot.element?.remove();
    dot.element = drawEnd(layer, dot.end);
  }
  dot.element ??= draw(layer, "circle", { r: 8, class: dot.what });
  const way = dot.end ? Math.min(part, 0.5) : part;
  const [x, y] = [from.x + (to.x - from.x) * way, from.y + (to.y - from.y) * way];
  set(dot.element, { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
}

/** @param {Element} layer @param {"lost" | "unknown"} end */
function drawEnd(layer, end) {
  if (end === "lost") return draw(layer, "path", { d: "M-9-9 9 9M-9 9 9-9", class: CLASS_OF_END.lost });
  const mark = draw(layer, "text", { class: CLASS_OF_END.unknown });
  mark.textContent = "?";
  return mark;
}
