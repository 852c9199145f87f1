/**
 * The last attempts as a table: what the diagram shows, for the keyboard, for screen readers and for tests.
 * find_box.js shows it anew when events have come.
 *
 * @typedef {import("./model.js").Attempt} Attempt
 */
import { stateOf } from "./attempt_state.js";
import { printable, short } from "./short_names.js";
import { tellState } from "./story.js";
import { columns as columnNames } from "./text.js";
import { clockTime } from "./times.js";

export const LIST_ROWS = 60;
const MESSAGE_COLUMN = 1; // its id is a button

/** A click on an id opens the message's story. @param {HTMLElement} rows @param {(message: string) => void} onPick */
export function listenToList(rows, onPick) {
  rows.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("button") : null;
    if (button?.dataset.message) onPick(button.dataset.message);
  });
}

/** @param {HTMLElement} columns */
export function showColumns(columns) {
  const cells = columnNames().map((name) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    return cell;
  });
  columns.replaceChildren(...cells);
}

/** The newest first. Rows are used again, so that many messages a second cost little. @param {HTMLElement} rows @param {Attempt[]} attempts */
export function showList(rows, attempts) {
  // Who reads the list with the keyboard must not have it change under the hand.
  if (rows.contains(document.activeElement)) return;
  const shown = attempts.toReversed();
  while (rows.children.length > shown.length) rows.lastElementChild?.remove();
  shown.forEach((attempt, index) => {
    fillRow(/** @type {HTMLElement} */ (rows.children[index] ?? addRow(rows)), attempt);
  });
}

/** @param {HTMLElement} rows */
function addRow(rows) {
  const row = document.createElement("tr");
  for (let column = 0; column < columnNames().length; column++) row.append(document.createElement("td"));
  const button = document.createElement("button");
  button.type = "button";
  row.children[MESSAGE_COLUMN]?.append(button);
  rows.append(row);
  return row;
}

/** @param {HTMLElement} row @param {Attempt} attempt */
function fillRow(row, attempt) {
  const { at, message, client, receiver, attempt: number } = attempt;
  const [from, to] = [printable(client), short(receiver)];
  const cells = [clockTime(at), short(message), from, to, `×${number}`, tellState(attempt)];
  row.dataset.message = message;
  row.dataset.attempt = String(number);
  row.dataset.state = stateOf(attempt);
  cells.forEach((words, column) => {
    const cell = row.children[column];
    const place = column === MESSAGE_COLUMN ? cell?.firstElementChild : cell;
    if (place && place.textContent !== words) place.textContent = words;
  });
  const button = row.querySelector("button");
  if (button) button.dataset.message = message;
}
