/**
 * What happened to a message, in words. The panel of the story and the list call it.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {{ at: number, words: string }} Line
 * @typedef {{ at: number, tell: () => string }} Untold its words are only made when it is shown: they take longest
 */
import { isLate, isUnsent, stateOf } from "./attempt_state.js";
import { tellMore } from "./crowd.js";
import { attemptsOf } from "./kept_attempts.js";
import { printable, short } from "./short_names.js";
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
    clientOnly
      ? whatTheClientSaw(attempt, attempt.came)
      : [...whatTheClientSaw(attempt, attempt.acks), ...whatTheReceiverDid(attempt)],
  );
  lines.push(...howItMoved(attempts), ...whatTheGroupDid(model.groups.get(message)));
  const shown = lines.sort((a, b) => a.at - b.at).slice(0, MAX_LINES);
  const told = shown.map(({ at, tell }) => ({ at, words: tell() }));
  const more = tellMore(lines.length - told.length);
  return more ? [...told, { at: told.at(-1)?.at ?? 0, words: more }] : told;
}

/**
 * A send to any goes on to another receiver; if something was sent before, it may be there too.
 * @param {Attempt[]} attempts @returns {Untold[]}
 */
function howItMoved(attempts) {
  return attempts.flatMap((attempt) => {
    const { movedFrom, client, at } = attempt;
    if (movedFrom === undefined || isUnsent(attempt)) return [];
    const wasSent = attempts.some((other) => other.attempt < attempt.attempt && !isUnsent(other));
    const names = { client, before: short(movedFrom), ...namesOf(attempt) };
    return [{ at, tell: () => text(wasSent ? "sMoved" : "sMovedUnsent", names) }];
  });
}

/** @param {import("./model.js").GroupAck | undefined} group @returns {Untold[]} */
function whatTheGroupDid(group) {
  if (!group) return [];
  const { at, need, ackedBy: n } = group;
  return [{ at, tell: () => text("sGroupAcked", { n, need }) }];
}

/** @param {Attempt} attempt @param {Attempt["acks"]} acks @returns {Untold[]} */
function whatTheClientSaw(attempt, acks) {
  const { client, timedOutAt, failedAt, why = "?", gaveUp, notNeeded } = attempt;
  const names = { client, ...namesOf(attempt) };
  /** @type {Untold[]} */
  const lines = [];
  if (!isUnsent(attempt) && attempt.movedFrom === undefined) {
    const key = attempt.attempt > 1 ? "sRetried" : "sSent";
    lines.push({ at: attempt.at, tell: () => text(key, { ...names, timeout: duration(attempt.timeout) }) });
  }
  if (timedOutAt) lines.push({ at: timedOutAt, tell: () => text("sTimedOut", names) });
  if (failedAt) {
    const key = isUnsent(attempt) ? "sUnreached" : "sFailed";
    lines.push({ at: failedAt, tell: () => text(key, { ...names, why }) });
  }
  for (const ack of acks) {
    if (ack.receivedAt === undefined) continue;
    lines.push({ at: ack.receivedAt, tell: () => text(keyOfAck(ack, attempt), names) });
  }
  if (gaveUp) {
    const key = notNeeded ? "sNotNeeded" : "sGaveUp";
    const outcome = () =>
      text(OUTCOMES[/** @type {keyof typeof OUTCOMES} */ (gaveUp.outcome)] ?? "outcomeUnknown");
    lines.push({ at: gaveUp.at, tell: () => text(key, { ...names, why: gaveUp.why, outcome: outcome() }) });
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
  const { receivedAt, fault, faultAt, processedAt, body = "", duplicate, acks } = attempt;
  const names = namesOf(attempt);
  /** @type {Untold[]} */
  const lines = [];
  if (receivedAt)
    lines.push({ at: receivedAt, tell: () => text(duplicate ? "sReceivedDuplicate" : "sReceived", names) });
  if (faultAt) {
    const key = FAULT_TEXTS[/** @type {keyof typeof FAULT_TEXTS} */ (fault)];
    lines.push({ at: faultAt, tell: () => (key ? text(key, names) : printable(String(fault))) });
  }
  if (processedAt) lines.push({ at: processedAt, tell: () => text("sProcessed", { ...names, body }) });
  for (const { at } of acks) if (at) lines.push({ at, tell: () => text("sAcked", names) });
  return lines;
}

/** @param {Attempt} attempt */
function namesOf({ receiver, attempt: n }) {
  return { receiver: short(receiver), n };
}

/** How an attempt stands, in few words. @param {Attempt} attempt */
export function tellState(attempt) {
  const state = stateOf(attempt);
  if (state === "failed" && isUnsent(attempt)) return text("unreached");
  if (state !== "acked") return text(state);
  if (attempt.acks.some((ack) => isLate(ack, attempt) && !ack.ignored)) return text("ackedLate");
  return text(attempt.acks.some(({ duplicate }) => duplicate) ? "ackedDuplicate" : "acked");
}
