/**
 * The dots under a client: of its last send to the group, one for each member. draw_process.js calls it.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {import("./model.js").Process} Process
 */
import { stateOf } from "./attempt_state.js";
import { processesOf } from "./crowd.js";
import { attemptsOf } from "./kept_attempts.js";
import { byOwnName } from "./receiver_names.js";
import { draw, set } from "./svg.js";
import { text } from "./text.js";

const MAX_SHOWN = 240;
const SMALL_ABOVE = 60;

/** @param {Element} parent @param {string} client @param {{ x: number, y: number }} place @param {Model} model @returns how high they are */
export function drawMembers(parent, client, { x, y }, model) {
  const shown = lastOfEach(client, model).slice(0, MAX_SHOWN);
  const isSmall = shown.length > SMALL_ABOVE;
  const columns = isSmall ? 20 : 10;
  const step = isSmall ? 7 : 14;
  const rowLength = Math.min(columns, shown.length);
  while (parent.childElementCount > shown.length) parent.lastElementChild?.remove();
  shown.forEach((attempt, index) => {
    const dot = parent.children[index] ?? draw(parent, "circle");
    const cx = x + ((index % columns) - (rowLength - 1) / 2) * step;
    const cy = y + 6 + Math.floor(index / columns) * step;
    set(dot, { cx, cy, r: step / 2 - 1.5, class: classOf(attempt) });
  });
  return Math.ceil(shown.length / columns) * step;
}

/** The words for a send to the group that has its acks. @param {string} client @param {Model} model @param {boolean} isWide whether there is room for all of them */
export function tellMajority(client, model, isWide) {
  const [member] = lastOfEach(client, model);
  const group = member && model.groups.get(member.message);
  return group ? text(isWide ? "groupHas" : "groupHasShort", { n: group.ackedBy, need: group.need }) : "";
}

/** Of the client's last message, the last attempt for each member; none if it went to one receiver. @param {string} client @param {Model} model */
function lastOfEach(client, model) {
  const last = model.attempts.findLast((attempt) => attempt.client === client);
  /** @type {Map<string, Attempt>} */
  const members = new Map();
  for (const attempt of last ? attemptsOf(model, last.message) : []) members.set(attempt.receiver, attempt);
  if (members.size < 2) return [];
  // In the order in which the receivers stand in the picture.
  const order = new Map(
    processesOf(model)
      .toSorted(byOwnName)
      .map((process, index) => [process, index]),
  );
  const rank = (/** @type {Attempt} */ { receiver }) =>
    order.get(/** @type {Process} */ (model.byId.get(receiver))) ?? order.size;
  return [...members.values()].sort((a, b) => rank(a) - rank(b));
}

/** Solid acked, grey awaited, hollow missing, thin no longer needed. @param {Attempt} attempt */
function classOf(attempt) {
  if (stateOf(attempt) === "acked") return "acked";
  if (attempt.notNeeded) return "unneeded";
  return attempt.gaveUp ? "missing" : "awaited";
}
