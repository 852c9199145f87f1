/**
 * The picture of the group: an orange circle for each client, a purple trapezoid for discovery, yellow
 * hexagons in a grey box for the receivers, as in the assignment's drawings. Each receiver has a ring that
 * shrinks as its lease runs out, and snaps back at each heartbeat. page.js draws it four times a second.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./places.js").Place} Place
 * @typedef {import("./draw_process.js").Parts} Parts
 *
 * @typedef {object} GroupPicture
 * @property {SVGSVGElement} svg
 * @property {Element} box
 * @property {Element} boxTitle
 * @property {Element} moreClients how many there is no room for
 * @property {Element} nodes
 * @property {Map<Process, Parts>} drawn
 * @property {Map<Process, Place>} places of those that are shown
 */
import { chooseShown, processesOf, tellMore } from "./crowd.js";
import { suspendedIn } from "./deeds.js";
import { createParts, drawProcess } from "./draw_process.js";
import { isUnsure } from "./group_list.js";
import { goneOf } from "./lives.js";
import { omittingAt } from "./omissions.js";
import { areaOf, placeAll, roomForClients } from "./places.js";
import { byOwnName } from "./receiver_names.js";
import { draw, set, write } from "./svg.js";
import { text } from "./text.js";

const GONE_SHOWN_MS = 60_000;
const CLIENT_SHOWN_MS = 60_000;

/** @param {SVGSVGElement} svg @returns {GroupPicture} */
export function createGroupPicture(svg) {
  return {
    svg,
    box: draw(svg, "rect", { class: "box", rx: 14 }),
    boxTitle: draw(svg, "text", { class: "box-title" }),
    moreClients: draw(svg, "text", { class: "note" }),
    nodes: draw(svg, "g"),
    drawn: new Map(),
    places: new Map(),
  };
}

/**
 * Draws who is there. @param {GroupPicture} picture @param {Model} model
 * @param {{ now: number, clientOnly: boolean }} view @returns how many they are
 */
export function drawGroup(picture, model, { now, clientOnly }) {
  const { svg, box, boxTitle, moreClients, drawn } = picture;
  const { width, height } = svg.getBoundingClientRect();
  set(svg, { viewBox: `0 0 ${Math.max(1, width)} ${Math.max(1, height)}` });
  const size = { width, height };
  const shown = whoIsShown(model, now, roomForClients(size));
  picture.places = placeAll(shown, size);
  const area = areaOf(size);
  set(box, area);
  set(boxTitle, { x: area.x + 12, y: area.y + 22 });
  write(boxTitle, `${text("receivers")} ${tellMore(shown.moreReceivers)}`.trim());
  set(moreClients, { x: area.x / 2, y: height - 6 });
  write(moreClients, tellMore(shown.moreClients));
  removeOthers(picture);
  const [silent, suspended] = clientOnly
    ? [new Set(), new Set()]
    : [omittingAt(model, now), suspendedIn(model)];
  for (const [process, place] of picture.places) {
    const parts = drawn.get(process) ?? createParts(picture.nodes, process);
    drawn.set(process, parts);
    const isSilent = silent.has(process);
    const standing = suspended.has(process.name) ? "suspended" : isSilent ? "silent" : undefined;
    drawProcess(parts, process, place, { model, now, clientOnly, standing });
  }
  const receivers = here(shown.receivers).length;
  return {
    clients: shown.clients.length + shown.moreClients,
    receivers: receivers + shown.moreReceivers,
    gone: shown.receivers.length - receivers,
  };
}

/** @param {Model} model @param {number} now @param {number} maxClients */
function whoIsShown(model, now, maxClients) {
  const all = processesOf(model);
  const isShown = (/** @type {Process} */ process) => {
    const gone = goneOf(process);
    if (gone) return now - gone.at < GONE_SHOWN_MS;
    return !isUnsure(process) || now - process.lastAt < CLIENT_SHOWN_MS;
  };
  const allClients = all.filter((process) => process.role === "client" && isShown(process));
  const allReceivers = all.filter((process) => process.role === "receiver" && isShown(process));
  const clients = chooseShown(model, allClients, maxClients).slice(-maxClients);
  const receivers = chooseShown(model, allReceivers).toSorted(byOwnName);
  const { crowd } = model;
  return {
    clients,
    discovery: all.find(({ role }) => role === "discovery"),
    receivers,
    moreClients: crowd.clients.size && crowd.clients.size + allClients.length - clients.length,
    moreReceivers: crowd.receivers.size + here(allReceivers).length - here(receivers).length,
  };
}

/** @param {Process[]} receivers */
function here(receivers) {
  return receivers.filter((process) => !goneOf(process));
}

/** @param {GroupPicture} picture */
function removeOthers({ drawn, places }) {
  for (const [process, { element }] of drawn) {
    if (places.has(process)) continue;
    element.remove();
    drawn.delete(process);
  }
}
