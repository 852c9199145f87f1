/**
 * The receivers that are alive, and did not answer what they received last: an omission. group.js asks, so that it
 * isn't taken for a crash.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 */

const SHOWN_MS = 10_000;
const LAST_ATTEMPTS = 500;

/** @param {Model} model @param {number} now @returns {Set<Process>} */
export function omittingAt({ attempts, byId }, now) {
  /** @type {Map<Process, import("./model.js").Attempt>} */
  const last = new Map();
  for (const attempt of attempts.slice(-LAST_ATTEMPTS)) {
    const receiver = byId.get(attempt.receiver);
    const before = receiver && last.get(receiver);
    if (receiver && (attempt.receivedAt ?? 0) >= (before?.receivedAt ?? 0)) last.set(receiver, attempt);
  }
  const isOmission = ({ fault = "", faultAt = 0 }) => fault === "silent" && now - faultAt < SHOWN_MS;
  return new Set([...last].filter(([, attempt]) => isOmission(attempt)).map(([receiver]) => receiver));
}
