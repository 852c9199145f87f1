/**
 * Messages on their way in the picture of the group: filled dots are messages, hollow ones acks. A real
 * message takes a millisecond, so its dot is slower than it was, and the ack's dot waits for it.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("../trace/trace.ts").TraceEvent} TraceEvent
 * @typedef {{ from: Process, to: Process, start: number, what: "message" | "ack", lost: boolean, element?: Element }} Dot
 */
import { attemptsOf } from "./attempts.js";
import { draw, set } from "./group.js";

const FLIGHT_MS = 600;
const LOST_MS = 500; // the ✕ stays so long
const MAX_DOTS = 120;
const CRASHES = new Set(["silent", "disconnect", "exit"]);

/** @param {SVGSVGElement} svg @param {(process: Process) => { x: number, y: number } | undefined} placeOf */
export function createDots(svg, placeOf) {
  const layer = draw(svg, "g", { class: "dots" });
  /** @type {Dot[]} */
  let dots = [];
  /** @type {Map<string, number>} */
  const landings = new Map(); // when the dot of a message lands, by message and receiver

  /** @param {Process | undefined} from @param {Process | undefined} to @param {Omit<Dot, "from" | "to">} dot */
  function add(from, to, dot) {
    if (from && to && dots.length < MAX_DOTS) dots.push({ from, to, ...dot });
  }

  return {
    /** @param {TraceEvent} event @param {Model} model @param {number} now @param {boolean} clientOnly */
    tell(event, model, now, clientOnly) {
      const receiver = model.byId.get(event.receiver ?? "");
      const key = `${event.message} ${event.receiver}`;
      const client = model.byName.get(attemptsOf(model, event.message ?? "")[0]?.client ?? "");
      const start = Math.max(now, landings.get(key) ?? 0);
      switch (event.event) {
        case "sent":
        case "retried":
          landings.set(key, now + FLIGHT_MS);
          return add(client, receiver, { start: now, what: "message", lost: false });
        case "fault":
          if (clientOnly) return;
          if (CRASHES.has(event.fault ?? ""))
            return add(receiver, receiver, { start, what: "message", lost: true });
          if (event.fault === "lost-ack") add(receiver, client, { start, what: "ack", lost: true });
          return;
        case "acked":
          if (!clientOnly) add(receiver, client, { start, what: "ack", lost: false });
          return;
        case "ack received":
          if (clientOnly) add(receiver, client, { start, what: "ack", lost: false });
      }
    },

    clear() {
      for (const { element } of dots) element?.remove();
      dots = [];
    },

    /** @param {number} now */
    move(now) {
      dots = dots.filter((dot) => {
        const [from, to] = [placeOf(dot.from), placeOf(dot.to)];
        const age = now - dot.start;
        if (from && to && age < FLIGHT_MS + (dot.lost ? LOST_MS : 0)) {
          if (age >= 0) drawDot(dot, from, to, Math.min(1, age / FLIGHT_MS));
          return true;
        }
        dot.element?.remove();
        return false;
      });
      if (landings.size > 2000) for (const [key, at] of landings) if (at < now) landings.delete(key);
    },
  };

  /** @param {Dot} dot @param {{ x: number, y: number }} from @param {{ x: number, y: number }} to @param {number} part */
  function drawDot(dot, from, to, part) {
    const isCross = dot.lost && (part >= 0.5 || dot.from === dot.to);
    if (isCross && dot.element?.tagName !== "path") {
      dot.element?.remove();
      dot.element = draw(layer, "path", { d: "M-9-9 9 9M-9 9 9-9", class: "cross" });
    }
    dot.element ??= draw(layer, "circle", { r: 8, class: dot.what });
    const way = dot.lost ? Math.min(part, 0.5) : part;
    const [x, y] = [from.x + (to.x - from.x) * way, from.y + (to.y - from.y) * way];
    set(dot.element, { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
  }
}
