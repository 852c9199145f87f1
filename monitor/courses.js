/**
 * The course of each attempt that is in view: what happened to it at its client and at its receiver, as moments
 * that get their places on the lanes later. Of what only the receiver knows there is nothing where only
 * that is shown which the client knows. layout.js calls it for each frame.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./model.js").Ack} Ack
 * @typedef {import("./layout.js").View} View
 * @typedef {import("./least_slopes.js").Moment} Moment
 *
 * @typedef {object} Course
 * @property {Attempt} attempt
 * @property {number} xClient
 * @property {number} gap between two lanes
 * @property {{ x: number, name: string } | undefined} receiver if it has a lane
 * @property {number} endedAt when its client ended, or Infinity
 * @property {Moment} sent
 * @property {Moment | undefined} received
 * @property {Moment | undefined} faulty when the fault happened at the receiver
 * @property {{ ack: Ack, left?: Moment | undefined, came?: Moment | undefined }[]} acks
 * @property {Moment | undefined} lostAck when an ack would have left, but for a fault
 * @property {Moment | undefined} settled when it was over for the client
 * @property {Moment | undefined} failed when the client saw that the connection was gone
 */
import { isUnsent, settledAt } from "./attempt_state.js";
import { addMoment, MOST_LATE_PX } from "./least_slopes.js";
import { goneOf } from "./lives.js";
import { short } from "./short_names.js";
import { timeAt } from "./time_axis.js";

const NOTHING = {
  ...{ received: undefined, faulty: undefined, acks: [], lostAck: undefined },
  ...{ settled: undefined, failed: undefined },
};

/**
 * @param {Model} model @param {View} view
 * @param {{ lanes: import("./lanes.js").Place[], gap: number, moments: Moment[] }} where
 * @returns {Map<Attempt, Course>}
 */
export function coursesOf(model, view, { lanes, gap, moments }) {
  const xOf = new Map(lanes.map(({ process, x }) => [process, x]));
  const xOfName = new Map(lanes.map(({ process, x }) => [process.name, x]));
  const isInView = createInView(view);
  const courses = new Map();
  /** @type {Map<string, Moment>} */
  const firsts = new Map();
  for (const attempt of model.attempts) {
    const xClient = xOfName.get(attempt.client);
    if (xClient === undefined || !isInView(attempt)) continue;
    const process = model.byId.get(attempt.receiver);
    const x = process && xOf.get(process);
    const receiver =
      process && x !== undefined ? { x, name: short(process.id ?? attempt.receiver) } : undefined;
    const sending = `${attempt.message} ${attempt.attempt}`;
    const sent = addMoment(moments, { at: attempt.at, lane: xClient, first: firsts.get(sending) });
    firsts.set(sending, firsts.get(sending) ?? sent);
    const client = model.byName.get(attempt.client);
    const endedAt = (client && goneOf(client)?.at) ?? Number.POSITIVE_INFINITY;
    const base = { ...NOTHING, attempt, xClient, gap, receiver, endedAt, sent };
    if (!receiver || isUnsent(attempt)) courses.set(attempt, base);
    else if (view.clientOnly) courses.set(attempt, asTheClientKnows(base, moments));
    else courses.set(attempt, asItWas(base, receiver.x, moments));
  }
  return courses;
}

/** What is just above has an effect on what is in view: it may be drawn late. @param {View} view @returns {(attempt: Attempt) => boolean} */
function createInView({ axis, top, height, now }) {
  const from = timeAt(axis, top - 2 * MOST_LATE_PX);
  const to = timeAt(axis, top + height);
  return (attempt) => {
    if (attempt.at > to) return false;
    let end = settledAt(attempt) ?? now;
    for (const { receivedAt, at } of attempt.acks) end = Math.max(end, receivedAt ?? at ?? 0);
    for (const { receivedAt } of attempt.came) end = Math.max(end, receivedAt ?? 0);
    return Math.max(end, attempt.receivedAt ?? 0, attempt.faultAt ?? 0) >= from;
  };
}

/** @param {Course} base @param {number} x of the receiver @param {Moment[]} moments @returns {Course} */
function asItWas(base, x, moments) {
  const { attempt, xClient, sent } = base;
  const { receivedAt, faultAt, processedAt, acks } = attempt;
  if (receivedAt === undefined) return { ...base, ...endOf(base, moments) };
  const received = addMoment(moments, { at: receivedAt, lane: x, from: sent });
  const onReceiver = (/** @type {number} */ at) => addMoment(moments, { at, lane: x, after: received });
  const faulty = faultAt === undefined ? undefined : onReceiver(faultAt);
  const answers = acks.map((ack) => {
    const left = onReceiver(ack.at ?? ack.receivedAt ?? receivedAt);
    if (ack.receivedAt === undefined) return { ack, left };
    return { ack, left, came: addMoment(moments, { at: ack.receivedAt, lane: xClient, from: left }) };
  });
  const isAckLost = attempt.fault === "lost-ack" && acks.length === 0 && processedAt !== undefined;
  const lostAck = isAckLost ? onReceiver(processedAt) : undefined;
  return { ...base, received, faulty, acks: answers, lostAck, ...endOf(base, moments) };
}

/** When an ack left, and what for, its client can't tell. @param {Course} base @param {Moment[]} moments @returns {Course} */
function asTheClientKnows(base, moments) {
  const { attempt, sent, xClient: lane } = base;
  const acks = attempt.came.map((ack) => {
    return { ack, came: addMoment(moments, { at: ack.receivedAt ?? attempt.at, lane, from: sent }) };
  });
  return { ...base, acks, ...endOf(base, moments) };
}

/** @param {Course} base @param {Moment[]} moments @returns {Pick<Course, "settled" | "failed">} */
function endOf({ attempt, sent, xClient: lane }, moments) {
  const { failedAt } = attempt;
  const at = settledAt(attempt);
  const failed = failedAt === undefined ? undefined : addMoment(moments, { at: failedAt, lane, after: sent });
  return { failed, settled: at === undefined ? undefined : addMoment(moments, { at, lane, after: sent }) };
}
