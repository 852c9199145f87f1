/**
 * The space-time diagram as a list of shapes, in pixels: where everything goes, and nothing about how it
 * is painted. Time runs downwards, linear. paint_diagram.js calls it for each frame.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./lanes.js").Place} Place
 *
 * @typedef {{ x: number, y: number }} Point
 * @typedef {object} Arrow
 * @property {"arrow"} kind
 * @property {"message" | "ack"} what
 * @property {Point} from
 * @property {Point} to
 * @property {"filled" | "hollow" | "cross" | "question" | "none"} head
 * @property {boolean} dashed
 * @property {string} label
 * @property {string} mark beside the head
 * @property {boolean} retry
 * @property {string} message
 * @property {number} attempt
 * @property {string} receiver
 * @typedef {{ kind: "bar", x: number, from: number, to: number, filledTo: number, timedOut: boolean, message: string, attempt: number }} Bar
 * @typedef {{ kind: "lane", x: number, from: number, to: number, broken: boolean }} Lane
 * @typedef {{ kind: "link", from: Point, to: Point, message: string }} Link
 * @typedef {{ kind: "cross", x: number, y: number, message: string }} Cross
 * @typedef {{ kind: "unsent", x: number, y: number, message: string }} Unsent
 * @typedef {{ kind: "beat", from: Point, to: Point }} Beat
 * @typedef {Arrow | Bar | Lane | Link | Cross | Unsent | Beat} Shape
 *
 * @typedef {object} View
 * @property {number} from the time at the top, in milliseconds since 1970
 * @property {number} to
 * @property {number} now
 * @property {number} width
 * @property {boolean} clientOnly what the client can't see is left out
 * @property {boolean} heartbeats
 */
import { layOutArrows } from "./arrows.js";
import { isUnsent, settledAt } from "./attempt_state.js";
import { layOutBar, layOutLink, takeSlot } from "./bars.js";
import { LEAST_DROP, yOf } from "./scale.js";

const SLOW_MS = 15_000; // an arrow may come into view from so far above

/**
 * The shapes that are in view; what is painted last comes last.
 * @param {Model} model @param {View} view @param {{ lanes: Place[] }} layout
 * @returns {Shape[]}
 */
export function layOut(model, view, { lanes }) {
  return [
    ...lanes.flatMap((place) => layOutLane(place, view)),
    ...(view.heartbeats && !view.clientOnly ? layOutBeats(model, view, lanes) : []),
    ...layOutAttempts(model, view, lanes),
  ];
}

/** @param {Place} place @param {View} view @returns {Shape[]} */
function layOutLane({ process: { firstAt, gone }, x }, view) {
  const start = Math.max(0, yOf(firstAt, view));
  const bottom = yOf(view.to, view);
  const now = yOf(view.now, view);
  if (!gone || view.clientOnly)
    return [{ kind: "lane", x, from: start, to: Math.min(now, bottom), broken: false }];
  const end = yOf(gone.at, view);
  /** @type {Shape} */
  const lane = { kind: "lane", x, from: start, to: Math.min(end, bottom), broken: false };
  if (end >= bottom) return [lane];
  return [
    lane,
    { kind: "lane", x, from: Math.max(0, end), to: Math.min(bottom, now), broken: true },
    { kind: "cross", x, y: end, message: "" },
  ];
}

/** @param {Model} model @param {View} view @param {Place[]} lanes @returns {Shape[]} */
function layOutBeats({ byId, heartbeats }, view, lanes) {
  const xOf = new Map(lanes.map(({ process, x }) => [process, x]));
  const discovery = lanes.find(({ process }) => process.role === "discovery");
  return heartbeats.flatMap(({ at, receiver: id }) => {
    const receiver = byId.get(id);
    const x = receiver && xOf.get(receiver);
    if (at < view.from || at > view.to || x === undefined) return [];
    const y = yOf(at, view);
    return [{ kind: "beat", from: { x, y: y - LEAST_DROP }, to: { x: discovery?.x ?? x - 16, y } }];
  });
}

/** All bars and links come before all arrows. @param {Model} model @param {View} view @param {Place[]} lanes @returns {Shape[]} */
function layOutAttempts(model, view, lanes) {
  const xOf = new Map(lanes.map(({ process, x }) => [process, x]));
  const xOfClient = new Map(lanes.map(({ process, x }) => [process.name, x]));
  /** @type {number[]} */
  const busyUntil = [];
  const shapes = [];
  /** @type {Shape[]} */
  const arrows = [];
  for (const attempt of model.attempts) {
    if (!isInView(attempt, view)) continue;
    const xClient = xOfClient.get(attempt.client);
    if (xClient === undefined) continue;
    const start = { x: xClient, y: yOf(attempt.at, view) };
    if (isUnsent(attempt)) {
      // Only a mark: an arrow, or a bar that waits for an ack, would say that something went out.
      arrows.push({ kind: "unsent", ...start, message: attempt.message });
      continue;
    }
    const receiver = model.byId.get(attempt.receiver);
    const xReceiver = receiver && xOf.get(receiver);
    if (xReceiver === undefined) continue;
    const bar = layOutBar(attempt, start, takeSlot(busyUntil, attempt), view);
    shapes.push(bar, ...layOutLink(model, attempt, { x: bar.x, start, view }));
    arrows.push(...layOutArrows(attempt, { start, xReceiver, view }));
  }
  return [...shapes, ...arrows];
}

/** @param {Attempt} attempt @param {View} view */
function isInView(attempt, { from, to, now }) {
  const over = settledAt(attempt);
  const acks = [...attempt.acks, ...attempt.came].map(({ receivedAt, at }) => receivedAt ?? at ?? 0);
  const end = Math.max(over ?? now, attempt.at + 1000, ...acks);
  return attempt.at <= to && end >= from && !(over && from - over > SLOW_MS);
}
