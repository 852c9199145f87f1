/**
 * The arrows of an attempt, its message and the acks, as they were, and what became of it at its receiver.
 * layout.js calls it for each attempt.
 *
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./courses.js").Course} Course
 * @typedef {import("./layout.js").Arrow} Arrow
 * @typedef {import("./layout.js").Point} Point
 * @typedef {import("./layout.js").Shape} Shape
 * @typedef {import("./layout.js").View} View
 */
import { ACK_IS_LOST_MS } from "./activity.js";
import { isLate, settledAt } from "./attempt_state.js";
import { LEAST_DROP } from "./least_slopes.js";
import { shortName } from "./short_names.js";
import { text } from "./text.js";
import { yIn } from "./view_of.js";

const LOST_BEFORE_PX = 14; // so far from its lane ends what never arrives

/** @param {Course} course @param {View} view @returns {Shape[]} */
export function layOutArrows(course, view) {
  const { acks, received } = course;
  if (!received) return [notReceived(course, view), ...failure(course)];
  return [
    { ...messageArrow(course), to: pointOf(received), ...headOf(course.attempt) },
    ...omission(course),
    ...acks.map((ack) => ackArrow(course, ack, view)),
    ...lostAck(course),
    ...failure(course),
  ];
}

/**
 * It may still be under way; once its client has given it up, it is called lost, unless nobody needs it any more.
 * @param {Course} course @param {View} view @returns {Arrow}
 */
function notReceived(course, view) {
  const { attempt, xClient, receiver, gap, sent } = course;
  const { x = 0, name = "?" } = receiver ?? {};
  const arrow = messageArrow(course);
  const isLost = attempt.fault === "lost" || (settledAt(attempt) !== undefined && !attempt.notNeeded);
  if (!isLost) {
    const words = attempt.notNeeded ? text("notNeeded") : "";
    return { ...arrow, to: underWay(pointOf(sent), x, gap), head: "none", dashed: attempt.notNeeded, words };
  }
  const end = justBefore({ x: xClient, y: sent.y }, x, gap);
  const y = Math.max(end.y, attempt.faultAt ? yIn(view, attempt.faultAt) : end.y);
  return { ...arrow, to: { ...end, y }, head: "cross", words: text("lostTo", { receiver: name }) };
}

/** What its receiver did instead of an answer. Of a crash the lane tells. @param {Course} course @returns {Shape[]} */
function omission({ attempt, faulty }) {
  const { fault, message } = attempt;
  if (!faulty || (fault !== "silent" && fault !== "disconnect")) return [];
  const label = text(fault === "silent" ? "omission" : "failed");
  return [{ kind: "mark", mark: "omission", ...pointOf(faulty), label, message }];
}

/** The client saw that the connection was gone. Where its receiver says so too, once is enough. @param {Course} course @returns {Shape[]} */
export function failure({ attempt: { message }, failed, faulty }) {
  const label = faulty ? "" : text("failed");
  return failed ? [{ kind: "mark", mark: "failed", ...pointOf(failed), label, message }] : [];
}

/** @param {Course} course @param {Course["acks"][number]} answer @param {View} view @returns {Arrow} */
function ackArrow(course, { ack, left, came }, view) {
  const { attempt, xClient, gap } = course;
  const from = pointOf(left ?? course.sent);
  const late = isLate(ack, attempt);
  const words = late ? text("late") : "";
  const arrow = { ...arrowOf(attempt, "ack", from), dashed: late || ack.ignored === true, late, words };
  if (came) return { ...arrow, to: pointOf(came), ...headOf(ack) };
  const at = ack.at ?? view.now;
  if (at > course.endedAt) return { ...arrow, ...lostOnTheWayBack(course, from), words: text("ackToNobody") };
  if (view.now - at > ACK_IS_LOST_MS) return { ...arrow, ...lostOnTheWayBack(course, from) };
  return { ...arrow, to: underWay(from, xClient, gap), head: "none" };
}

/** An ack that never left, for a fault of its receiver: as if it had been lost on the way. @param {Course} course @returns {Arrow[]} */
function lostAck(course) {
  if (!course.lostAck) return [];
  const from = pointOf(course.lostAck);
  return [{ ...arrowOf(course.attempt, "ack", from), ...lostOnTheWayBack(course, from) }];
}

/** @param {Course} course @param {Point} from @returns {Pick<Arrow, "to" | "head" | "words">} */
function lostOnTheWayBack({ attempt, xClient, gap }, from) {
  const words = text("ackLostTo", { client: shortName(attempt.client) });
  return { to: justBefore(from, xClient, gap), head: "cross", words };
}

/** @param {Course} course @returns {Omit<Arrow, "to" | "head">} */
export function messageArrow({ attempt, sent }) {
  const label = attempt.attempt > 1 ? `×${attempt.attempt}` : "1";
  return { ...arrowOf(attempt, "message", pointOf(sent)), label };
}

/** @param {Attempt} attempt @param {Arrow["what"]} what @param {Point} from @returns {Omit<Arrow, "to" | "head">} */
export function arrowOf({ message, attempt, receiver }, what, from) {
  const rest = { dashed: false, late: false, label: "", mark: "", words: "", retry: attempt > 1 };
  return { kind: "arrow", what, from, ...rest, message, attempt, receiver };
}

/** @param {{ duplicate?: boolean }} messageOrAck @returns {Pick<Arrow, "head" | "mark">} */
export function headOf({ duplicate }) {
  return duplicate ? { head: "hollow", mark: "dup" } : { head: "filled", mark: "" };
}

/** @param {import("./least_slopes.js").Moment} moment @returns {Point} */
export function pointOf({ lane, y }) {
  return { x: lane, y };
}

/** Where what is lost ends: in front of its target's lane, and of no other. @param {Point} from @param {number} x @param {number} gap */
function justBefore(from, x, gap) {
  const before = x - Math.sign(x - from.x) * Math.min(LOST_BEFORE_PX, gap / 3);
  return { x: before, y: from.y + LEAST_DROP };
}

/** Halfway to the next lane, so that it ends at none. @param {Point} from @param {number} x @param {number} gap */
function underWay(from, x, gap) {
  return { x: from.x + (Math.sign(x - from.x) * gap) / 2, y: from.y + LEAST_DROP / 3 };
}
