/**
 * When something happened in the group: what the time axis does not fold. A heartbeat is no activity, unless
 * heartbeats are what is looked at. paint_diagram.js asks when the model has changed.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./model.js").Ack} Ack
 * @typedef {import("./time_axis.js").Interval} Interval
 */

import { settledAt } from "./attempt_state.js";
import { processesOf } from "./crowd.js";
import { expiriesOf } from "./lives.js";
import { GAP_MS } from "./time_axis.js";

/** So long an ack may be on its way; after that it is called lost. */
export const ACK_IS_LOST_MS = 2000;

/**
 * In order, those with no gap between them made one. What isn't over yet reaches into the future, as far as
 * it may take.
 * @param {Model} model @param {{ start: number, heartbeats: boolean }} view
 * @returns {Interval[]}
 */
export function activityOf(model, { start, heartbeats }) {
  /** @type {Interval[]} */
  const all = [];
  const add = (/** @type {number} */ from, to = from) => {
    if (to >= start) all.push({ from: Math.max(from, start), to });
  };
  for (const attempt of model.attempts) addAttempt(attempt, add);
  for (const process of processesOf(model)) {
    for (const { from, to } of process.lives) {
      add(from);
      if (to !== undefined) add(to);
    }
    for (const at of expiriesOf(process)) add(at);
  }
  for (const { at } of [...model.groups.values(), ...model.deeds]) add(at);
  if (heartbeats) for (const { at } of model.heartbeats) add(at);
  return merge(all);
}

/** @param {Attempt} attempt @param {(from: number, to?: number) => void} add */
function addAttempt(attempt, add) {
  const { at, timeout, receivedAt, faultAt, processedAt } = attempt;
  add(at, settledAt(attempt) ?? at + timeout);
  for (const each of [receivedAt, faultAt, processedAt]) if (each !== undefined) add(each);
  for (const ack of attempt.acks) addAck(ack, add);
  for (const ack of attempt.came) addAck(ack, add);
}

/** @param {Ack} ack @param {(from: number, to?: number) => void} add */
function addAck({ at, receivedAt }, add) {
  if (at === undefined) {
    if (receivedAt !== undefined) add(receivedAt);
  } else add(at, Math.max(at, receivedAt ?? at + ACK_IS_LOST_MS));
}

/** @param {Interval[]} all */
function merge(all) {
  all.sort((a, b) => a.from - b.from);
  /** @type {Interval[]} */
  const merged = [];
  for (const { from, to } of all) {
    const last = merged.at(-1);
    if (last && from - last.to <= GAP_MS) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}
