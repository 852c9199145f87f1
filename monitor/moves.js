/**
 * A send to any: whether an attempt went on to another receiver than the one before. Nothing says so but the
 * attempts themselves. attempts.js asks for each attempt that is new.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 */
import { attemptsOf, keyOf } from "./kept_attempts.js";

/** Of the attempt, and of the one after it, if that was told first. @param {Model} model @param {Attempt} attempt */
export function findMove(model, attempt) {
  attempt.movedFrom = receiverBefore(model, attempt);
  const last = attemptsOf(model, attempt.message).at(-2);
  if (last && last.attempt === attempt.attempt + 1) last.movedFrom = receiverBefore(model, last);
}

/**
 * In a send to the group each member counts its own attempts, so that several have the same number.
 * @param {Model} model @param {Attempt} attempt
 */
function receiverBefore(model, { message, attempt: n, receiver }) {
  if (n === 1 || model.byKey.has(keyOf(message, n - 1, receiver))) return undefined;
  const all = attemptsOf(model, message);
  const [before, ...others] = all.filter(({ attempt }) => attempt === n - 1);
  return others.length === 0 && isAlone(all, n) ? before?.receiver : undefined;
}

/** @param {Attempt[]} all @param {number} n */
function isAlone(all, n) {
  return all.filter(({ attempt }) => attempt === n).length === 1;
}
