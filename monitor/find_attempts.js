/**
 * Finds messages by their ids, and receivers and clients by their names or by an id that they had: what begins with
 * the words. find_box.js asks.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Process} Process
 * @typedef {import("./model.js").Attempt} Attempt
 */
import { processesOf } from "./crowd.js";

export const MAX_WORDS = 128; // UTF-16 units

/** @param {Model} model @param {string} words @returns {{ attempts: Attempt[], processes: Process[] }} */
export function findAttempts(model, words) {
  const wanted = words.trim().slice(0, MAX_WORDS).toLowerCase();
  if (wanted === "") return { attempts: [], processes: [] };
  const begins = (/** @type {string} */ name) => name.toLowerCase().startsWith(wanted);
  const processes = processesOf(model).filter(
    ({ name, ids }) => begins(name) || ids.some(({ id }) => begins(id)),
  );
  const names = new Set(processes.flatMap(({ name, ids }) => [name, ...ids.map(({ id }) => id)]));
  const attempts = model.attempts.filter(
    ({ message, receiver, client }) =>
      names.has(receiver) || names.has(client) || begins(message) || begins(receiver),
  );
  return { attempts, processes };
}
