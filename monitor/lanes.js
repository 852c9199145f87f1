/**
 * Which processes have a lane in the diagram, and where. paint_diagram.js calls it for each frame.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./layout.js").View} View
 * @typedef {{ process: Process, x: number }} Place
 */
import { BARS_WIDTH } from "./bars.js";
import { chooseShown, processesOf, sizeOf } from "./crowd.js";
import { byOwnName } from "./receiver_names.js";

const AXIS = 64;
const GONE_SHOWN_MS = 30_000;
const RANKS = { client: 0, discovery: 1, receiver: 2 };

/**
 * One lane for each process that did something in this time: clients, discovery, receivers.
 * @param {Model} model @param {Pick<View, "from" | "to" | "width">} view
 * @returns {{ lanes: Place[], gap: number, width: number, more: number }} `more`: how many there is no lane for
 */
export function layOutLanes(model, { from, to, width }) {
  const active = processesOf(model).filter(({ lives }) => {
    const [first, last] = [lives[0], lives.at(-1)];
    if (!first || !last || first.from > to) return false;
    return last.to === undefined || last.how === "unreachable" || last.to > from - GONE_SHOWN_MS;
  });
  const shown = chooseShown(model, active);
  shown.sort((a, b) => RANKS[a.role] - RANKS[b.role] || (a.role === "receiver" ? byOwnName(a, b) : 0));
  const left = AXIS + BARS_WIDTH;
  const least = shown.length > 60 ? 22 : 46;
  const gap = Math.min(220, Math.max(least, (width - left - 60) / Math.max(1, shown.length - 1)));
  const more = sizeOf(model) + active.length - shown.length;
  const lanes = shown.map((process, index) => ({ process, x: left + index * gap }));
  return { lanes, gap, width: left + gap * (shown.length - 1) + 60, more };
}
