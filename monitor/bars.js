/**
 * The bars beside a client's lane: how long it waits for an ack, and the link from there to the next attempt.
 * layout.js calls it for each attempt.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./courses.js").Course} Course
 * @typedef {import("./layout.js").Bar} Bar
 * @typedef {import("./layout.js").Link} Link
 * @typedef {import("./layout.js").View} View
 */
import { settledAt } from "./attempt_state.js";
import { attemptsOf } from "./kept_attempts.js";
import { text } from "./text.js";
import { yIn } from "./view_of.js";

const SLOTS = 6;
const SLOT_WIDTH = 8;
export const BARS_WIDTH = SLOTS * SLOT_WIDTH;

/**
 * A place that is free, so that bars of messages in flight stand side by side.
 * @param {number[]} busyUntil of each place @param {Attempt} attempt
 */
export function takeSlot(busyUntil, attempt) {
  let slot = busyUntil.findIndex((until) => until <= attempt.at);
  if (slot < 0) slot = Math.min(busyUntil.length, SLOTS - 1);
  busyUntil[slot] = settledAt(attempt) ?? attempt.at + attempt.timeout;
  return slot;
}

/** @param {Course} course @param {number} slot @param {View} view @returns {Bar} */
export function layOutBar({ attempt, xClient, sent, settled }, slot, view) {
  const end = settled?.y ?? yIn(view, attempt.at + attempt.timeout);
  return {
    kind: "bar",
    x: xClient - (slot + 1) * SLOT_WIDTH,
    from: sent.y,
    to: Math.max(sent.y + 3, end),
    filledTo: settled?.y ?? Math.min(end, yIn(view, view.now)),
    timedOut: attempt.timedOutAt !== undefined,
    notNeeded: attempt.notNeeded,
    message: attempt.message,
    attempt: attempt.attempt,
  };
}

/**
 * From where the attempt before failed to the start of this one, if there was one before.
 * @param {Model} model @param {Map<Attempt, Course>} courses @param {Course} course @param {{ x: number, view: View }} where
 * @returns {Link[]}
 */
export function layOutLink(model, courses, { attempt, xClient, sent, receiver }, { x, view }) {
  const { message, attempt: number, movedFrom } = attempt;
  if (number === 1) return [];
  const before = attemptsOf(model, message).findLast(
    (other) => other.receiver === (movedFrom ?? attempt.receiver) && other.attempt === number - 1,
  );
  const since = before && (before.timedOutAt ?? before.failedAt ?? before.gaveUp?.at);
  if (!before || since === undefined) return [];
  const from = { x, y: courses.get(before)?.settled?.y ?? yIn(view, since) };
  const label = movedFrom === undefined ? "" : text("movedTo", { receiver: receiver?.name ?? "?" });
  return [{ kind: "link", from, to: { x: xClient, y: sent.y }, label, message }];
}
