/**
 * What the page knows: the processes, and each attempt to get a message acked, put together from the
 * events. Events of different processes may come in any order, so each fills in what it can. live.js
 * tells them, and every picture reads the model.
 *
 * @typedef {import("../trace/events.ts").TraceEvent} TraceEvent
 *
 * @typedef {object} Process
 * @property {string} name
 * @property {"client" | "discovery" | "receiver"} role
 * @property {string} [id] a receiver's, the newest
 * @property {string | undefined} [address]
 * @property {number} firstAt
 * @property {number} lastAt when it was heard of last, in milliseconds since 1970
 * @property {number} [joinedAt]
 * @property {number} [leaseFrom] when its lease was renewed last
 * @property {number} lease how long that lasts
 * @property {boolean} [listed] whether discovery has it in its list
 * @property {{ at: number, how: "left" | "expired" | "replaced" }} [gone]
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
 * @property {number} [ackedAt] when its client had its ack, or that of an attempt before it, come late
 * @property {Ack[]} acks those that answer it
 * @property {Ack[]} came those that came while it was the last one: its client can't tell which they answer
 *
 * @typedef {object} Model
 * @property {Map<string, Process>} byName
 * @property {Map<string, Process>} byId receivers; one that had several ids is there under each
 * @property {Attempt[]} attempts
 * @property {Map<string, Attempt>} byKey
 * @property {Map<string, Attempt[]>} byMessage
 * @property {Map<string, Ack>} acks by receiver and the Lamport time of its sending
 * @property {{ at: number, receiver: string }[]} heartbeats
 * @property {{ clients: Map<string, number>, receivers: Map<string, number> }} crowd those that there is no room for: their names or ids, and when they were heard of last
 * @property {string | undefined} selected the message whose story is open
 */
import { applyToAttempt } from "./attempts.js";
import { makeRoom } from "./crowd.js";
import { applyToGroup, meet } from "./processes.js";

const GROUP_EVENTS = new Set(["joined", "left", "registered", "heartbeat", "expired", "replaced"]);

/** @returns {Model} */
export function createModel() {
  return {
    byName: new Map(),
    byId: new Map(),
    attempts: [],
    byKey: new Map(),
    byMessage: new Map(),
    acks: new Map(),
    heartbeats: [],
    crowd: { clients: new Map(), receivers: new Map() },
    selected: undefined,
  };
}

/** Takes in what an event says. @param {Model} model @param {TraceEvent} event */
export function apply(model, event) {
  meet(model, event);
  if (event.message !== undefined && event.event !== "group acked") applyToAttempt(model, event);
  else if (GROUP_EVENTS.has(event.event)) applyToGroup(model, event);
  makeRoom(model);
}

/** Forgets all messages, and who isn't in the group. @param {Model} model @param {number} at */
export function clear(model, at) {
  model.attempts = [];
  model.heartbeats = [];
  model.byKey.clear();
  model.byMessage.clear();
  model.acks.clear();
  model.crowd.clients.clear();
  model.crowd.receivers.clear();
  for (const [id, { gone }] of model.byId) if (gone) model.byId.delete(id);
  for (const [name, { gone, role }] of model.byName) if (gone || role === "client") model.byName.delete(name);
  for (const process of model.byName.values()) process.firstAt = Math.max(process.firstAt, at);
}
