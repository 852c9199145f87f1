/**
 * The dots under a client: of its last send to the group, one for each member. draw_process.js calls it.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Attempt} Attempt
 */
import { stateOf } from "./attempt_state.js";
import { attemptsOf } from "./kept_attempts.js";
import { draw, set } from "./svg.js";

const MAX_SHOWN = 240;
const SMALL_ABOVE = 60;

/** @param {Element} parent @param {string} client @param {{ x: number, y: number }} place @param {Model} model */
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
}

/** Of the client's last message, the last attempt for each member; none if it went to one receiver. @param {string} client @param {Model} model */
function lastOfEach(client, model) {
  const last = model.attempts.findLast((attempt) => attempt.client === client);
  /** @type {Map<string, Attempt>} */
  const members = new Map();
  for (const attempt of last ? attemptsOf(model, last.message) : []) members.set(attempt.receiver, attempt);
  return members.size > 1 ? [...members.values()] : [];
}

/** Solid acked, grey awaited, hollow missing. @param {Attempt} attempt */
function classOf(attempt) {
  if (stateOf(attempt) === "acked") return "acked";
  return attempt.gaveUp ? "missing" : "awaited";
}
