/**
 * What the events about a message say of its attempts and their acks. model.js calls it for each of them.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./model.js").Ack} Ack
 * @typedef {import("./model.js").TraceEvent} TraceEvent
 */
import { ackWith, attemptsOf, keepAttempt, keyOf } from "./kept_attempts.js";
import { findMove } from "./moves.js";

const MAX_ACKS = 100; // of one attempt

/** @param {Model} model @param {TraceEvent} told @param {string} role of whoever tells it */
export function applyToAttempt(model, told, role) {
  const event = { ...told, receiver: idKnown(model, told) };
  if (event.event === "ack received" || event.event === "ack ignored") return applyAck(model, event);
  const attempt = attemptOf(model, event);
  if (role === "receiver") {
    attempt.client = event.from ?? attempt.client;
    applyReceivers(model, attempt, event);
  } else {
    attempt.client = event.process;
    applyClients(model, attempt, event);
  }
}

/**
 * The id under which the receiver is known in this attempt: one that registers anew while a message is under way tells of it
 * under its new id, its client goes on with the old one.
 * @param {Model} model @param {TraceEvent} event
 */
function idKnown({ byId, byKey }, { message = "?", attempt = 1, receiver = "?" }) {
  const ids = byId.get(receiver)?.ids ?? [];
  if (ids.length < 2 || byKey.has(keyOf(message, attempt, receiver))) return receiver;
  return ids.find(({ id }) => byKey.has(keyOf(message, attempt, id)))?.id ?? receiver;
}

/** What its client tells of an attempt. @param {Model} model @param {Attempt} attempt @param {TraceEvent} event */
function applyClients({ groups }, attempt, event) {
  const { at, note = "" } = event;
  switch (event.event) {
    case "sent":
    case "retried":
      attempt.at = at;
      attempt.sent = true;
      attempt.timeout = event.timeout ?? attempt.timeout;
      break;
    case "timed out":
      attempt.timedOutAt = at;
      break;
    case "connection failed":
      attempt.failedAt = at;
      attempt.why = note;
      break;
    case "gave up":
      attempt.gaveUp = { at, why: note, outcome: event.outcome ?? "unknown" };
      attempt.notNeeded = groups.has(attempt.message);
      break;
  }
}

/** What its receiver tells of an attempt. @param {Model} model @param {Attempt} attempt @param {TraceEvent} event */
function applyReceivers(model, attempt, event) {
  const { at, duplicate = false } = event;
  switch (event.event) {
    case "received":
      attempt.receivedAt = at;
      attempt.duplicate = duplicate;
      break;
    case "fault":
      attempt.fault = event.fault ?? "?";
      attempt.faultAt = at;
      break;
    case "processed":
      attempt.processedAt = at;
      attempt.body = event.note ?? "";
      break;
    case "acked": {
      const ack = ackWith(model, `${attempt.receiver} ${event.clock}`);
      attach(ack, attempt);
      Object.assign(ack, { at, duplicate });
      break;
    }
  }
}

/**
 * An ack has come. It says which message it answers, not which attempt; the receiver's own event tells.
 * @param {Model} model @param {TraceEvent} event
 */
function applyAck(model, event) {
  const { at, message = "?", attempt, receiver = "?", acker = receiver, heard, duplicate = false } = event;
  const ignored = event.event === "ack ignored";
  const ack = ackWith(model, `${acker} ${heard ?? `${message} ${attempt}`}`);
  Object.assign(ack, { receivedAt: at, ignored, duplicate });
  const last =
    attempt === undefined
      ? attemptsOf(model, message).findLast((other) => other.receiver === receiver)
      : attemptOf(model, event);
  if (!last) return; // its sending is forgotten already
  if (!ignored && attempt !== undefined) last.ackedAt = at;
  if (last.came.length < MAX_ACKS) last.came.push(ack);
  if (!ack.attempt) attach(ack, last);
}

/** @param {Ack} ack @param {Attempt} attempt */
function attach(ack, attempt) {
  if (ack.attempt) ack.attempt.acks = ack.attempt.acks.filter((other) => other !== ack);
  ack.attempt = attempt;
  if (attempt.acks.length < MAX_ACKS) attempt.acks.push(ack);
}

/** The attempt that an event is about. @param {Model} model @param {TraceEvent} event @returns {Attempt} */
function attemptOf(model, { message = "?", attempt = 1, receiver = "?", at }) {
  const key = keyOf(message, attempt, receiver);
  const known = model.byKey.get(key);
  if (known) return known;
  /** @type {Attempt} */
  const made = {
    key,
    message,
    attempt,
    receiver,
    client: "?",
    at,
    sent: false,
    timeout: 5000,
    notNeeded: false,
    acks: [],
    came: [],
  };
  keepAttempt(model, made);
  findMove(model, made);
  return made;
}
