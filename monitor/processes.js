/**
 * Who is there: what the events say of the processes. model.js calls it for each event; what discovery's own list
 * says is in group_list.js.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").TraceEvent} TraceEvent
 */
import { leaveCrowd } from "./crowd.js";
import { addId, beginLife, born, endLife, goneOf, takeOver, wasThere } from "./lives.js";

const MAX_HEARTBEATS = 4000;
const LEASE_MS = 30_000; // until an event tells

/**
 * Of whoever tells the event. @param {Pick<Model, "names">} model @param {TraceEvent} event
 * @returns {Process["role"] | "monitor"}
 */
export function roleOf({ names }, { process, event }) {
  if (process === "discovery") return "discovery";
  if (names.receiver.includes(event)) return "receiver";
  return names.monitor.includes(event) ? "monitor" : "client";
}

/** Whoever tells an event is there; the monitor is no process of the group. @param {Model} model @param {TraceEvent} event @param {ReturnType<typeof roleOf>} role */
export function meet(model, event, role) {
  if (role === "monitor") return;
  if (role === "receiver") return void identify(model, event);
  const process = processNamed(model, event.process, role, event.at);
  const gone = goneOf(process);
  if (gone && gone.at < event.at && event.event !== "stopped") beginLife(process, event.at);
}

/** @param {Model} model @param {string} name @param {Process["role"]} role @param {number} at */
export function processNamed(model, name, role, at) {
  const { byName } = model;
  let process = byName.get(name);
  if (!process) {
    process = { name, role, ...born(at), lastAt: at, lease: LEASE_MS };
    byName.set(name, process);
    leaveCrowd(model, name);
  }
  wasThere(process, at);
  process.lastAt = Math.max(process.lastAt, at);
  return process;
}

/** The receiver with an id; its own name may be learned later. @param {Model} model @param {string} id @param {number} at */
export function receiverWith(model, id, at) {
  const { byId } = model;
  let process = byId.get(id);
  if (!process) {
    process = { name: id, role: "receiver", ...born(at), lastAt: at, lease: LEASE_MS };
    addId(process, id, at);
    byId.set(id, process);
    leaveCrowd(model, id);
  }
  return process;
}

/** The receiver that tells an event, which has this id from now on. @param {Model} model @param {TraceEvent} event */
function identify(model, { process: name, receiver: id, at, event }) {
  const { byId } = model;
  const process = processNamed(model, name, "receiver", at);
  const before = byId.get(id ?? "");
  if (!id || before === process) return process;
  const isAnew = process.id !== undefined;
  if (isAnew) model.oldIds += 1;
  const dropped = addId(process, id, at);
  if (dropped && byId.delete(dropped)) model.oldIds -= 1;
  process.leaseFrom = before?.leaseFrom ?? at;
  process.lease = before?.lease ?? process.lease;
  process.address ??= before?.address;
  process.listed = before?.listed ?? false;
  if (isAnew && event !== "left") beginLife(process, at);
  if (before && before.name === id) takeOver(process, before); // it was only known by its id
  byId.set(id, process);
  leaveCrowd(model, id);
  return process;
}

/** What an event says of who is in the group. @param {Model} model @param {TraceEvent} event @param {ReturnType<typeof roleOf>} role */
export function applyToGroup(model, event, role) {
  const { at, receiver, from, fault } = event;
  switch (event.event) {
    case "registered":
    case "joined":
      return join(aboutReceiver(model, event, role), event);
    case "heartbeat":
      return beat(model, aboutReceiver(model, event, role), event);
    case "left":
    case "expired":
    case "replaced":
      return endLife(aboutReceiver(model, event, role), { at, how: event.event, id: receiver });
    case "fault":
      if (role === "receiver" && fault === "exit")
        endLife(aboutReceiver(model, event, role), { at, how: "crashed", id: receiver });
      return;
    case "started":
    case "stopped":
      return turn(model.byName.get(event.process), event);
    case "unreachable":
    case "reachable":
      if (role !== "monitor") return;
      return turn(
        from === "discovery" ? processNamed(model, from, from, at) : model.byName.get(from ?? ""),
        event,
      );
  }
}

/** @param {Model} model @param {TraceEvent} event @param {ReturnType<typeof roleOf>} role */
function aboutReceiver(model, event, role) {
  const { receiver, at } = event;
  const process =
    role === "discovery" && receiver ? receiverWith(model, receiver, at) : identify(model, event);
  process.lastAt = Math.max(process.lastAt, at);
  return process;
}

/** @param {Process} process @param {TraceEvent} event */
function join(process, { at, receiver, note, lease }) {
  process.joinedAt = at;
  process.address = note ?? process.address;
  process.lease = lease ?? process.lease;
  process.leaseFrom = Math.max(at, process.leaseFrom ?? 0);
  if (receiver) addId(process, receiver, at);
  beginLife(process, at);
}

/** @param {Model} model @param {Process} process @param {TraceEvent} event */
function beat(model, process, { at, receiver = "", lease }) {
  process.leaseFrom = Math.max(at, process.leaseFrom ?? 0);
  process.lease = lease ?? process.lease;
  model.heartbeats.push({ at, receiver });
  if (model.heartbeats.length > MAX_HEARTBEATS * 1.2)
    model.heartbeats = model.heartbeats.slice(-MAX_HEARTBEATS);
}

/** Of a client or discovery. @param {Process | undefined} process @param {TraceEvent} event */
function turn(process, { event, at }) {
  if (!process) return;
  if (event === "stopped" || event === "unreachable") endLife(process, { at, how: event });
  else beginLife(process, at);
}
