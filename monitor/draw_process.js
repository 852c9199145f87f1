/**
 * One process in the picture of the group: its shape and texts, the dots of a client's members, the ring of a
 * receiver's lease. group.js calls it for each that is shown.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./places.js").Place} Place
 * @typedef {ReturnType<typeof createParts>} Parts
 * @typedef {{ model: Model, now: number, clientOnly: boolean, standing: "silent" | "suspended" | undefined }} View `standing`: alive, but it did not answer, or was suspended
 */
import { expiriesOf, goneOf } from "./lives.js";
import { drawMembers, tellMajority } from "./members.js";
import { ownName } from "./receiver_names.js";
import { beginningOf, printable, shortName } from "./short_names.js";
import { draw, set, write } from "./svg.js";
import { text } from "./text.js";

const WIDE_WORDS = 140; // pixels
const LETTER = 9; // of the words below a receiver, how wide one is at most

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
  const gone = view.clientOnly ? undefined : goneOf(process);
  set(parts.element, {
    class: [role, ...(gone ? ["gone", gone.how] : [view.standing])].filter(Boolean).join(" "),
    "data-process": name,
    "data-id": id,
  });
  write(parts.title, printable(`${name} ${id} ${address}`));
  const words = gone ? tellEnd(process, gone) : tellStanding(view.standing, place.room);
  if (role === "client") drawClient(parts, process, place, { model: view.model, words });
  else if (role === "discovery") drawDiscovery(parts, place, words);
  else {
    drawReceiver(parts, process, place, words);
    drawRing(parts.ring, process, place, view);
  }
}

/** @param {View["standing"]} standing @param {number} room */
function tellStanding(standing, room) {
  if (standing === "silent") return text(room < WIDE_WORDS ? "omission" : "aliveSilent");
  return standing ? text(standing) : "";
}

/** @param {Process} process @param {{ at: number, how: import("./lives.js").How }} gone */
function tellEnd(process, { at, how }) {
  const isOffTheList = expiriesOf(process).some((expiredAt) => expiredAt > at);
  return isOffTheList ? `${text(how)}, ${text("expired")}` : text(how);
}

/** @param {Parts} parts @param {Process} process @param {Place} place @param {{ model: Model, words: string }} what */
function drawClient({ shape, label, note, members }, { name }, { x, y, r }, { model, words }) {
  set(shape, { cx: x, cy: y, r });
  set(label, { x, y: y + r + 18 });
  write(label, x < 70 ? shortName(name) : beginningOf(name, 15));
  const height = drawMembers(members, name, { x, y: y + r + 26 }, model);
  const isWide = r > 30 && x > 70; // then there is room below the dots
  set(note, { x, y: words || !isWide ? y + 5 : y + r + 44 + height });
  write(note, words || tellMajority(name, model, isWide));
}

/** @param {Parts} parts @param {Place} place @param {string} words */
function drawDiscovery({ shape, label, note }, { x, y }, words) {
  set(shape, { points: `${x - 54},${y - 26} ${x + 54},${y - 26} ${x + 76},${y + 26} ${x - 76},${y + 26}` });
  set(label, { x, y: words ? y - 3 : y + 6 });
  write(label, text("discovery"));
  set(note, { x, y: y + 17 });
  write(note, words);
}

/** Small ones have no texts. @param {Parts} parts @param {Process} process @param {Place} place @param {string} words */
function drawReceiver({ shape, label, note }, process, { x, y, r, room }, words) {
  set(shape, { points: hexagon(x, y, r) });
  set(label, { x, y: y + 5, class: r < 24 ? "label small" : "label" });
  write(label, r < 15 ? "" : beginningOf(process.id ?? process.name, r < 40 ? 4 : 8));
  set(note, { x, y: y + r + (r < 24 ? 8 : 24) });
  squeeze(note, words, room);
  if (words) write(note, r < 12 ? "✕" : words);
  else
    write(
      note,
      r < 30 ? "" : printable(ownName(process).slice(0, room / LETTER) || addressOf(process, room)),
    );
}

/** Words that are too wide stay in their room. @param {Element} note @param {string} words @param {number} room */
function squeeze(note, words, room) {
  if (words.length * LETTER > room) set(note, { textLength: room - 4, lengthAdjust: "spacingAndGlyphs" });
  else note.removeAttribute("textLength");
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
function drawRing(ring, process, { x, y, r }, { now, clientOnly }) {
  const { leaseFrom, lease } = process;
  const isShown = !clientOnly && !goneOf(process) && leaseFrom !== undefined;
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
