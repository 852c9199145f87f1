/**
 * The arrows of an attempt: its message and the acks, as they were, or as the client knows of them. layout.js
 * calls it for each attempt.
 *
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./model.js").Ack} Ack
 * @typedef {import("./layout.js").Arrow} Arrow
 * @typedef {import("./layout.js").Point} Point
 * @typedef {import("./layout.js").Shape} Shape
 * @typedef {import("./layout.js").View} View
 *
 * @typedef {object} Course
 * @property {Point} start where the client sends it
 * @property {number} xReceiver
 * @property {View} view
 */
import { isLate, settledAt, stateOf } from "./attempt_state.js";
import { LEAST_DROP, yOf } from "./scale.js";

const LOST_PART = 0.6; // of the way, for what will never arrive
const UNDER_WAY_PART = 0.4;
const ACK_IS_LOST_MS = 2000;
const CRASHES = new Set(["silent", "disconnect", "exit"]);

/** @param {Attempt} attempt @param {Course} course @returns {Shape[]} */
export function layOutArrows(attempt, course) {
  if (course.view.clientOnly) return asTheClientKnows(attempt, course);
  if (attempt.receivedAt === undefined) return [notReceived(attempt, course)];
  const landing = {
    x: course.xReceiver,
    y: Math.max(course.start.y + LEAST_DROP, yOf(attempt.receivedAt, course.view)),
  };
  return [
    received(attempt, course, landing),
    ...crash(attempt, course, landing),
    ...attempt.acks.map((ack) => ackArrow(attempt, ack, course, landing)),
    ...lostAck(attempt, course, landing),
  ];
}

/** @param {Attempt} attempt @param {Course} course @param {Point} landing @returns {Arrow} */
function received(attempt, { start }, landing) {
  return { ...messageArrow(attempt, start), to: landing, ...headOf(attempt) };
}

/**
 * It may still be under way; once its client has given it up, it is called lost.
 * @param {Attempt} attempt @param {Course} course @returns {Arrow}
 */
function notReceived(attempt, { start, xReceiver }) {
  return { ...messageArrow(attempt, start), ...onTheWay(start, xReceiver, settledAt(attempt) !== undefined) };
}

/** @param {Attempt} attempt @param {Course} course @param {Point} landing @returns {Shape[]} */
function crash(attempt, { view }, { x, y }) {
  if (!CRASHES.has(attempt.fault ?? "")) return [];
  const until = Math.max(y + 30, yOf(settledAt(attempt) ?? view.now, view));
  return [
    { kind: "lane", x, from: y, to: until, broken: true },
    { kind: "cross", x, y, message: attempt.message },
  ];
}

/** @param {Attempt} attempt @param {Ack} ack @param {Course} course @param {Point} landing @returns {Arrow} */
function ackArrow(attempt, ack, { start, view }, landing) {
  const from = { x: landing.x, y: Math.max(landing.y, yOf(ack.at ?? ack.receivedAt ?? view.now, view)) };
  const { head, mark } = headOf(ack);
  const arrow = { ...arrowOf(attempt, "ack", from), mark, dashed: isDashed(ack, attempt) };
  if (ack.receivedAt === undefined) {
    const isLost = view.now - (ack.at ?? view.now) > ACK_IS_LOST_MS;
    return { ...arrow, ...onTheWay(from, start.x, isLost) };
  }
  const to = { x: start.x, y: Math.max(from.y + LEAST_DROP, yOf(ack.receivedAt, view)) };
  return { ...arrow, to, head };
}

/** An ack that never left, for a fault of its receiver. @param {Attempt} attempt @param {Course} course @param {Point} landing @returns {Arrow[]} */
function lostAck(attempt, { start, view }, landing) {
  const { fault, acks, processedAt } = attempt;
  if (fault !== "lost-ack" || acks.length > 0 || processedAt === undefined) return [];
  const from = { x: landing.x, y: Math.max(landing.y, yOf(processedAt, view)) };
  return [{ ...arrowOf(attempt, "ack", from), to: partWay(from, start.x, UNDER_WAY_PART), head: "cross" }];
}

/**
 * A lost message, a lost ack and a crash are the same picture: a message that went out, and nothing. When
 * an ack came, it was processed some time before: where on the way is not known.
 * @param {Attempt} attempt @param {Course} course @returns {Arrow[]}
 */
function asTheClientKnows(attempt, { start, xReceiver, view }) {
  const message = messageArrow(attempt, start);
  if (attempt.came.length === 0) {
    const head = stateOf(attempt) === "failed" ? "cross" : "question";
    return [{ ...message, to: partWay(start, xReceiver, LOST_PART), head, dashed: true }];
  }
  const acks = attempt.came.map((ack) => {
    const to = { x: start.x, y: Math.max(start.y + 2 * LEAST_DROP, yOf(ack.receivedAt ?? 0, view)) };
    const turn = { x: xReceiver, y: (start.y + to.y) / 2 };
    return { ...arrowOf(attempt, "ack", turn), to, ...headOf(ack), dashed: isDashed(ack, attempt) };
  });
  return acks.flatMap((ack, index) =>
    index === 0 ? [{ ...message, to: ack.from, head: "filled" }, ack] : [ack],
  );
}

/** @param {Attempt} attempt @param {Point} from @returns {Omit<Arrow, "to" | "head">} */
function messageArrow(attempt, from) {
  const label = attempt.attempt > 1 ? `×${attempt.attempt}` : "1";
  return { ...arrowOf(attempt, "message", from), label };
}

/** @param {Attempt} attempt @param {Arrow["what"]} what @param {Point} from @returns {Omit<Arrow, "to" | "head">} */
function arrowOf({ message, attempt, receiver }, what, from) {
  const retry = attempt > 1;
  return { kind: "arrow", what, from, dashed: false, label: "", mark: "", retry, message, attempt, receiver };
}

/** @param {{ duplicate?: boolean }} messageOrAck @returns {Pick<Arrow, "head" | "mark">} */
function headOf({ duplicate }) {
  return duplicate ? { head: "hollow", mark: "dup" } : { head: "filled", mark: "" };
}

/** @param {Ack} ack @param {Attempt} attempt */
function isDashed(ack, attempt) {
  return isLate(ack, attempt) || ack.ignored === true;
}

/** What has left, and hasn't arrived. @param {Point} from @param {number} x @param {boolean} isLost @returns {Pick<Arrow, "to" | "head">} */
function onTheWay(from, x, isLost) {
  return isLost
    ? { to: partWay(from, x, LOST_PART), head: "cross" }
    : { to: partWay(from, x, UNDER_WAY_PART), head: "none" };
}

/** @param {Point} from @param {number} x @param {number} part @returns {Point} */
function partWay(from, x, part) {
  return { x: from.x + (x - from.x) * part, y: from.y + LEAST_DROP * part };
}
