/**
 * What receivers call themselves, and their order by that: the same as in the client's list, so that receiver-0 is the first
 * here too. Who only discovery told of has but an id, and comes first, as there. lanes.js, group.js and members.js ask.
 *
 * @typedef {import("./model.js").Process} Process
 */
const inOrder = new Intl.Collator("en", { numeric: true });

/** @param {Pick<Process, "name" | "ids">} process */
export function ownName({ name, ids }) {
  return ids.some(({ id }) => id === name) ? "" : name;
}

/** @param {Process} a @param {Process} b */
export function byOwnName(a, b) {
  return inOrder.compare(ownName(a), ownName(b));
}
