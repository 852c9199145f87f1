/**
 * The box to find a message or a receiver in: while there is something in it, the list has what was found; Enter
 * opens the story of the newest. page.js shows it, and listens to it.
 *
 * @typedef {import("./page.js").Page} Page
 */
import { find } from "./find.js";
import { findAttempts } from "./find_attempts.js";
import { LIST_ROWS, showList } from "./list.js";
import { beginningOf, short } from "./short_names.js";
import { openStory } from "./story_panel.js";
import { languageCode, text } from "./text.js";

const FOUND_ROWS = 300;
const [MOST_TOLD, MOST_IDS] = [2, 5]; // receivers whose ids are said, and how many of each

/** @param {Page} page */
export function listenToFind(page) {
  find("find").addEventListener("input", () => showFound(page));
  find("find-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const newest = findAttempts(page.model, wordsIn()).attempts.at(-1);
    if (newest) openStory(page, newest.message);
  });
}

/** The list: what was found, or the last attempts. @param {Page} page */
export function showFound({ model }) {
  const words = wordsIn();
  const { attempts, processes } = findAttempts(model, words);
  const isAsked = words.trim() !== "";
  showList(find("rows"), isAsked ? attempts.slice(-FOUND_ROWS) : model.attempts.slice(-LIST_ROWS));
  const said = isAsked ? tellFound(attempts.length, processes) : "";
  if (find("found").textContent !== said) find("found").textContent = said;
}

function wordsIn() {
  /** @type {HTMLInputElement} */
  const box = find("find");
  return box.value;
}

/** @param {number} count @param {import("./model.js").Process[]} processes */
function tellFound(count, processes) {
  const n = count.toLocaleString(languageCode());
  const renamed = processes.filter(({ ids }) => ids.length > 1).slice(0, MOST_TOLD);
  const ids = renamed.map((process) =>
    text("hadIds", {
      name: beginningOf(process.name, 24),
      ids: process.ids
        .slice(-MOST_IDS)
        .map(({ id }) => short(id))
        .join(", "),
    }),
  );
  if (count === 0 && processes.length === 0) return text("foundNothing");
  const found = count > FOUND_ROWS ? text("foundMost", { n, shown: FOUND_ROWS }) : text("found", { n });
  return [found, ...ids].join(". ");
}
