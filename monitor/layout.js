/**
 * The space-time diagram as a list of shapes, in pixels: where everything goes, and nothing about how it
 * is painted. Time runs downwards, linear. What takes no time worth seeing is drawn with the least slope
 * that still shows which end came first.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./model.js").Ack} Ack
 *
 * @typedef {{ x: number, y: number }} Point
 * @typedef {object} Arrow
 * @property {"arrow"} kind
 * @property {"message" | "ack"} what
 * @property {Point} from
 * @property {Point} to
 * @property {"filled" | "hollow" | "cross" | "question" | "none"} head
 * @property {boolean} dashed
 * @property {string} label
 * @property {string} mark beside the head
 * @property {boolean} retry
 * @property {string} message
 * @property {number} attempt
 * @property {string} receiver
 * @typedef {{ kind: "bar", x: number, from: number, to: number, filledTo: number, timedOut: boolean, message: string, attempt: number }} Bar
 * @typedef {{ kind: "lane", x: number, from: number, to: number, broken: boolean }} Lane
 * @typedef {{ kind: "link", from: Point, to: Point, message: string }} Link
 * @typedef {{ kind: "cross", x: number, y: number, label: string, message: string }} Cross
 * @typedef {{ kind: "beat", from: Point, to: Point }} Beat
 * @typedef {Arrow | Bar | Lane | Link | Cross | Beat} Shape
 *
 * @typedef {object} View
 * @property {number} from the time at the top, in milliseconds since 1970
 * @property {number} to
 * @property {number} now
 * @property {number} width
 * @property {boolean} clientOnly what the client can't see is left out
 * @property {boolean} heartbeats
 */
import { isLate, settledAt, stateOf } from "./attempt_state.js";
import { attemptsOf } from "./attempts.js";
import { processesOf } from "./processes.js";

export const PX_PER_MS = 40 / 1000;
export const LEAST_DROP = 12; // of an arrow, in pixels
const AXIS = 64;
const BAR_SLOTS = 6;
const BAR_STEP = 8;
const GONE_SHOWN_MS = 30_000;
const SLOW_MS = 15_000; // an arrow may come into view from so far above

/**
 * One lane for each process that did something in this time: clients, discovery, receivers.
 * @param {Model} model @param {View} view
 * @returns {{ lanes: { process: Process, x: number }[], gap: number, width: number }}
 */
export function layOutLanes(model, { from, to, width }) {
  const rank = { client: 0, discovery: 1, receiver: 2 };
  const shown = processesOf(model).filter(({ role, firstAt, lastAt, gone }) => {
    if (firstAt > to) return false;
    if (role === "client") return lastAt > from - GONE_SHOWN_MS;
    return gone === undefined || gone.at > from - GONE_SHOWN_MS;
  });
  shown.sort((a, b) => rank[a.role] - rank[b.role] || a.firstAt - b.firstAt);
  const left = AXIS + BAR_SLOTS * BAR_STEP;
  const least = shown.length > 60 ? 22 : 46;
  const gap = Math.min(220, Math.max(least, (width - left - 60) / Math.max(1, shown.length - 1)));
  const lanes = shown.map((process, index) => ({ process, x: left + index * gap }));
  return { lanes, gap, width: left + gap * (shown.length - 1) + 60 };
}

/**
 * The shapes that are in view; what is painted last comes last.
 * @param {Model} model @param {View} view @param {ReturnType<typeof layOutLanes>} layout
 * @returns {Shape[]}
 */
export function layOut(model, view, { lanes }) {
  const { from, to, now, clientOnly } = view;
  const y = (/** @type {number} */ at) => (at - from) * PX_PER_MS;
  const xOf = new Map(lanes.map(({ process, x }) => [process, x]));
  const xOfClient = new Map(lanes.map(({ process, x }) => [process.name, x]));
  const bottom = y(to);

  /** @type {Shape[]} */
  const shapes = [];
  for (const { process, x } of lanes) {
    const start = Math.max(0, y(process.firstAt));
    const end = process.gone && !clientOnly ? y(process.gone.at) : y(now);
    shapes.push({ kind: "lane", x, from: start, to: Math.min(end, bottom), broken: false });
    if (process.gone && !clientOnly && end < bottom) {
      shapes.push({ kind: "lane", x, from: Math.max(0, end), to: Math.min(bottom, y(now)), broken: true });
      shapes.push({ kind: "cross", x, y: end, label: process.gone.how, message: "" });
    }
  }

  if (view.heartbeats && !clientOnly) {
    const discovery = lanes.find(({ process }) => process.role === "discovery");
    for (const { at, receiver } of model.heartbeats) {
      const x = xOf.get(/** @type {Process} */ (model.byId.get(receiver)));
      if (at < from || at > to || x === undefined) continue;
      shapes.push({
        kind: "beat",
        from: { x, y: y(at) - LEAST_DROP },
        to: { x: discovery?.x ?? x - 16, y: y(at) },
      });
    }
  }

  /** @type {number[]} */
  const busyUntil = []; // of each place for a bar, so that bars of messages in flight stand side by side
  const late = [];
  for (const attempt of model.attempts) {
    const over = settledAt(attempt);
    const lastAck = Math.max(
      0,
      ...[...attempt.acks, ...attempt.came].map(({ receivedAt, at }) => receivedAt ?? at ?? 0),
    );
    const end = Math.max(over ?? now, lastAck);
    if (attempt.at > to || Math.max(end, attempt.at + 1000) < from || (over && from - over > SLOW_MS))
      continue;
    const receiver = model.byId.get(attempt.receiver);
    const xClient = xOfClient.get(attempt.client);
    const xReceiver = receiver && xOf.get(receiver);
    if (xReceiver === undefined || xClient === undefined) continue;
    const start = { x: xClient, y: y(attempt.at) };

    const barEnd = over ?? attempt.at + attempt.timeout;
    let slot = busyUntil.findIndex((until) => until <= attempt.at);
    if (slot < 0) slot = busyUntil.length < BAR_SLOTS ? busyUntil.length : BAR_SLOTS - 1;
    busyUntil[slot] = barEnd;
    const { message, attempt: number } = attempt;
    const bar = {
      kind: /** @type {const} */ ("bar"),
      x: xClient - 8 - slot * BAR_STEP,
      from: start.y,
      message,
      attempt: number,
    };
    const timedOut = attempt.timedOutAt !== undefined;
    shapes.push({
      ...bar,
      to: Math.max(start.y + 3, y(barEnd)),
      filledTo: y(Math.min(now, barEnd)),
      timedOut,
    });
    if (number > 1) {
      const before = attemptsOf(model, message).findLast(
        (other) => other.receiver === attempt.receiver && other.attempt === number - 1,
      );
      const since = before?.timedOutAt ?? before?.failedAt;
      if (since) shapes.push({ kind: "link", from: { x: bar.x, y: y(since) }, to: start, message });
    }
    late.push(
      ...(clientOnly
        ? asTheClientKnows(attempt, start, xReceiver, y)
        : asItWas(attempt, start, xReceiver, view, y)),
    );
  }
  return [...shapes, ...late];
}

/** @param {Attempt} attempt @returns {Omit<Arrow, "what" | "from" | "to" | "head">} */
function arrowOf({ message, attempt, receiver }) {
  return {
    kind: "arrow",
    dashed: false,
    label: "",
    mark: "",
    retry: attempt > 1,
    message,
    attempt,
    receiver,
  };
}

/** @param {number} attempt */
function labelOf(attempt) {
  return attempt > 1 ? `×${attempt}` : "1";
}

/**
 * @param {Attempt} attempt @param {Point} start @param {number} xReceiver @param {View} view
 * @param {(at: number) => number} y @returns {Shape[]}
 */
function asItWas(attempt, start, xReceiver, { now }, y) {
  const { receivedAt, fault, message } = attempt;
  const arrow = {
    ...arrowOf(attempt),
    what: /** @type {const} */ ("message"),
    from: start,
    label: labelOf(attempt.attempt),
  };
  if (receivedAt === undefined) {
    // It may still be under way; once its client has given it up, it is called lost.
    const isLost = settledAt(attempt) !== undefined;
    const part = isLost ? 0.6 : 0.4;
    const to = { x: start.x + (xReceiver - start.x) * part, y: start.y + LEAST_DROP * part };
    return [{ ...arrow, to, head: isLost ? "cross" : "none" }];
  }
  const landing = { x: xReceiver, y: Math.max(start.y + LEAST_DROP, y(receivedAt)) };
  /** @type {Shape[]} */
  const shapes = [
    {
      ...arrow,
      to: landing,
      head: attempt.duplicate ? "hollow" : "filled",
      mark: attempt.duplicate ? "dup" : "",
    },
  ];
  if (fault === "silent" || fault === "disconnect" || fault === "exit") {
    const until = Math.max(landing.y + 30, y(settledAt(attempt) ?? now));
    shapes.push({ kind: "lane", x: xReceiver, from: landing.y, to: until, broken: true });
    shapes.push({ kind: "cross", x: xReceiver, y: landing.y, label: "", message });
  }
  for (const ack of attempt.acks) shapes.push(...ackArrow(attempt, ack, landing, start.x, now, y));
  if (fault === "lost-ack" && attempt.acks.length === 0 && attempt.processedAt !== undefined) {
    const from = { x: xReceiver, y: Math.max(landing.y, y(attempt.processedAt)) };
    const to = { x: xReceiver + (start.x - xReceiver) * 0.4, y: from.y + LEAST_DROP * 0.4 };
    shapes.push({ ...arrowOf(attempt), what: "ack", from, to, head: "cross" });
  }
  return shapes;
}

/**
 * @param {Attempt} attempt @param {Ack} ack @param {Point} landing @param {number} xClient @param {number} now
 * @param {(at: number) => number} y @returns {Shape[]}
 */
function ackArrow(attempt, ack, landing, xClient, now, y) {
  const from = { x: landing.x, y: Math.max(landing.y, y(ack.at ?? ack.receivedAt ?? now)) };
  const dashed = isLate(ack, attempt) || ack.ignored === true;
  const arrow = {
    ...arrowOf(attempt),
    what: /** @type {const} */ ("ack"),
    from,
    dashed,
    mark: ack.duplicate ? "dup" : "",
  };
  if (ack.receivedAt !== undefined) {
    const to = { x: xClient, y: Math.max(from.y + LEAST_DROP, y(ack.receivedAt)) };
    return [{ ...arrow, to, head: ack.duplicate ? "hollow" : "filled" }];
  }
  const isLost = now - (ack.at ?? now) > 2000;
  const part = isLost ? 0.6 : 0.4;
  const to = { x: from.x + (xClient - from.x) * part, y: from.y + LEAST_DROP * part };
  return [{ ...arrow, to, head: isLost ? "cross" : "none" }];
}

/**
 * A lost message, a lost ack and a crash are the same picture: a message that went out, and nothing. When
 * an ack came, it was processed some time before: where on the way is not known.
 * @param {Attempt} attempt @param {Point} start @param {number} xReceiver @param {(at: number) => number} y
 * @returns {Shape[]}
 */
function asTheClientKnows(attempt, start, xReceiver, y) {
  const message = {
    ...arrowOf(attempt),
    what: /** @type {const} */ ("message"),
    from: start,
    label: labelOf(attempt.attempt),
  };
  const part = 0.6;
  const nowhere = { x: start.x + (xReceiver - start.x) * part, y: start.y + LEAST_DROP * part };
  if (attempt.came.length === 0) {
    const failed = stateOf(attempt) === "failed";
    return [{ ...message, to: nowhere, head: failed ? "cross" : "question", dashed: true }];
  }
  /** @type {Shape[]} */
  const shapes = [];
  for (const ack of attempt.came) {
    const end = { x: start.x, y: Math.max(start.y + 2 * LEAST_DROP, y(ack.receivedAt ?? 0)) };
    const turn = { x: xReceiver, y: (start.y + end.y) / 2 };
    if (shapes.length === 0) shapes.push({ ...message, to: turn, head: "filled" });
    const mark = ack.duplicate ? "dup" : "";
    const dashed = isLate(ack, attempt) || ack.ignored === true;
    shapes.push({
      ...arrowOf(attempt),
      what: "ack",
      from: turn,
      to: end,
      head: ack.duplicate ? "hollow" : "filled",
      mark,
      dashed,
    });
  }
  return shapes;
}

/**
 * The arrow or cross of a message that is nearest to a point, if one is near.
 * @param {Shape[]} shapes @param {Point} point @param {number} [reach]
 */
export function shapeAt(shapes, point, reach = 12) {
  let best;
  let bestDistance = reach;
  for (const shape of shapes) {
    if (!("message" in shape) || shape.message === "") continue;
    const distance = distanceTo(shape, point);
    if (distance <= bestDistance) [best, bestDistance] = [shape, distance];
  }
  return best;
}

/** @param {Shape} shape @param {Point} point */
function distanceTo(shape, { x, y }) {
  if (shape.kind === "cross") return Math.hypot(shape.x - x, shape.y - y);
  if (shape.kind === "bar")
    return y < shape.from || y > shape.to ? Number.POSITIVE_INFINITY : Math.abs(shape.x - x) * 2;
  if (shape.kind === "lane") return Number.POSITIVE_INFINITY;
  const { from, to } = shape;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const along = Math.max(0, Math.min(1, ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(from.x + along * dx - x, from.y + along * dy - y);
}
