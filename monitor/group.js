/**
 * The picture of the group: an orange circle for each client, a purple trapezoid for discovery, yellow
 * hexagons in a grey box for the receivers, as in the assignment's drawings. Each receiver has a ring that
 * shrinks as its lease runs out, and snaps back at each heartbeat.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").Attempt} Attempt
 * @typedef {{ x: number, y: number, r: number, room: number }} Place `room`: how wide its texts may be
 */
import { stateOf } from "./attempt_state.js";
import { attemptsOf } from "./attempts.js";
import { processesOf } from "./processes.js";
import { short, shortName } from "./short_names.js";
import { text } from "./text.js";

const NS = "http://www.w3.org/2000/svg";
const GONE_SHOWN_MS = 60_000;
const CLIENT_SHOWN_MS = 60_000;
const MAX_CLIENTS = 6;
const CLIENT_ROOM = 78; // with its name and the dots of its members

/** @param {Element} parent @param {string} name @param {Record<string, string | number>} [attributes] */
export function draw(parent, name, attributes = {}) {
  const element = document.createElementNS(NS, name);
  set(element, attributes);
  parent.append(element);
  return element;
}

/** @param {Element} element @param {Record<string, string | number>} attributes */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const wanted = String(value);
    if (element.getAttribute(name) !== wanted) element.setAttribute(name, wanted);
  }
}

/** @param {number} x @param {number} y @param {number} r */
function hexagon(x, y, r) {
  const corner = (/** @type {number} */ n) => {
    const angle = (Math.PI / 3) * n;
    return `${(x + r * Math.cos(angle)).toFixed(1)},${(y + r * Math.sin(angle)).toFixed(1)}`;
  };
  return [0, 1, 2, 3, 4, 5].map(corner).join(" ");
}

/** @param {SVGSVGElement} svg */
export function createGroupPicture(svg) {
  const box = draw(svg, "rect", { class: "box", rx: 14 });
  const boxTitle = draw(svg, "text", { class: "box-title" });
  const nodes = draw(svg, "g");
  /** @type {Map<Process, { element: Element, parts: Record<string, Element> }>} */
  const drawn = new Map();
  /** @type {Map<Process, Place>} */
  let places = new Map();

  /** @param {Process} process */
  function elementsOf(process) {
    let node = drawn.get(process);
    if (node) return node;
    const element = draw(nodes, "g", { class: process.role });
    const parts = {
      ring: draw(element, "circle", { class: "ring" }),
      shape: draw(element, process.role === "client" ? "circle" : "polygon", { class: "shape" }),
      label: draw(element, "text", { class: "label" }),
      note: draw(element, "text", { class: "note" }),
      members: draw(element, "g", { class: "members" }),
      title: draw(element, "title"),
    };
    node = { element, parts };
    drawn.set(process, node);
    return node;
  }

  /**
   * Who is shown, and where. @param {Model} model @param {number} now @param {boolean} clientOnly
   */
  function arrange(model, now, clientOnly) {
    const { width, height } = svg.getBoundingClientRect();
    set(svg, { viewBox: `0 0 ${Math.max(1, width)} ${Math.max(1, height)}` });
    const all = processesOf(model);
    const clients = all
      .filter(({ role, lastAt }) => role === "client" && now - lastAt < CLIENT_SHOWN_MS)
      .slice(-Math.max(1, Math.min(MAX_CLIENTS, Math.floor(height / CLIENT_ROOM))));
    const discovery = all.find(({ role }) => role === "discovery");
    const receivers = all.filter(
      ({ role, gone }) => role === "receiver" && (!gone || now - gone.at < GONE_SHOWN_MS),
    );
    places = new Map();

    const left = Math.min(190, width * 0.3);
    const step = height / clients.length;
    clients.forEach((client, index) => {
      places.set(client, { x: left / 2, y: step * (index + 0.42), r: Math.min(34, step * 0.24), room: left });
    });
    if (discovery) places.set(discovery, { x: left + (width - left) / 2, y: 34, r: 30, room: 130 });

    const area = { x: left, y: 78, width: width - left - 8, height: height - 86 };
    set(box, area);
    set(boxTitle, { x: area.x + 12, y: area.y + 22 });
    boxTitle.textContent = text("receivers");
    const inner = { x: area.x + 6, y: area.y + 30, width: area.width - 12, height: area.height - 36 };
    const columns = bestColumns(receivers.length, inner.width, inner.height);
    const rows = Math.max(1, Math.ceil(receivers.length / columns));
    const cell = { width: inner.width / columns, height: inner.height / rows };
    const r = Math.max(4, Math.min(44, cell.width / 2.75, cell.height / 3.1));
    receivers.forEach((receiver, index) => {
      const column = index % columns;
      const row = Math.floor(index / columns);
      places.set(receiver, {
        x: inner.x + (column + 0.5) * cell.width,
        y: inner.y + (row + 0.46) * cell.height,
        r,
        room: cell.width,
      });
    });

    for (const [process, { element }] of drawn) {
      if (places.has(process)) continue;
      element.remove();
      drawn.delete(process);
    }
    for (const [process, place] of places) drawProcess(process, place, model, clientOnly);
    const here = receivers.filter(({ gone }) => !gone).length;
    return { clients: clients.length, receivers: here, gone: receivers.length - here };
  }

  /** @param {Process} process @param {Place} place @param {Model} model @param {boolean} clientOnly */
  function drawProcess(process, { x, y, r, room }, model, clientOnly) {
    const { element, parts } = elementsOf(process);
    const { shape, label, note, title, members } = /** @type {Record<string, Element>} */ (parts);
    if (!shape || !label || !note || !title || !members) return;
    const gone = process.gone && !clientOnly ? process.gone : undefined;
    set(element, {
      class: `${process.role}${gone ? " gone" : ""}`,
      "data-process": process.name,
      "data-id": process.id ?? "",
    });
    title.textContent = `${process.name} ${process.id ?? ""} ${process.address ?? ""}`;
    if (process.role === "client") {
      set(shape, { cx: x, cy: y, r });
      set(label, { x, y: y + r + 18 });
      label.textContent = x < 70 ? shortName(process.name) : process.name.slice(0, 15);
      drawMembers(members, process, { x, y: y + r + 26 }, model);
    } else if (process.role === "discovery") {
      set(shape, {
        points: `${x - 54},${y - 26} ${x + 54},${y - 26} ${x + 76},${y + 26} ${x - 76},${y + 26}`,
      });
      set(label, { x, y: y + 6 });
      label.textContent = text("discovery");
    } else {
      set(shape, { points: hexagon(x, y, r) });
      set(label, { x, y: y + 5 });
      label.textContent = r < 24 ? "" : short(process.id ?? process.name).slice(0, r < 40 ? 4 : 8);
      set(note, { x, y: y + r + (r < 24 ? 8 : 24) });
      note.textContent = gone ? (r < 12 ? "✕" : text(gone.how)) : r < 30 ? "" : addressOf(process, room);
    }
  }

  /**
   * Of the last send to the group, a dot for each member: solid acked, grey awaited, hollow missing.
   * @param {Element} parent @param {Process} client @param {{ x: number, y: number }} place @param {Model} model
   */
  function drawMembers(parent, client, { x, y }, model) {
    const last = model.attempts.findLast((attempt) => attempt.client === client.name);
    /** @type {Map<string, Attempt>} */
    const members = new Map();
    for (const attempt of last ? attemptsOf(model, last.message) : []) members.set(attempt.receiver, attempt);
    const shown = members.size > 1 ? [...members.values()].slice(0, 240) : [];
    const columns = shown.length > 60 ? 20 : 10;
    const step = shown.length > 60 ? 7 : 14;
    while (parent.childElementCount > shown.length) parent.lastElementChild?.remove();
    shown.forEach((attempt, index) => {
      const dot = parent.children[index] ?? draw(parent, "circle");
      const state = stateOf(attempt);
      const isMissing = attempt.gaveUp !== undefined && state !== "acked";
      const rowLength = Math.min(columns, shown.length);
      const cx = x + ((index % columns) - (rowLength - 1) / 2) * step;
      const cy = y + 6 + Math.floor(index / columns) * step;
      set(dot, {
        cx,
        cy,
        r: step / 2 - 1.5,
        class: state === "acked" ? "acked" : isMissing ? "missing" : "awaited",
      });
    });
  }

  /** The rings, which change all the time. @param {number} now @param {boolean} clientOnly */
  function drawRings(now, clientOnly) {
    for (const [process, { x, y, r }] of places) {
      const ring = drawn.get(process)?.parts.ring;
      if (process.role !== "receiver" || !ring) continue;
      const isShown = !clientOnly && !process.gone && process.leaseFrom !== undefined;
      const left = Math.max(0, Math.min(1, 1 - (now - (process.leaseFrom ?? 0)) / process.lease));
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
  }

  return {
    arrange,
    drawRings,
    placeOf: (/** @type {Process | undefined} */ process) => process && places.get(process),
  };
}

/** @param {Process} process @param {number} room */
function addressOf({ address = "" }, room) {
  return address.length * 7.4 < room ? address : address.slice(address.lastIndexOf(":"));
}

/** Of all numbers of columns, the one that leaves most room for each. @param {number} count @param {number} width @param {number} height */
function bestColumns(count, width, height) {
  let best = 1;
  let bestSize = 0;
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const size = Math.min(width / columns / 2.75, height / rows / 3.1);
    if (size > bestSize) [best, bestSize] = [columns, size];
  }
  return best;
}
