/**
 * What happened to a message, in words. The panel of the story and the list call it.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {{ at: number, words: string }} Line
 * @typedef {import("./story_order.js").Untold} Untold
 */
import { isLate, isUnsent, stateOf } from "./attempt_state.js";
import { tellMore } from "./crowd.js";
import { attemptsOf } from "./kept_attempts.js";
import { printable, short } from "./short_names.js";
import { byTime, placeAttempt, placeGroup, STEPS } from "./story_order.js";
import { text } from "./text.js";
import { duration } from "./times.js";

const MAX_LINES = 2000;

/** The texts of the faults, by the name of the fault. */
export const FAULT_TEXTS = /** @type {const} */ ({
  silent: "faultSilent",
  lost: "faultLost",
  "lost-ack": "faultLostAck",
  "late-ack": "faultLateAck",
  disconnect: "faultDisconnect",
  exit: "faultExit",
});
const OUTCOMES = /** @type {const} */ ({
  undelivered: "outcomeUndelivered",
  unknown: "outcomeUnknown",
  acked: "outcomeAcked",
});

/**
 * The story, in the order in which it happened. A very long one ends with how much more there is.
 * @param {Model} model @param {string} message @param {boolean} clientOnly
 * @returns {Line[]}
 */
export function tellStory(model, message, clientOnly) {
  const attempts = attemptsOf(model, message);
  const lines = attempts.flatMap((attempt) =>
    placeAttempt([
      ...howItMoved(attempt, attempts),
      ...whatTheClientSaw(attempt, clientOnly ? attempt.came : attempt.acks),
      ...(clientOnly ? [] : whatTheReceiverDid(attempt)),
    ]),
  );
  const group = whatTheGroupDid(model.groups.get(message));
  const ordered = (group ? placeGroup(lines, group) : lines).sort(byTime);
  const told = ordered.slice(0, MAX_LINES).map(({ at, tell }) => ({ at, words: tell() }));
  const more = tellMore(ordered.length - told.length);
  return more ? [...told, { at: told.at(-1)?.at ?? 0, words: more }] : told;
}

/**
 * A send to any goes on to another receiver; if something was sent before, it may be there too.
 * @param {Attempt} attempt @param {Attempt[]} attempts @returns {Untold[]}
 */
function howItMoved(attempt, attempts) {
  const { movedFrom, client, at, attempt: n } = attempt;
  if (movedFrom === undefined || isUnsent(attempt)) return [];
  const wasSent = attempts.some((other) => other.attempt < n && !isUnsent(other));
  const names = { client, before: short(movedFrom), ...namesOf(attempt) };
  const tell = () => text(wasSent ? "sMoved" : "sMovedUnsent", names);
  return [{ at, step: STEPS.sent, attempt: n, tell }];
}

/** @param {import("./model.js").GroupAck | undefined} group @returns {Untold | undefined} */
function whatTheGroupDid(group) {
  if (!group) return undefined;
  const { at, need, ackedBy: n } = group;
  return { at, step: STEPS.groupAcked, attempt: 0, tell: () => text("sGroupAcked", { n, need }) };
}

/** @param {Attempt} attempt @param {Attempt["acks"]} acks @returns {Untold[]} */
function whatTheClientSaw(attempt, acks) {
  const { client, timedOutAt, failedAt, why = "?", faultAt, gaveUp, notNeeded, attempt: n } = attempt;
  const names = { client, ...namesOf(attempt) };
  /** @type {Untold[]} */
  const lines = [];
  const add = (/** @type {number} */ at, /** @type {number} */ step, /** @type {() => string} */ tell) =>
    lines.push({ at, step, attempt: n, tell });
  if (!isUnsent(attempt) && attempt.movedFrom === undefined) {
    const key = n > 1 ? "sRetried" : "sSent";
    add(attempt.at, STEPS.sent, () => text(key, { ...names, timeout: duration(attempt.timeout) }));
  }
  if (timedOutAt) add(timedOutAt, STEPS.ended, () => text("sTimedOut", names));
  if (failedAt) {
    const key = isUnsent(attempt) ? "sUnreached" : "sFailed";
    add(failedAt, faultAt ? STEPS.failed : STEPS.ended, () => text(key, { ...names, why }));
  }
  for (const ack of acks)
    if (ack.receivedAt !== undefined)
      add(ack.receivedAt, STEPS.answered, () => text(keyOfAck(ack, attempt), names));
  if (gaveUp) {
    const key = notNeeded ? "sNotNeeded" : "sGaveUp";
    const outcome = OUTCOMES[/** @type {keyof typeof OUTCOMES} */ (gaveUp.outcome)] ?? "outcomeUnknown";
    const tell = () => text(key, { ...names, why: gaveUp.why, outcome: text(outcome) });
    add(gaveUp.at, notNeeded ? STEPS.notNeeded : STEPS.gaveUp, tell);
  }
  return lines;
}

/** @param {Attempt["acks"][number]} ack @param {Attempt} attempt */
function keyOfAck(ack, attempt) {
  if (ack.ignored) return "sAckIgnored";
  if (isLate(ack, attempt)) return "sAckLate";
  return ack.duplicate ? "sAckDuplicate" : "sAckReceived";
}

/** @param {Attempt} attempt @returns {Untold[]} */
function whatTheReceiverDid(attempt) {
  const { receivedAt, fault, faultAt, processedAt, body = "", duplicate, acks, attempt: n } = attempt;
  const names = namesOf(attempt);
  /** @type {Untold[]} */
  const lines = [];
  const add = (/** @type {number} */ at, /** @type {number} */ step, /** @type {() => string} */ tell) =>
    lines.push({ at, step, attempt: n, tell });
  if (receivedAt)
    add(receivedAt, STEPS.received, () => text(duplicate ? "sReceivedDuplicate" : "sReceived", names));
  if (faultAt) {
    const key = FAULT_TEXTS[/** @type {keyof typeof FAULT_TEXTS} */ (fault)];
    const tell = () => (key ? text(key, names) : printable(String(fault)));
    // The coin is tossed as the message comes; what becomes of the ack, if there is one, is told where that would be.
    if (fault === "lost-ack" || fault === "late-ack")
      add(Math.max(faultAt, processedAt ?? 0), STEPS.ackLost, tell);
    else add(faultAt, STEPS.fault, tell);
  }
  if (processedAt) add(processedAt, STEPS.processed, () => text("sProcessed", { ...names, body }));
  for (const { at } of acks) if (at) add(at, STEPS.acked, () => text("sAcked", names));
  return lines;
}

/** @param {Attempt} attempt */
function namesOf({ receiver, attempt: n }) {
  return { receiver: short(receiver), n };
}

/** How an attempt stands, in few words. @param {Attempt} attempt */
export function tellState(attempt) {
  const { acks } = attempt;
  const state = stateOf(attempt);
  if (state === "failed" && isUnsent(attempt)) return text("unreached");
  if (state === "timedOut" && acks.some(({ receivedAt }) => receivedAt !== undefined))
    return text("ackedLate");
  if (state !== "acked") return text(state);
  const counted = acks.filter(({ ignored }) => !ignored);
  if (counted.some((ack) => isLate(ack, attempt))) return text("ackedLate");
  return text(counted.some(({ duplicate }) => duplicate) ? "ackedDuplicate" : "acked");
}
