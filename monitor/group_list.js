/**
 * Who is there by what the monitor says: discovery's own list, for those who send no events, and the clients that
 * it hears. live.js tells it each list.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 */
import {
  countOldIds,
  forgetCrowd,
  joinCrowd,
  MAX_PROCESSES,
  makeRoom,
  processesOf,
  takingPart,
} from "./crowd.js";
import { beginLife, dropGuesses, endLife, goneOf } from "./lives.js";
import { processNamed, receiverWith } from "./processes.js";

const FORGET_AFTER_MS = 300_000; // a process that is gone

/**
 * Takes discovery's own list.
 * @param {Model} model @param {{ id: string, host: string, port: number, last_seen: number }[]} list
 * @param {number} now
 */
export function applyList(model, list, now) {
  model.version += 1;
  const here = new Set();
  const wanted = takingPart(model);
  let room = MAX_PROCESSES - processesOf(model).filter(({ listed }) => listed).length;
  for (const { id, host, port, last_seen } of list) {
    if (!model.byId.has(id) && !wanted.has(id) && --room < 0) {
      joinCrowd(model, "receiver", id, now);
      continue;
    }
    const seenAt = last_seen * 1000;
    const process = receiverWith(model, id, seenAt);
    if (process.id !== id) continue; // it has a new one
    here.add(process);
    process.address = `${host}:${port}`;
    process.leaseFrom = Math.max(process.leaseFrom ?? 0, seenAt);
    dropGuesses(process, id);
    if (seenAt > (goneOf(process)?.at ?? Number.POSITIVE_INFINITY)) beginLife(process, seenAt);
  }
  const begun = discoveryBegan(model);
  for (const process of new Set(model.byId.values())) {
    const isMissed = process.listed && !here.has(process) && !mayComeYet(process, begun, now);
    if (isMissed) missed(process, now);
    process.listed = here.has(process) || (process.listed === true && !isMissed);
  }
  makeRoom(model);
}

/** @param {Model} model */
function discoveryBegan({ byName }) {
  return byName.get("discovery")?.lives.at(-1)?.from ?? 0;
}

/**
 * A discovery that began anew knows nobody until each has registered anew, for which it has a lease.
 * @param {Process} process @param {number} begun @param {number} now
 */
function mayComeYet({ leaseFrom = 0, lease }, begun, now) {
  return leaseFrom < begun && now - begun < lease;
}

/** It was in the list, and is no longer. @param {Process} process @param {number} at */
function missed(process, at) {
  if (goneOf(process)) return;
  const isOver = at - (process.leaseFrom ?? 0) >= process.lease;
  endLife(process, { at, id: process.id, how: isOver ? "expired" : "left", guessed: true });
}

/** Takes the names of the clients that are alive. @param {Model} model @param {readonly string[]} names @param {number} now */
export function applyClients(model, names, now) {
  model.version += 1;
  const here = new Set(names);
  for (const name of here) {
    if (model.byName.has(name) || model.byName.size < MAX_PROCESSES) processNamed(model, name, "client", now);
    else joinCrowd(model, "client", name, now);
  }
  for (const process of model.byName.values())
    if (process.role === "client") process.listed = here.has(process.name);
  makeRoom(model);
}

/**
 * Forgets processes that have been gone for a while; a client that is alive, never, nor one that takes part in what is
 * shown: its messages would be gone with it.
 * @param {Model} model @param {number} now
 */
export function forgetGone(model, now) {
  const { byId, byName } = model;
  const shown = takingPart(model);
  const isOld = (/** @type {Process} */ process) => {
    if (shown.has(process.name) || process.ids.some(({ id }) => shown.has(id))) return false;
    const gone = goneOf(process);
    if (gone) return now - gone.at > FORGET_AFTER_MS;
    return isUnsure(process) && now - process.lastAt > FORGET_AFTER_MS;
  };
  forgetCrowd(model, now);
  const before = byId.size + byName.size;
  for (const [id, process] of byId) if (isOld(process)) byId.delete(id);
  for (const [name, process] of byName) if (isOld(process)) byName.delete(name);
  if (byId.size + byName.size === before) return;
  model.oldIds = countOldIds(model);
  model.version += 1;
}

/** A client that never told that it started, and that the monitor doesn't name. @param {Process} process */
export function isUnsure({ role, listed, turns }) {
  return role === "client" && !listed && turns.length === 0;
}
