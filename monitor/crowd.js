/**
 * Of a very large group only those that matter most are kept in full: discovery, whoever takes part in what
 * is shown now, who is in discovery's list. The others are a crowd, of which there are only the names, to count
 * them. Where there is a crowd, less is shown of the others too. model.js and live.js tell it who comes,
 * group.js and lanes.js ask whom to show.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").Attempt} Attempt
 */
import { attemptsOf } from "./kept_attempts.js";
import { goneOf } from "./lives.js";
import { languageCode, text } from "./text.js";

export const MAX_PROCESSES = 1000;
const SHOWN_OF_A_CROWD = 100;
const SPARE = 1.2; // so much more is let in before all are looked through
const MAX_COUNTED = 100_000; // names of a kind, each of 128 characters at most; more are not counted
const COUNTED_FOR_MS = 60_000; // after that long without a word
const LAST_ATTEMPTS = 500;

/** Who tells something in the last attempts, or is told. @param {Attempt[]} attempts */
function namesIn(attempts) {
  return new Set(attempts.flatMap(({ client, receiver }) => [client, receiver]));
}

/** The names of those who take part in what is shown now. @param {Model} model */
export function takingPart({ attempts }) {
  return namesIn(attempts.slice(-LAST_ATTEMPTS));
}

/** Every process, once; those of a kind in the order in which they were seen first. @param {Model} model */
export function processesOf({ byName, byId }) {
  const all = [...new Set([...byName.values(), ...byId.values()])];
  // Who is gone from `byId` has been replaced there by who has its id now.
  return all
    .filter((process) => {
      const { role, id } = process;
      return role !== "receiver" || id === undefined || byId.get(id) === process;
    })
    .sort((a, b) => a.firstAt - b.firstAt);
}

/**
 * Lets those who matter least go into the crowd, when there are too many.
 * @param {Model} model @param {number} limit how many there may be without that
 */
export function makeRoom(model, limit = MAX_PROCESSES * SPARE) {
  const { byName, byId } = model;
  if (Math.max(byName.size, byId.size - model.oldIds) <= limit) return;
  const all = rank(model, processesOf(model));
  const kept = new Set(all.slice(0, MAX_PROCESSES));
  for (const [name, process] of byName) if (!kept.has(process)) byName.delete(name);
  for (const [id, process] of byId) if (!kept.has(process)) byId.delete(id);
  model.oldIds = countOldIds(model);
  for (const process of all.slice(MAX_PROCESSES))
    if (!goneOf(process)) joinCrowd(model, process.role, process.id ?? process.name, process.lastAt);
}

/** How many ids of `byId` are not the newest of their process. @param {Model} model */
export function countOldIds({ byId }) {
  let count = 0;
  for (const [id, process] of byId) if (process.id !== id) count += 1;
  return count;
}

/**
 * Whom to show: all of them, or of a crowd those who matter most, in the order in which they are.
 * @param {Model} model @param {Process[]} processes @param {number} limit
 */
export function chooseShown(model, processes, limit = SHOWN_OF_A_CROWD) {
  if (sizeOf(model) === 0) return processes;
  const chosen = new Set(rank(model, processes).slice(0, limit));
  return processes.filter((process) => chosen.has(process));
}

/** How many there are of whom only the names are kept. @param {Model} model */
export function sizeOf({ crowd }) {
  return crowd.clients.size + crowd.receivers.size;
}

/**
 * Those who matter most come first. Of equals, who was first stays first: new names, however many, don't drive
 * out what is there.
 * @param {Model} model @param {Process[]} processes
 */
function rank(model, processes) {
  const worth = worthIn(model);
  const ranked = processes.map((process) => ({ process, worth: worth(process) }));
  return ranked.sort((a, b) => b.worth - a.worth).map(({ process }) => process);
}

/** How much a process matters. @param {Model} model @returns {(process: Process) => number} */
function worthIn(model) {
  const [now, selected] = [takingPart(model), namesIn(attemptsOf(model, model.selected ?? ""))];
  return (process) => {
    const { role, name, id = "", listed } = process;
    if (role === "discovery" || selected.has(name) || selected.has(id)) return 4;
    return (now.has(name) || now.has(id) ? 2 : 0) + (listed ? 1 : 0) - (goneOf(process) ? 1 : 0);
  };
}

/** @param {Model} model @param {Process["role"]} role @param {string} name a receiver's id @param {number} at */
export function joinCrowd({ crowd }, role, name, at) {
  const names = role === "client" ? crowd.clients : crowd.receivers;
  if (names.size < MAX_COUNTED || names.has(name)) names.set(name, at);
}

/** Who is kept in full isn't counted too. @param {Model} model @param {string} name */
export function leaveCrowd({ crowd }, name) {
  crowd.clients.delete(name);
  crowd.receivers.delete(name);
}

/** @param {Model} model @param {number} now */
export function forgetCrowd({ crowd }, now) {
  for (const names of [crowd.clients, crowd.receivers])
    for (const [name, at] of names) if (Math.abs(now - at) > COUNTED_FOR_MS) names.delete(name);
}

/** In words, how many more there are than are shown. @param {number} count */
export function tellMore(count) {
  return count === 0 ? "" : text("more", { n: count.toLocaleString(languageCode()) });
}
