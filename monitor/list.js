/**
 * The last attempts as a table: what the diagram shows, for the keyboard, for screen readers and for tests.
 *
 * @typedef {import("./model.js").Model} Model
 */
import { stateOf } from "./attempt_state.js";
import { short } from "./short_names.js";
import { clockTime, tellState } from "./story.js";
import { columns as columnNames } from "./text.js";

const ROWS = 60;

/**
 * @param {{ rows: HTMLElement, columns: HTMLElement }} elements
 * @param {{ onPick: (message: string) => void }} handlers
 */
export function createMessageList({ rows, columns }, { onPick }) {
  rows.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("button") : null;
    if (button?.dataset.message) onPick(button.dataset.message);
  });

  function addRow() {
    const row = document.createElement("tr");
    for (let column = 0; column < columnNames().length; column++) row.append(document.createElement("td"));
    const button = document.createElement("button");
    button.type = "button";
    row.children[1]?.append(button);
    rows.append(row);
    return row;
  }

  return {
    showColumns() {
      const cells = columnNames().map((name) => {
        const cell = document.createElement("th");
        cell.scope = "col";
        cell.textContent = name;
        return cell;
      });
      columns.replaceChildren(...cells);
    },

    /** The newest first. Rows are used again, so that many messages a second cost little. @param {Model} model */
    show(model) {
      // Who reads the list with the keyboard must not have it change under the hand.
      if (rows.contains(document.activeElement)) return;
      const shown = model.attempts.slice(-ROWS).reverse();
      while (rows.children.length > shown.length) rows.lastElementChild?.remove();
      shown.forEach((attempt, index) => {
        const row = /** @type {HTMLElement} */ (rows.children[index] ?? addRow());
        const { message, client, receiver } = attempt;
        const cells = [
          clockTime(attempt.at),
          short(message),
          client,
          short(receiver),
          `×${attempt.attempt}`,
          tellState(attempt),
        ];
        row.dataset.message = message;
        row.dataset.attempt = String(attempt.attempt);
        row.dataset.state = stateOf(attempt);
        cells.forEach((words, column) => {
          const cell = row.children[column];
          const place = column === 1 ? cell?.firstElementChild : cell;
          if (place && place.textContent !== words) place.textContent = words;
        });
        const button = row.querySelector("button");
        if (button) button.dataset.message = message;
      });
    },
  };
}
