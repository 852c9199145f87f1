/**
 * The space-time diagram as a list of shapes, in pixels: where everything goes, and nothing about how it
 * is painted. Time runs downwards. paint_diagram.js calls it for each frame.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./lanes.js").Place} Place
 * @typedef {import("./least_slopes.js").Moment} Moment
 * @typedef {import("./courses.js").Course} Course
 *
 * @typedef {{ x: number, y: number }} Point
 * @typedef {object} Arrow
 * @property {"arrow"} kind
 * @property {"message" | "ack"} what
 * @property {Point} from
 * @property {Point} to
 * @property {"filled" | "hollow" | "cross" | "question" | "none"} head
 * @property {boolean} dashed
 * @property {boolean} late an ack that came after the timeout, or when nobody waited
 * @property {string} label
 * @property {string} mark beside the head
 * @property {string} words where it went, or why it didn't
 * @property {boolean} retry
 * @property {string} message
 * @property {number} attempt
 * @property {string} receiver
 * @typedef {{ kind: "bar", x: number, from: number, to: number, filledTo: number, timedOut: boolean, notNeeded: boolean, message: string, attempt: number }} Bar
 * @typedef {{ kind: "lane", x: number, from: number, to: number, broken: boolean }} Lane
 * @typedef {{ kind: "link", from: Point, to: Point, label: string, message: string }} Link
 * @typedef {"omission" | "failed" | "crash" | "left" | "expired" | "replaced" | "unreachable" | "majority" | "newId"} LaneMark
 * @typedef {{ kind: "mark", mark: LaneMark, x: number, y: number, label: string, message: string }} Mark something that happens on a lane
 * @typedef {{ kind: "unsent", x: number, y: number, message: string }} Unsent
 * @typedef {{ kind: "beat", from: Point, to: Point }} Beat
 * @typedef {{ kind: "seam", from: number, to: number, label: string }} Seam
 * @typedef {Arrow | Bar | Lane | Link | Mark | Unsent | Beat | Seam | import("./deeds.js").DeedShape} Shape
 *
 * @typedef {object} View
 * @property {import("./time_axis.js").Axis} axis
 * @property {number} top what of the axis is at the top, in pixels
 * @property {number} from the time at the top, in milliseconds since 1970
 * @property {number} to
 * @property {number} now
 * @property {number} width
 * @property {number} height
 * @property {boolean} clientOnly what the client can't see is left out
 * @property {boolean} heartbeats
 */
import { layOutArrows } from "./arrows.js";
import { isUnsent } from "./attempt_state.js";
import { layOutBar, layOutLink, takeSlot } from "./bars.js";
import { coursesOf } from "./courses.js";
import { addDeeds, layOutDeed } from "./deeds.js";
import { duration } from "./durations.js";
import { layOutKnownArrows } from "./known_arrows.js";
import { addMoment, LEAST_DROP, placeMoments } from "./least_slopes.js";
import { addLives, layOutLives } from "./lives_layout.js";
import { text } from "./text.js";
import { seamsOf } from "./time_axis.js";
import { yIn } from "./view_of.js";

/**
 * The shapes that are in view; what is painted last comes last.
 * @param {Model} model @param {View} view @param {{ lanes: Place[], gap: number }} layout
 * @returns {Shape[]}
 */
export function layOut(model, view, { lanes, gap }) {
  /** @type {Moment[]} */
  const moments = [];
  const courses = coursesOf(model, view, { lanes, gap, moments });
  const groups = groupsIn(model, view, { lanes, moments });
  const deeds = addDeeds(model, view, { lanes, moments });
  const lives = addLives(moments, lanes, view);
  placeMoments(moments, view);
  const { lines, marks } = layOutLives(lives, view);
  return [
    ...lines,
    ...(view.heartbeats && !view.clientOnly ? layOutBeats(model, view, lanes) : []),
    ...layOutSeams(view),
    ...layOutCourses(model, courses, view),
    ...groups.map(layOutGroup),
    ...deeds.map(layOutDeed),
    ...marks,
  ];
}

/** All bars and links come before all arrows. @param {Model} model @param {Map<Attempt, Course>} courses @param {View} view @returns {Shape[]} */
function layOutCourses(model, courses, view) {
  /** @type {number[]} */
  const busyUntil = [];
  /** @type {Shape[]} */
  const below = [];
  /** @type {Shape[]} */
  const arrows = [];
  for (const [attempt, course] of courses) {
    if (isUnsent(attempt)) {
      // Only a mark: an arrow, or a bar that waits for an ack, would say that something went out.
      arrows.push({ kind: "unsent", x: course.xClient, y: course.sent.y, message: attempt.message });
      continue;
    }
    if (!course.receiver) continue;
    const bar = layOutBar(course, takeSlot(busyUntil, attempt), view);
    below.push(bar, ...layOutLink(model, courses, course, { x: bar.x, view }));
    arrows.push(...(view.clientOnly ? layOutKnownArrows(course) : layOutArrows(course, view)));
  }
  return [...below, ...arrows];
}

/** Which sends to the group got enough acks. @param {Model} model @param {View} view @param {{ lanes: Place[], moments: Moment[] }} where */
function groupsIn({ groups }, view, { lanes, moments }) {
  if (groups.size === 0) return [];
  const xOf = new Map(lanes.map(({ process, x }) => [process.name, x]));
  return [...groups].flatMap(([message, { at, client, need }]) => {
    const lane = xOf.get(client);
    if (lane === undefined || at < view.from || at > view.to) return [];
    return [{ message, need, moment: addMoment(moments, { at, lane }) }];
  });
}

/** @param {ReturnType<typeof groupsIn>[number]} group @returns {Shape} */
function layOutGroup({ message, need, moment: { lane: x, y } }) {
  const label = need === 1 ? text("oneAckAt") : text("majorityAt", { need });
  return { kind: "mark", mark: "majority", x, y, label, message };
}

/** @param {Model} model @param {View} view @param {Place[]} lanes @returns {Shape[]} */
function layOutBeats({ byId, heartbeats }, view, lanes) {
  const xOf = new Map(lanes.map(({ process, x }) => [process, x]));
  const discovery = lanes.find(({ process }) => process.role === "discovery");
  return heartbeats.flatMap(({ at, receiver: id }) => {
    const receiver = byId.get(id);
    const x = receiver && xOf.get(receiver);
    if (at < view.from || at > view.to || x === undefined) return [];
    const y = yIn(view, at);
    return [{ kind: "beat", from: { x, y: y - LEAST_DROP }, to: { x: discovery?.x ?? x - 16, y } }];
  });
}

/** @param {View} view @returns {Shape[]} */
function layOutSeams(view) {
  return seamsOf(view.axis).flatMap(({ from, to, y, height }) => {
    const seam = { from: y - view.top, to: y + height - view.top };
    if (seam.to < 0 || seam.from > view.height) return [];
    return [{ kind: "seam", ...seam, label: text("seam", { time: duration(to - from) }) }];
  });
}
