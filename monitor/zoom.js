/**
 * Which time is in view in the diagram, and how large. It follows now until somebody pans back; no layout, no
 * resize and no scroll event of the browser has a say in that. diagram_input.js, the controls and
 * paint_diagram.js call it.
 *
 * @typedef {import("./diagram.js").Diagram} Diagram
 * @typedef {import("./model.js").Model} Model
 */
import { settledAt } from "./attempt_state.js";
import { attemptsOf } from "./kept_attempts.js";
import { LEAST_DROP } from "./least_slopes.js";
import { createAxis, FOLD_PX, heightOf, timeAt, yOf } from "./time_axis.js";

export const PX_PER_MS = 40 / 1000;
const MOST_PX_PER_MS = 10;
const LONGEST_IN_VIEW_MS = 3_600_000;
const ABOVE_PX = 24; // of nothing, above the beginning
const BELOW_NOW_PX = 44; // so that what happens now isn't at the very edge, nor under the scale
const AROUND_PX = 60; // of what is shown

/** How high the lanes are. @param {Diagram} diagram */
export function heightIn({ size, namesHeight }) {
  return Math.max(1, size.height - namesHeight);
}

/** Brings the axis and what is at the top up to date. @param {Diagram} diagram */
export function placeView(diagram) {
  const { activity, now, anchor, follows } = diagram;
  const axis = createAxis(activity.intervals, { now, pxPerMs: diagram.pxPerMs });
  const last = heightOf(axis) - heightIn(diagram) + BELOW_NOW_PX;
  const wanted = follows ? last : yOf(axis, anchor.at) - anchor.y;
  const top = Math.min(Math.max(wanted, -ABOVE_PX), last);
  if (top !== wanted && !follows) diagram.anchor = { at: timeAt(axis, top), y: 0 };
  Object.assign(diagram, { axis, top });
}

/** @param {Diagram} diagram @param {number} px down, to what is later, or up @returns whether there was anything to see there */
export function panBy(diagram, px) {
  const { axis, top } = diagram;
  const last = heightOf(axis) - heightIn(diagram) + BELOW_NOW_PX;
  const wanted = Math.min(Math.max(top + px, -ABOVE_PX), last);
  if (px > 0 && wanted >= last - 1) follow(diagram);
  if (wanted === top) return false;
  if (wanted < last - 1) show(diagram, { at: timeAt(axis, wanted), y: 0 });
  return true;
}

/** A time in view from now on. @param {Diagram} diagram @param {Diagram["anchor"]} anchor */
function show(diagram, anchor) {
  const didFollow = diagram.follows;
  diagram.anchor = anchor;
  diagram.follows = false;
  placeView(diagram);
  if (didFollow) diagram.onChange();
}

/** Keeps now in view from now on. @param {Diagram} diagram */
export function follow(diagram) {
  if (diagram.follows) return;
  diagram.follows = true;
  placeView(diagram);
  diagram.onChange();
}

/**
 * What is there stays there: now, while it follows.
 * @param {Diagram} diagram @param {number} factor @param {number} [y] below the names; without it the centre
 */
export function zoomBy(diagram, factor, y = heightIn(diagram) / 2) {
  const { axis, top, pxPerMs, follows } = diagram;
  if (!follows) diagram.anchor = { at: timeAt(axis, top + y), y };
  zoomTo(diagram, pxPerMs * factor);
}

/** @param {Diagram} diagram */
export function resetZoom(diagram) {
  zoomBy(diagram, PX_PER_MS / diagram.pxPerMs);
}

/** @param {Diagram} diagram @param {number} pxPerMs */
function zoomTo(diagram, pxPerMs) {
  const least = heightIn(diagram) / LONGEST_IN_VIEW_MS;
  diagram.pxPerMs = Math.min(Math.max(pxPerMs, least), MOST_PX_PER_MS);
  placeView(diagram);
  diagram.onChange();
}

/** What takes less time than that is drawn with the least slope. @param {Pick<Diagram, "pxPerMs">} diagram @returns milliseconds */
export function leastShownMs({ pxPerMs }) {
  return LEAST_DROP / pxPerMs;
}

/** Zooms and pans so that the whole message is in view. @param {Diagram} diagram @param {Model} model @param {string} message */
export function fitMessage(diagram, model, message) {
  fit(diagram, spanOf(model, message, diagram.now));
}

/** Zooms and pans so that all that happened is in view. @param {Diagram} diagram */
export function fitAll(diagram) {
  const [first, last] = [diagram.activity.intervals[0], diagram.activity.intervals.at(-1)];
  fit(diagram, first && last && { from: first.from, to: last.to });
}

/** @param {Diagram} diagram @param {import("./time_axis.js").Interval | undefined} span */
function fit(diagram, span) {
  if (!span) return;
  const parts = diagram.activity.intervals.flatMap(({ from, to }) => {
    const part = Math.min(to, span.to) - Math.max(from, span.from);
    return part >= 0 ? [part] : [];
  });
  const room = heightIn(diagram) - 2 * AROUND_PX - (parts.length - 1) * FOLD_PX;
  const activeMs = parts.reduce((sum, part) => sum + part, 0);
  zoomTo(diagram, Math.max(room, AROUND_PX) / Math.max(activeMs, 1));
  showSpan(diagram, span);
}

/** Pans to the message, if it isn't in view. @param {Diagram} diagram @param {Model} model @param {string} message */
export function showMessage(diagram, model, message) {
  const span = spanOf(model, message, diagram.now);
  if (!span) return;
  const from = yOf(diagram.axis, span.from) - diagram.top;
  const to = yOf(diagram.axis, span.to) - diagram.top;
  const height = heightIn(diagram);
  if (from >= 0 && from < height - AROUND_PX && (to <= height || to - from > height)) return;
  showSpan(diagram, span);
}

/** In the middle; what is higher than the view, from its beginning. @param {Diagram} diagram @param {import("./time_axis.js").Interval} span */
function showSpan(diagram, { from, to }) {
  const height = yOf(diagram.axis, to) - yOf(diagram.axis, from);
  show(diagram, { at: from, y: Math.max(AROUND_PX, (heightIn(diagram) - height) / 2) });
}

/** @param {Diagram} diagram @param {number} at comes to the middle */
export function jumpTo(diagram, at) {
  show(diagram, { at, y: heightIn(diagram) / 2 });
}

/** Nothing before this time is shown. @param {Diagram} diagram @param {number} at */
export function startAt(diagram, at) {
  diagram.start = at;
  diagram.isStale = true;
}

/** From when to when something happened to a message. @param {Model} model @param {string} message @param {number} now */
function spanOf(model, message, now) {
  const attempts = attemptsOf(model, message);
  if (attempts.length === 0) return undefined;
  const ends = attempts.flatMap((attempt) => [
    settledAt(attempt) ?? Math.min(now, attempt.at + attempt.timeout),
    ...[...attempt.acks, ...attempt.came].map(({ at, receivedAt }) => receivedAt ?? at ?? 0),
    attempt.receivedAt ?? 0,
  ]);
  const to = ends.reduce((a, b) => Math.max(a, b), model.groups.get(message)?.at ?? 0);
  return { from: attempts.reduce((least, { at }) => Math.min(least, at), to), to };
}
