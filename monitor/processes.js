/**
 * Who is there: what the events, and discovery's own list, say of the processes. model.js calls it for each
 * event, live.js for each list.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").TraceEvent} TraceEvent
 */
import {
  forgetCrowd,
  joinCrowd,
  leaveCrowd,
  MAX_PROCESSES,
  makeRoom,
  processesOf,
  takingPart,
} from "./crowd.js";

const MAX_HEARTBEATS = 4000;
const LEASE_MS = 30_000; // until an event tells
const FORGET_AFTER_MS = 300_000; // a process that is gone

/** What a receiver tells. All else is told by a client, or by discovery in its own name. */
const RECEIVER_EVENTS = new Set(["joined", "left", "received", "fault", "processed", "acked"]);

/** Of whoever tells the event. @param {TraceEvent} event @returns {Process["role"]} */
export function roleOf({ process, event }) {
  if (process === "discovery") return "discovery";
  return RECEIVER_EVENTS.has(event) ? "receiver" : "client";
}

/** Whoever tells an event is there. @param {Model} model @param {TraceEvent} event */
export function meet(model, event) {
  const role = roleOf(event);
  if (role === "receiver") identify(model, event);
  else processNamed(model, event.process, role, event.at);
}

/** @param {Model} model @param {string} name @param {Process["role"]} role @param {number} at */
function processNamed(model, name, role, at) {
  const { byName } = model;
  let process = byName.get(name);
  if (!process) {
    process = { name, role, firstAt: at, lastAt: at, lease: LEASE_MS };
    byName.set(name, process);
    leaveCrowd(model, name);
  }
  process.firstAt = Math.min(process.firstAt, at);
  process.lastAt = Math.max(process.lastAt, at);
  return process;
}

/** The receiver with an id; its own name may be learned later. @param {Model} model @param {string} id @param {number} at */
function receiverWith(model, id, at) {
  const { byId } = model;
  let process = byId.get(id);
  if (!process) {
    process = { name: id, role: "receiver", id, firstAt: at, lastAt: at, lease: LEASE_MS };
    byId.set(id, process);
    leaveCrowd(model, id);
  }
  return process;
}

/** The receiver that tells an event, which has this id from now on. @param {Model} model @param {TraceEvent} event */
function identify(model, { process: name, receiver: id, at }) {
  const { byId } = model;
  const process = processNamed(model, name, "receiver", at);
  if (!id || id === process.id || byId.get(id) === process) return process;
  const before = byId.get(id);
  process.leaseFrom = before?.leaseFrom ?? at;
  process.lease = before?.lease ?? process.lease;
  process.address ??= before?.address;
  process.listed = before?.listed ?? false;
  if (before?.gone) process.gone = before.gone;
  else delete process.gone;
  process.id = id;
  byId.set(id, process);
  leaveCrowd(model, id);
  return process;
}

/** @param {Model} model @param {TraceEvent} event */
export function applyToGroup(model, event) {
  const { at, receiver, note } = event;
  const isDiscovery = event.process === "discovery" && receiver;
  const process = isDiscovery ? receiverWith(model, receiver, at) : identify(model, event);
  process.lastAt = Math.max(process.lastAt, at);
  switch (event.event) {
    case "joined":
    case "registered":
      process.joinedAt = at;
      process.address = note ?? process.address;
      process.lease = event.lease ?? process.lease;
      process.leaseFrom = Math.max(at, process.leaseFrom ?? 0);
      if (process.gone && process.gone.at <= at) delete process.gone;
      break;
    case "heartbeat":
      process.leaseFrom = Math.max(at, process.leaseFrom ?? 0);
      process.lease = event.lease ?? process.lease;
      model.heartbeats.push({ at, receiver: receiver ?? "" });
      if (model.heartbeats.length > MAX_HEARTBEATS * 1.2)
        model.heartbeats = model.heartbeats.slice(-MAX_HEARTBEATS);
      break;
    case "left":
    case "expired":
    case "replaced":
      // An old id of a process that is back with a new one says nothing about the process.
      // What the list only let us guess, the event knows.
      if (process.id === receiver) process.gone = { at: process.gone?.at ?? at, how: event.event };
      break;
  }
}

/**
 * Takes discovery's own list, for those who send no events.
 * @param {Model} model @param {{ id: string, host: string, port: number, last_seen: number }[]} list
 * @param {number} now
 */
export function applyList(model, list, now) {
  const here = new Set();
  const wanted = takingPart(model);
  let room = MAX_PROCESSES - processesOf(model).filter(({ listed }) => listed).length;
  for (const { id, host, port, last_seen } of list) {
    if (!model.byId.has(id) && !wanted.has(id) && --room < 0) {
      joinCrowd(model, "receiver", id, now);
      continue;
    }
    const process = receiverWith(model, id, last_seen * 1000);
    here.add(process);
    process.address = `${host}:${port}`;
    process.leaseFrom = Math.max(process.leaseFrom ?? 0, last_seen * 1000);
    process.listed = true;
    delete process.gone;
  }
  for (const process of model.byId.values()) {
    const isOver = now - (process.leaseFrom ?? 0) >= process.lease;
    if (process.listed && !here.has(process)) process.gone ??= { at: now, how: isOver ? "expired" : "left" };
    process.listed = here.has(process);
  }
  makeRoom(model);
}

/** Forgets processes that have been gone for a while. @param {Model} model @param {number} now */
export function forgetGone(model, now) {
  const { byId, byName } = model;
  forgetCrowd(model, now);
  const isOld = (/** @type {Process} */ { gone }) => gone !== undefined && now - gone.at > FORGET_AFTER_MS;
  for (const [id, process] of byId) if (isOld(process)) byId.delete(id);
  for (const [name, process] of byName) {
    const silent = process.role === "client" && now - process.lastAt > FORGET_AFTER_MS;
    if (silent || isOld(process)) byName.delete(name);
  }
}
