/**
 * Where on its lane each thing that happens is drawn. What takes no time worth seeing gets the least slope that
 * still shows which end came first, so its end is drawn later than it was. Order is kept: whatever comes
 * after it on the same lane moves down too. And nothing is drawn late by more than MOST_LATE_PX: of a
 * thousand messages a second the slopes become less, until one zooms in. layout.js collects the moments.
 *
 * @typedef {import("./layout.js").View} View
 *
 * @typedef {object} Moment
 * @property {number} at in milliseconds since 1970; never before what caused it, whatever the clocks say
 * @property {number} lane the x of the lane that it is on
 * @property {Moment | undefined} from the other end of the arrow that comes in here
 * @property {Moment | undefined} first the first sending of the same attempt to the group, of which this is another
 * @property {number} turn when it is placed, among the others
 * @property {number} y in pixels, once all are placed
 */
import { yIn } from "./view_of.js";

export const LEAST_DROP = 12; // of an arrow, in pixels
export const MOST_LATE_PX = 3 * LEAST_DROP; // three arrows that take no time: message, ack, the next message

/**
 * @param {Moment[]} moments to which it is added
 * @param {{ at: number, lane: number, from?: Moment, after?: Moment, first?: Moment | undefined }} what `from`: an arrow comes from there; `after`: it was caused by that
 * @returns {Moment}
 */
export function addMoment(moments, { at, lane, from, after, first }) {
  const moment = { at: Math.max(at, (from ?? after)?.at ?? at), lane, from, first, turn: at, y: 0 };
  moments.push(moment);
  return moment;
}

/** Finds the place of each. @param {Moment[]} moments causes before what they cause @param {View} view */
export function placeMoments(moments, view) {
  /** @type {Map<number, number>} */
  const reached = new Map(); // on each lane
  for (const moment of moments) moment.turn = turnOf(moment, view);
  for (const moment of moments.toSorted((a, b) => a.turn - b.turn || isOneOfMany(b) - isOneOfMany(a))) {
    const { at, lane, from } = moment;
    const real = yIn(view, at);
    const least = from ? from.y + LEAST_DROP : real;
    const wanted = Math.max(real, least, reached.get(lane) ?? real);
    moment.y = Math.min(wanted, real + MOST_LATE_PX);
    reached.set(lane, moment.y);
  }
}

/**
 * When its turn comes. A send to the group is one act: what is sent to the next member so soon that it can't be seen is no
 * answer to the first one's ack, and must not move down with it.
 * @param {Moment} moment @param {View} view
 */
function turnOf({ at, first }, view) {
  const isSoon = first && yIn(view, at) - yIn(view, first.at) < LEAST_DROP / 2;
  return isSoon ? Math.min(at, first.at) : at;
}

/** @param {Moment} moment */
function isOneOfMany({ first }) {
  return Number(first !== undefined);
}
