/**
 * What is written beside the lanes: which times, and how long a scale is. Pure; paint_diagram.js asks for each
 * frame.
 *
 * @typedef {import("./layout.js").View} View
 * @typedef {{ y: number, time: string }} Tick
 * @typedef {{ px: number, time: string }} Scale
 */
import { duration } from "./durations.js";
import { yIn } from "./view_of.js";

const LEAST_APART_PX = 40;
const MOST_SCALE_PX = 36;
const [SECOND, MINUTE] = [1000, 60_000];
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 20, 30, 60, 120].map((count) => count * MINUTE),
];

/** As many as fit; where time is folded there are none, and what is between two folds has one at least. @param {View} view @returns {Tick[]} */
export function ticksOf(view) {
  const { axis, from, to } = view;
  const step = STEPS.find((each) => each * axis.pxPerMs >= LEAST_APART_PX) ?? 4 * 60 * MINUTE;
  /** @type {Tick[]} */
  const ticks = [];
  const add = (/** @type {number} */ at) => {
    const y = yIn(view, at);
    if (y - (ticks.at(-1)?.y ?? Number.NEGATIVE_INFINITY) < LEAST_APART_PX - 1) return;
    ticks.push({ y, time: timeOf(at, step) });
  };
  for (const piece of axis.pieces) {
    if (piece.isFold || piece.to < from || piece.from > to) continue;
    const end = Math.min(piece.to, to);
    const first = Math.ceil(Math.max(piece.from, from) / step) * step;
    if (first > end && piece.from >= from) add(piece.from);
    for (let at = first; at <= end; at += step) add(at);
  }
  return ticks;
}

/** Which time stands there: all in one form. Where the milliseconds are told there is no room for the hour. @param {number} at @param {number} step */
function timeOf(at, step) {
  const time = new Date(at).toTimeString().slice(0, 8);
  return step < SECOND ? `${time.slice(3)}.${String(Math.floor(at) % SECOND).padStart(3, "0")}` : time;
}

/** The longest round time that a short scale has room for. @param {number} pxPerMs @returns {Scale} */
export function scaleOf(pxPerMs) {
  const ms = STEPS.findLast((each) => each * pxPerMs <= MOST_SCALE_PX) ?? 1;
  return { px: ms * pxPerMs, time: duration(ms) };
}
