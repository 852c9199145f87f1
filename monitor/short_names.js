/** Ids and names short enough for a picture. Whatever shows a process or a message calls it. */

/** Ids are long; eight characters are enough to tell them apart. @param {string} id */
export function short(id) {
  return id.slice(0, 8);
}

/** Of a name such as client-4f2a, what tells it from the others. @param {string} name */
export function shortName(name) {
  return name.replace(/^client-/, "").slice(0, 8);
}
