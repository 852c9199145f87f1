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
import { languageCode, text } from "./text.js";

const MAX_LINES = 2000;

/** The texts of the faults, by the name of the fault. */
const FAULT_TEXTS = /** @type {const} */ ({
  silent: "faultSilent",
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
  const lines = attemptsOf(model, message).flatMap((attempt) =>
    clientOnly
      ? whatTheClientSaw(attempt, attempt.came)
      : [...whatTheClientSaw(attempt, attempt.acks), ...whatTheReceiverDid(attempt)],
  );
  const shown = lines.sort((a, b) => a.at - b.at).slice(0, MAX_LINES);
  const told = shown.map(({ at, tell }) => ({ at, words: tell() }));
  const more = tellMore(lines.length - told.length);
  return more ? [...told, { at: told.at(-1)?.at ?? 0, words: more }] : told;
}

/** @param {Attempt} attempt @param {Attempt["acks"]} acks @returns {Untold[]} */
function whatTheClientSaw(attempt, acks) {
  const { client, timedOutAt, failedAt, why = "?", gaveUp } = attempt;
  const names = { client, ...namesOf(attempt) };
  /** @type {Untold[]} */
  const lines = [];
  if (!isUnsent(attempt)) {
    const key = attempt.attempt > 1 ? "sRetried" : "sSent";
    lines.push({ at: attempt.at, tell: () => text(key, { ...names, timeout: timeoutOf(attempt) }) });
  }
  if (timedOutAt) lines.push({ at: timedOutAt, tell: () => text("sTimedOut", names) });
  if (failedAt) {
    const key = isUnsent(attempt) ? "sUnreached" : "sFailed";
    lines.push({ at: failedAt, tell: () => text(key, { ...names, why }) });
  }
  for (const ack of acks) {
    if (ack.receivedAt === undefined) continue;
    const key = ack.ignored
      ? "sAckIgnored"
      : isLate(ack, attempt)
        ? "sAckLate"
        : ack.duplicate
          ? "sAckDuplicate"
          : "sAckReceived";
    lines.push({ at: ack.receivedAt, tell: () => text(key, names) });
  }
  if (gaveUp) {
    const outcome = text(OUTCOMES[/** @type {keyof typeof OUTCOMES} */ (gaveUp.outcome)] ?? "outcomeUnknown");
    lines.push({ at: gaveUp.at, tell: () => text("sGaveUp", { ...names, why: gaveUp.why, outcome }) });
  }
  return lines;
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

/** @param {Attempt} attempt */
function timeoutOf({ timeout }) {
  return `${(timeout / 1000).toLocaleString(languageCode())} s`;
}

/** How an attempt stands, in few words. @param {Attempt} attempt */
export function tellState(attempt) {
  const state = stateOf(attempt);
  if (state === "failed" && isUnsent(attempt)) return text("unreached");
  if (state !== "acked") return text(state);
  if (attempt.acks.some((ack) => isLate(ack, attempt) && !ack.ignored)) return text("ackedLate");
  return text(attempt.acks.some(({ duplicate }) => duplicate) ? "ackedDuplicate" : "acked");
}

/** @param {number} at */
export function clockTime(at) {
  const date = new Date(at);
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
