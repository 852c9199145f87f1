/**
 * Where each process stands in the picture of the group: clients at the left, one below the other, discovery
 * above, receivers in a box, in rows. group.js calls it.
 *
 * @typedef {import("./model.js").Process} Process
 * @typedef {{ x: number, y: number, r: number, room: number }} Place `room`: how wide its texts may be
 * @typedef {{ width: number, height: number }} Size of the picture
 */

const LOW = 200; // a picture of less height, as with the story open, has discovery above the clients: the box needs its height
const MAX_CLIENTS = 6;
const CLIENT_ROOM = 78; // with its name and the dots of its members
const MORE_ROOM = 22; // for a line that says how many more there are
const DISCOVERY_ROOM = 62;
const [WIDTH_OF_R, HEIGHT_OF_R] = [2.75, 3.1]; // what a receiver takes, with its ring and note, by its radius

/** How many clients there is room for. @param {Size} size */
export function roomForClients(size) {
  return Math.max(1, Math.min(MAX_CLIENTS, Math.floor((size.height - aboveClients(size)) / CLIENT_ROOM)));
}

/** @param {Size} size */
function aboveClients({ height }) {
  return height < LOW ? DISCOVERY_ROOM : 0;
}

/** @param {Size} size */
function leftOf({ width }) {
  return Math.min(190, width * 0.3);
}

/** Of the receivers' box. @param {Size} size */
export function areaOf(size) {
  const x = leftOf(size);
  const y = size.height < LOW ? 4 : 78;
  return { x, y, width: size.width - x - 8, height: size.height - y - 8 };
}

/**
 * @param {{ clients: Process[], moreClients: number, discovery: Process | undefined, receivers: Process[] }} shown
 * @param {Size} size
 * @returns {Map<Process, Place>}
 */
export function placeAll({ clients, moreClients, discovery, receivers }, size) {
  /** @type {Map<Process, Place>} */
  const places = new Map();
  const left = leftOf(size);
  const top = aboveClients(size);
  const step = (size.height - top - (moreClients > 0 ? MORE_ROOM : 0)) / clients.length;
  const [above, radius] = top > 0 ? [0.22, 0.2] : [0.42, 0.24]; // of a step
  clients.forEach((client, index) => {
    const y = top + step * (index + above);
    places.set(client, { x: left / 2, y, r: Math.min(34, step * radius), room: left });
  });
  const middle = top > 0 ? left / 2 : left + (size.width - left) / 2;
  if (discovery) places.set(discovery, { x: middle, y: 34, r: 30, room: 130 });
  placeReceivers(places, receivers, areaOf(size));
  return places;
}

/** @param {Map<Process, Place>} places @param {Process[]} receivers @param {Size & { x: number, y: number }} area */
function placeReceivers(places, receivers, area) {
  const inner = { x: area.x + 6, y: area.y + 30, width: area.width - 12, height: area.height - 36 };
  const columns = bestColumns(receivers.length, inner);
  const rows = Math.max(1, Math.ceil(receivers.length / columns));
  const cell = { width: inner.width / columns, height: inner.height / rows };
  const r = Math.max(4, Math.min(44, cell.width / WIDTH_OF_R, cell.height / HEIGHT_OF_R));
  receivers.forEach((receiver, index) => {
    const x = inner.x + ((index % columns) + 0.5) * cell.width;
    const y = inner.y + (Math.floor(index / columns) + 0.46) * cell.height;
    places.set(receiver, { x, y, r, room: cell.width });
  });
}

/** Of all numbers of columns, the one that leaves most room for each. @param {number} count @param {Size} size */
function bestColumns(count, { width, height }) {
  let best = 1;
  let bestSize = 0;
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const size = Math.min(width / columns / WIDTH_OF_R, height / rows / HEIGHT_OF_R);
    if (size > bestSize) [best, bestSize] = [columns, size];
  }
  return best;
}
