/**
 * The arrows of an attempt as its client knows of them. A lost message, a lost ack, an omission and a crash
 * are the same picture: a message that went out, and nothing. Nor does it know when an ack left: the
 * message looks the same whatever came. layout.js calls it for each attempt.
 *
 * @typedef {import("./courses.js").Course} Course
 * @typedef {import("./layout.js").Shape} Shape
 */
import { arrowOf, failure, headOf, messageArrow, pointOf } from "./arrows.js";
import { isLate } from "./attempt_state.js";
import { LEAST_DROP } from "./least_slopes.js";
import { text } from "./text.js";

const KNOWN_PART = 0.4; // of an ack's way, at its end

/** @param {Course} course @returns {Shape[]} */
export function layOutKnownArrows(course) {
  const { attempt, xClient, receiver, gap, sent, acks } = course;
  const lanes = Math.round(((receiver?.x ?? xClient) - xClient) / gap); // to the receiver's, or back to it
  const ahead = Math.sign(lanes) || 1;
  // Always between two lanes, so that it doesn't seem to be at one.
  const between = (/** @type {number} */ count) => xClient + ahead * gap * (Math.max(1, count) - 0.5);
  const out = { x: between(Math.abs(lanes)), y: sent.y + LEAST_DROP / 2 };
  const inFrom = between(Math.ceil(Math.abs(lanes) * KNOWN_PART));
  return [
    { ...messageArrow(course), to: out, head: "question", dashed: true },
    ...acks.flatMap(({ ack, came }) => {
      if (!came) return [];
      const late = isLate(ack, attempt) || ack.ignored === true;
      const from = { x: inFrom, y: came.y - LEAST_DROP / 2 };
      const words = [receiver?.name, late ? text("late") : ""].filter(Boolean).join(", ");
      const arrow = { ...arrowOf(attempt, "ack", from), dashed: late, late, words };
      return [/** @type {Shape} */ ({ ...arrow, to: pointOf(came), ...headOf(ack) })];
    }),
    ...failure(course),
  ];
}
