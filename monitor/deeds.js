/**
 * What the teacher's desk did to the processes: marks beside their lanes. model.js takes them in, layout.js lays them out.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").TraceEvent} TraceEvent
 * @typedef {import("./text.js").TextKey} TextKey
 * @typedef {import("../trace/events.ts").DeskEvent} DeskEvent
 * @typedef {{ at: number, event: DeskEvent, name: string, what: string }} Deed `what`: which fault, or rate
 * @typedef {"killed" | "suspended" | "resumed" | "toldToEnd" | "launched" | "givenFault" | "givenRate"} DeedName
 * @typedef {{ kind: "deed", deed: DeedName, x: number, y: number, label: string }} DeedShape
 */
import { addMoment } from "./least_slopes.js";
import { endLife } from "./lives.js";
import { text } from "./text.js";

const MAX_DEEDS = 1000;

/** @type {Record<DeskEvent, [name: DeedName, words: TextKey]>} */
const DEEDS = {
  killed: ["killed", "killed"],
  suspended: ["suspended", "suspended"],
  resumed: ["resumed", "resumed"],
  "told to end": ["toldToEnd", "toldToEnd"],
  launched: ["launched", "launched"],
  "given fault": ["givenFault", "givenFault"],
  "given rate": ["givenRate", "givenRate"],
};

/** @param {Model} model @param {TraceEvent} event that the monitor tells */
export function applyDeed({ byName, deeds }, { at, event, from: name = "?", fault = "", note = "" }) {
  if (!(event in DEEDS)) return;
  deeds.push({ at, event: /** @type {DeskEvent} */ (event), name, what: fault || note });
  if (deeds.length > MAX_DEEDS) deeds.shift();
  const process = byName.get(name);
  if (event === "killed" && process) endLife(process, { at, how: "crashed" });
}

/** The names of those that are suspended now. @param {Model} model */
export function suspendedIn({ deeds }) {
  const names = new Set();
  for (const { event, name } of deeds) {
    if (event === "suspended") names.add(name);
    if (event === "resumed") names.delete(name);
  }
  return names;
}

/**
 * Those in view, of processes that have a lane. The client knows of none.
 * @param {Model} model @param {import("./layout.js").View} view
 * @param {{ lanes: import("./lanes.js").Place[], moments: import("./least_slopes.js").Moment[] }} where
 */
export function addDeeds({ deeds }, view, { lanes, moments }) {
  if (view.clientOnly || deeds.length === 0) return [];
  const xOf = new Map(lanes.map(({ process, x }) => [process.name, x]));
  return deeds.flatMap((deed) => {
    const lane = xOf.get(deed.name);
    if (lane === undefined || deed.at < view.from || deed.at > view.to) return [];
    return [{ deed, moment: addMoment(moments, { at: deed.at, lane }) }];
  });
}

/** @param {ReturnType<typeof addDeeds>[number]} added @returns {DeedShape} */
export function layOutDeed({ deed: { event, what }, moment: { lane: x, y } }) {
  const [deed, words] = DEEDS[event];
  return { kind: "deed", deed, x, y, label: text(words, { what }) };
}
