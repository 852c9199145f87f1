/**
 * The attempts and acks that are kept: the last ones, and those of the message that is selected. attempts.js
 * keeps what the events tell; whatever shows a message asks for its attempts.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 */

const MAX_ATTEMPTS = 6000;
const MAX_SELECTED = 1000; // of them, older ones of the message that is selected
const MAX_ACKS = 12_000;
const SPARE = 1.2; // so much more is let in before all are looked through

/** @param {string} message @param {number} attempt @param {string} receiver */
export function keyOf(message, attempt, receiver) {
  return `${message} ${attempt} ${receiver}`;
}

/** @param {Model} model @param {Attempt} attempt */
export function keepAttempt(model, attempt) {
  model.attempts.push(attempt);
  index(model, attempt);
  if (model.attempts.length > MAX_ATTEMPTS * SPARE) forgetOld(model);
}

/** @param {Model} model @param {Attempt} attempt */
function index({ byKey, byMessage }, attempt) {
  byKey.set(attempt.key, attempt);
  const ofMessage = byMessage.get(attempt.message);
  if (ofMessage) ofMessage.push(attempt);
  else byMessage.set(attempt.message, [attempt]);
}

/** All attempts to get a message acked, by whom it may be. @param {Model} model @param {string} message */
export function attemptsOf({ byMessage }, message) {
  return byMessage.get(message) ?? [];
}

/** An ack is known by its receiver and the Lamport time of its sending. @param {Model} model @param {string} key */
export function ackWith(model, key) {
  let ack = model.acks.get(key);
  if (!ack) {
    ack = {};
    model.acks.set(key, ack);
    if (model.acks.size > MAX_ACKS * SPARE) forgetAcks(model);
  }
  return ack;
}

/** @param {Model} model */
function forgetOld(model) {
  const { attempts, selected } = model;
  const picked = attempts.filter(({ message }) => message === selected).slice(-MAX_SELECTED);
  const kept = new Set([...picked, ...attempts.slice(picked.length - MAX_ATTEMPTS)]);
  model.attempts = attempts.filter((attempt) => kept.has(attempt));
  model.byKey.clear();
  model.byMessage.clear();
  for (const attempt of model.attempts) index(model, attempt);
  forgetAcks(model);
}

/** First those that answer nothing which is kept, then the oldest. @param {Model} model */
function forgetAcks({ acks, byKey }) {
  for (const [key, { attempt }] of acks) if (!attempt || !byKey.has(attempt.key)) acks.delete(key);
  for (const key of acks.keys()) {
    if (acks.size <= MAX_ACKS) return;
    acks.delete(key);
  }
}
