/**
 * The lanes: solid while a process is there, dashed while it doesn't answer, and how each of its lives ended. layout.js
 * calls it for each frame. The client knows nothing of the lives of others.
 *
 * @typedef {import("./lanes.js").Place} Place
 * @typedef {import("./lives.js").Life} Life
 * @typedef {import("./layout.js").Shape} Shape
 * @typedef {import("./layout.js").LaneMark} LaneMark
 * @typedef {import("./layout.js").View} View
 * @typedef {import("./least_slopes.js").Moment} Moment
 *
 * @typedef {object} LaneLife
 * @property {number} x
 * @property {Moment} begin
 * @property {Moment | undefined} end
 * @property {Life["how"]} how
 * @property {Moment | undefined} next where the next life begins
 *
 * @typedef {{ moment: Moment, was: string }} NewId
 */
import { addMoment } from "./least_slopes.js";
import { expiriesOf } from "./lives.js";
import { short } from "./short_names.js";
import { text } from "./text.js";
import { yIn } from "./view_of.js";

/** @type {Record<NonNullable<Life["how"]>, LaneMark>} */
const MARKS = {
  ...{ left: "left", stopped: "left", expired: "expired", replaced: "replaced" },
  ...{ crashed: "crash", unreachable: "unreachable" },
};

/** @param {Moment[]} moments @param {Place[]} lanes @param {View} view */
export function addLives(moments, lanes, view) {
  /** @type {{ lives: LaneLife[], newIds: NewId[], expiries: Moment[] }} */
  const added = { lives: [], newIds: [], expiries: [] };
  for (const { process, x: lane } of lanes) {
    const isKnown = !view.clientOnly || process.role === "client";
    const lives = isKnown ? process.lives : [{ from: process.lives[0]?.from ?? process.firstAt }];
    const placed = lives.map(({ from, to, how }) => ({
      x: lane,
      begin: addMoment(moments, { at: from, lane }),
      end: to === undefined ? undefined : addMoment(moments, { at: to, lane }),
      how,
    }));
    placed.forEach((life, index) => {
      added.lives.push({ ...life, next: placed[index + 1]?.begin });
    });
    if (!isKnown) continue;
    added.expiries.push(...expiriesOf(process).map((at) => addMoment(moments, { at, lane })));
    process.ids.forEach(({ at }, index) => {
      const before = process.ids[index - 1];
      if (before) added.newIds.push({ moment: addMoment(moments, { at, lane }), was: before.id });
    });
  }
  return added;
}

/** @param {ReturnType<typeof addLives>} added @param {View} view @returns {{ lines: Shape[], marks: Shape[] }} */
export function layOutLives({ lives, newIds, expiries }, view) {
  const bottom = Math.min(view.height, yIn(view, view.now));
  const isIn = (/** @type {Shape} */ shape) => !("y" in shape) || (shape.y > -20 && shape.y < view.height);
  return {
    lines: lives.flatMap((life) => linesOf(life, bottom)),
    marks: [...lives.flatMap(markOf), ...expiries.map(expiryMark), ...newIds.map(newIdMark)].filter(isIn),
  };
}

/** @param {LaneLife} life @param {number} bottom @returns {Shape[]} */
function linesOf({ x, begin, end, how, next }, bottom) {
  const line = (/** @type {number} */ from, /** @type {number} */ to, /** @type {boolean} */ broken) => {
    const shape = { kind: /** @type {const} */ ("lane"), x, from: Math.max(0, from), to, broken };
    return shape.from < shape.to ? [shape] : [];
  };
  const lane = line(begin.y, Math.min(end?.y ?? bottom, bottom), false);
  if (!end || how !== "unreachable") return lane;
  return [...lane, ...line(end.y, Math.min(next?.y ?? bottom, bottom), true)];
}

/** @param {LaneLife} life @returns {Shape[]} */
function markOf({ x, end, how }) {
  if (!end || !how) return [];
  return [{ kind: "mark", mark: MARKS[how], x, y: end.y, label: text(how), message: "" }];
}

/** @param {Moment} moment @returns {Shape} */
function expiryMark({ lane: x, y }) {
  return { kind: "mark", mark: "expired", x, y, label: text("expired"), message: "" };
}

/** @param {NewId} newId @returns {Shape} */
function newIdMark({ moment: { lane: x, y }, was }) {
  return { kind: "mark", mark: "newId", x, y, label: text("wasId", { id: short(was) }), message: "" };
}
