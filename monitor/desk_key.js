/**
 * The key of the teacher's desk: the address that the program printed has it, `#desk=…`. From there it goes where a reload finds
 * it again, and no link or screen shows it. desk.js asks once.
 */
const KEPT = "desk";

/** @returns {string | undefined} */
export function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("desk") ?? undefined;
  if (given !== undefined) history.replaceState(null, "", location.pathname + location.search);
  try {
    if (given !== undefined) sessionStorage.setItem(KEPT, given);
    return sessionStorage.getItem(KEPT) ?? undefined;
  } catch {
    return given; // a browser may refuse to keep anything
  }
}
