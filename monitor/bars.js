/**
 * The bars beside a client's lane: how long it waits for an ack, and the link from there to the next attempt.
 * layout.js calls it for each attempt.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./layout.js").Bar} Bar
 * @typedef {import("./layout.js").Link} Link
 * @typedef {import("./layout.js").Point} Point
 * @typedef {import("./layout.js").View} View
 */
import { settledAt } from "./attempt_state.js";
import { attemptsOf } from "./kept_attempts.js";
import { yOf } from "./scale.js";

const SLOTS = 6;
const SLOT_WIDTH = 8;
export const BARS_WIDTH = SLOTS * SLOT_WIDTH;

/** @param {Attempt} attempt */
function endOf(attempt) {
  return settledAt(attempt) ?? attempt.at + attempt.timeout;
}

/**
 * A place that is free, so that bars of messages in flight stand side by side.
 * @param {number[]} busyUntil of each place @param {Attempt} attempt
 */
export function takeSlot(busyUntil, attempt) {
  let slot = busyUntil.findIndex((until) => until <= attempt.at);
  if (slot < 0) slot = Math.min(busyUntil.length, SLOTS - 1);
  busyUntil[slot] = endOf(attempt);
  return slot;
}

/** @param {Attempt} attempt @param {Point} start @param {number} slot @param {View} view @returns {Bar} */
export function layOutBar(attempt, start, slot, view) {
  const end = endOf(attempt);
  return {
    kind: "bar",
    x: start.x - (slot + 1) * SLOT_WIDTH,
    from: start.y,
    to: Math.max(start.y + 3, yOf(end, view)),
    filledTo: yOf(Math.min(view.now, end), view),
    timedOut: attempt.timedOutAt !== undefined,
    message: attempt.message,
    attempt: attempt.attempt,
  };
}

/**
 * From where the attempt before failed to the start of this one, if there was one before.
 * @param {Model} model @param {Attempt} attempt @param {{ x: number, start: Point, view: View }} where
 * @returns {Link[]}
 */
export function layOutLink(model, { message, attempt, receiver }, { x, start, view }) {
  if (attempt === 1) return [];
  const before = attemptsOf(model, message).findLast(
    (other) => other.receiver === receiver && other.attempt === attempt - 1,
  );
  const since = before?.timedOutAt ?? before?.failedAt;
  return since ? [{ kind: "link", from: { x, y: yOf(since, view) }, to: start, message }] : [];
}
