/**
 * One process in the picture of the group: its shape and texts, the dots of a client's members, the ring of a
 * receiver's lease. group.js calls it for each that is shown.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./places.js").Place} Place
 * @typedef {ReturnType<typeof createParts>} Parts
 * @typedef {{ model: Model, now: number, clientOnly: boolean }} View
 */
import { drawMembers } from "./members.js";
import { beginningOf, printable, shortName } from "./short_names.js";
import { draw, set, write } from "./svg.js";
import { text } from "./text.js";

/** The elements of a process. @param {Element} parent @param {Process} process */
export function createParts(parent, { role }) {
  const element = draw(parent, "g");
  return {
    element,
    ring: draw(element, "circle", { class: "ring" }),
    shape: draw(element, role === "client" ? "circle" : "polygon", { class: "shape" }),
    label: draw(element, "text", { class: "label" }),
    note: draw(element, "text", { class: "note" }),
    members: draw(element, "g", { class: "members" }),
    title: draw(element, "title"),
  };
}

/** @param {Parts} parts @param {Process} process @param {Place} place @param {View} view */
export function drawProcess(parts, process, place, view) {
  const { role, name, id = "", address = "" } = process;
  const gone = view.clientOnly ? undefined : process.gone;
  set(parts.element, {
    class: `${role}${gone ? " gone" : ""}`,
    "data-process": name,
    "data-id": id,
  });
  write(parts.title, printable(`${name} ${id} ${address}`));
  if (role === "client") drawClient(parts, process, place, view.model);
  else if (role === "discovery") drawDiscovery(parts, place);
  else {
    drawReceiver(parts, process, place, gone);
    drawRing(parts.ring, process, place, view);
  }
}

/** @param {Parts} parts @param {Process} process @param {Place} place @param {Model} model */
function drawClient({ shape, label, members }, { name }, { x, y, r }, model) {
  set(shape, { cx: x, cy: y, r });
  set(label, { x, y: y + r + 18 });
  write(label, x < 70 ? shortName(name) : beginningOf(name, 15));
  drawMembers(members, name, { x, y: y + r + 26 }, model);
}

/** @param {Parts} parts @param {Place} place */
function drawDiscovery({ shape, label }, { x, y }) {
  set(shape, { points: `${x - 54},${y - 26} ${x + 54},${y - 26} ${x + 76},${y + 26} ${x - 76},${y + 26}` });
  set(label, { x, y: y + 6 });
  write(label, text("discovery"));
}

/** Small ones have no texts. @param {Parts} parts @param {Process} process @param {Place} place @param {Process["gone"]} gone */
function drawReceiver({ shape, label, note }, process, { x, y, r, room }, gone) {
  set(shape, { points: hexagon(x, y, r) });
  set(label, { x, y: y + 5 });
  write(label, r < 24 ? "" : beginningOf(process.id ?? process.name, r < 40 ? 4 : 8));
  set(note, { x, y: y + r + (r < 24 ? 8 : 24) });
  if (gone) write(note, r < 12 ? "✕" : text(gone.how));
  else write(note, r < 30 ? "" : printable(addressOf(process, room)));
}

/** @param {number} x @param {number} y @param {number} r */
function hexagon(x, y, r) {
  const corner = (/** @type {number} */ n) => {
    const angle = (Math.PI / 3) * n;
    return `${(x + r * Math.cos(angle)).toFixed(1)},${(y + r * Math.sin(angle)).toFixed(1)}`;
  };
  return [0, 1, 2, 3, 4, 5].map(corner).join(" ");
}

/** @param {Process} process @param {number} room */
function addressOf({ address = "" }, room) {
  return address.length * 7.4 < room ? address : address.slice(address.lastIndexOf(":"));
}

/** How much of its lease is left. @param {Element} ring @param {Process} process @param {Place} place @param {View} view */
function drawRing(ring, { gone, leaseFrom, lease }, { x, y, r }, { now, clientOnly }) {
  const isShown = !clientOnly && !gone && leaseFrom !== undefined;
  const left = Math.max(0, Math.min(1, 1 - (now - (leaseFrom ?? 0)) / lease));
  const radius = r + Math.max(2.5, r * 0.14);
  const round = 2 * Math.PI * radius;
  set(ring, {
    cx: x.toFixed(1),
    cy: y.toFixed(1),
    r: radius.toFixed(1),
    "stroke-width": Math.max(2, r * 0.14).toFixed(1),
    "stroke-dasharray": `${(round * left).toFixed(1)} ${round.toFixed(1)}`,
    transform: `rotate(-90 ${x.toFixed(1)} ${y.toFixed(1)})`,
    "data-left": left.toFixed(2),
    class: isShown ? `ring${left < 0.34 ? " low" : ""}` : "ring none",
  });
}
