/**
 * What the page knows: the processes, and each attempt to get a message acked, put together from the
 * events. Events of different processes may come in any order, so each fills in what it can. live.js
 * tells them, and every picture reads the model.
 *
 * @typedef {import("../trace/events.ts").TraceEvent} TraceEvent
 * @typedef {{ client: readonly string[], receiver: readonly string[], discovery: readonly string[], monitor: readonly string[] }} Names the events that each role tells, as the monitor says
 *
 * @typedef {object} Process
 * @property {string} name
 * @property {"client" | "discovery" | "receiver"} role
 * @property {string} [id] a receiver's, the newest
 * @property {import("./lives.js").Id[]} ids all that it had, the newest last
 * @property {import("./lives.js").Life[]} lives when it was there
 * @property {import("./lives.js").Turn[]} turns what its lives are made of
 * @property {string | undefined} [address]
 * @property {number} firstAt
 * @property {number} lastAt when it was heard of last, in milliseconds since 1970
 * @property {number} [joinedAt]
 * @property {number} [leaseFrom] when its lease was renewed last
 * @property {number} lease how long that lasts
 * @property {boolean} [listed] whether discovery has it in its list, or the monitor hears a client
 *
 * @typedef {object} Ack
 * @property {Attempt} [attempt] the one that it answers
 * @property {number} [at] when it left the receiver
 * @property {number} [receivedAt]
 * @property {boolean} [duplicate]
 * @property {boolean} [ignored] nobody waited for it any more
 *
 * @typedef {object} Attempt
 * @property {string} key
 * @property {string} message
 * @property {number} attempt
 * @property {string} receiver an id
 * @property {string} client
 * @property {number} at when it was sent, as far as is known
 * @property {boolean} sent whether its sending was told; if not, only its arrival, or that it could not be sent
 * @property {number} timeout
 * @property {number} [receivedAt]
 * @property {boolean} [duplicate]
 * @property {string} [fault]
 * @property {number} [faultAt]
 * @property {number} [processedAt]
 * @property {string} [body]
 * @property {number} [timedOutAt]
 * @property {number} [failedAt]
 * @property {string} [why]
 * @property {{ at: number, why: string, outcome: string }} [gaveUp]
 * @property {boolean} notNeeded given up, as enough others of the group had acked
 * @property {string | undefined} [movedFrom] the id of the receiver that the attempt before went to, if another
 * @property {number} [ackedAt] when its client had its ack, or that of an attempt before it, come late
 * @property {Ack[]} acks those that answer it
 * @property {Ack[]} came those that came while it was the last one: its client can't tell which they answer
 *
 * @typedef {{ at: number, client: string, need: number, ackedBy: number }} GroupAck when a send to the group had its acks
 *
 * @typedef {object} Model
 * @property {Names} names
 * @property {number} version raised by all that changes the model
 * @property {Map<string, Process>} byName
 * @property {Map<string, Process>} byId receivers; one that had several ids is there under each
 * @property {Attempt[]} attempts
 * @property {Map<string, Attempt>} byKey
 * @property {Map<string, Attempt[]>} byMessage
 * @property {Map<string, Ack>} acks by receiver and the Lamport time of its sending
 * @property {Map<string, GroupAck>} groups by message
 * @property {{ at: number, receiver: string }[]} heartbeats
 * @property {import("./deeds.js").Deed[]} deeds what the teacher's desk did
 * @property {number} oldIds how many of `byId` are not the newest of their process
 * @property {{ clients: Map<string, number>, receivers: Map<string, number> }} crowd those that there is no room for: their names or ids, and when they were heard of last
 * @property {string | undefined} selected the message whose story is open
 */
import { applyToAttempt } from "./attempts.js";
import { makeRoom } from "./crowd.js";
import { applyDeed } from "./deeds.js";
import { goneOf } from "./lives.js";
import { applyToGroup, meet, roleOf } from "./processes.js";

const MAX_GROUPS = 6000; // sends to the group that had enough acks

/** @param {Names} names @returns {Model} */
export function createModel(names) {
  return {
    names,
    version: 0,
    byName: new Map(),
    byId: new Map(),
    attempts: [],
    byKey: new Map(),
    byMessage: new Map(),
    acks: new Map(),
    groups: new Map(),
    heartbeats: [],
    deeds: [],
    oldIds: 0,
    crowd: { clients: new Map(), receivers: new Map() },
    selected: undefined,
  };
}

/** Takes in what an event says. @param {Model} model @param {TraceEvent} event */
export function apply(model, event) {
  model.version += 1;
  const role = roleOf(model, event);
  meet(model, event, role);
  if (event.event === "group acked") applyGroupAck(model, event);
  else if (event.message !== undefined) applyToAttempt(model, event, role);
  applyToGroup(model, event, role);
  if (role === "monitor") applyDeed(model, event);
  makeRoom(model);
}

/** Not all who acked are told where they are very many. @param {Model} model @param {TraceEvent} event */
function applyGroupAck({ groups, selected }, { at, process: client, message = "?", need = 0, ackedBy }) {
  groups.set(message, { at, client, need, ackedBy: ackedBy?.length ?? need });
  for (const known of groups.keys()) {
    if (groups.size <= MAX_GROUPS) return;
    if (known !== selected) groups.delete(known);
  }
}

/** The message whose story is open; undefined: none. @param {Model} model @param {string | undefined} message */
export function select(model, message) {
  model.version += 1;
  model.selected = message;
}

/** Forgets all messages, and who isn't in the group. @param {Model} model @param {number} at */
export function clear(model, at) {
  const { byId, byName } = model;
  model.version += 1;
  model.attempts = [];
  model.heartbeats = [];
  model.deeds = [];
  for (const known of [model.byKey, model.byMessage, model.acks, model.groups]) known.clear();
  for (const names of Object.values(model.crowd)) names.clear();
  for (const [id, process] of byId) if (goneOf(process)) byId.delete(id);
  for (const [name, process] of byName)
    if (goneOf(process) || (process.role === "client" && !process.listed)) byName.delete(name);
  for (const process of [...byName.values(), ...byId.values()]) {
    process.firstAt = Math.max(process.firstAt, at);
    process.turns = [];
    process.lives = [{ from: process.firstAt }];
  }
}
