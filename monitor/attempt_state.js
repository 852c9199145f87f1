/**
 * How an attempt stands, by what is known of it. The diagram, the list and the story ask.
 *
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./model.js").Ack} Ack
 */

/** When the attempt was over for its client; undefined while it waits. @param {Attempt} attempt */
export function settledAt({ timedOutAt, failedAt, gaveUp, ackedAt, acks, at, timeout }) {
  const acked = acks.flatMap(({ receivedAt, ignored }) => (receivedAt && !ignored ? [receivedAt] : []));
  const ends = [timedOutAt, failedAt, gaveUp?.at, ackedAt, ...acked].filter((end) => end !== undefined);
  return ends.length > 0 ? Math.min(...ends, at + timeout) : undefined;
}

/** What the client makes of it. @param {Attempt} attempt */
export function stateOf({ ackedAt, acks, timedOutAt, failedAt, gaveUp, notNeeded }) {
  if (ackedAt !== undefined) return "acked";
  if (acks.some(({ receivedAt, ignored }) => receivedAt !== undefined && !ignored)) return "acked";
  if (notNeeded) return "notNeeded";
  if (failedAt !== undefined) return "failed";
  if (timedOutAt !== undefined) return "timedOut";
  return gaveUp ? "gaveUp" : "waiting";
}

/** Whether nothing was sent: it ended, and nobody told of its sending or its arrival. @param {Attempt} attempt */
export function isUnsent(attempt) {
  const state = stateOf(attempt);
  return (
    !attempt.sent && attempt.receivedAt === undefined && ["failed", "gaveUp", "notNeeded"].includes(state)
  );
}

/** Whether an ack came after the timeout of an attempt. @param {Ack} ack @param {Attempt} attempt */
export function isLate({ receivedAt }, { timedOutAt, at, timeout }) {
  return receivedAt !== undefined && receivedAt > (timedOutAt ?? at + timeout);
}
