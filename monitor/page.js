/**
 * The page: takes the events, keeps what they say, and shows it in three ways: group, diagram, list.
 * index.html loads it.
 *
 * @typedef {object} Page
 * @property {import("./model.js").Model} model
 * @property {{ clientOnly: boolean, heartbeats: boolean }} view what is shown of it
 * @property {import("./group.js").GroupPicture} group
 * @property {import("./dots.js").Dots} dots
 * @property {import("./diagram.js").Diagram} diagram
 * @property {number} ahead how far the monitor's clock is ahead of this computer's
 * @property {number} clearedAt events before this were cleared away
 * @property {number} lost
 * @property {boolean} isConnected
 * @property {boolean} isNew whether something came that the list doesn't show yet
 */
import { listenToControls } from "./controls.js";
import { MAX_PROCESSES, makeRoom } from "./crowd.js";
import { createDiagram } from "./diagram.js";
import { createDots, moveDots } from "./dots.js";
import { find } from "./find.js";
import { createGroupPicture, drawGroup } from "./group.js";
import { listenToList, showList } from "./list.js";
import { askGroup, listenToEvents, now } from "./live.js";
import { createModel } from "./model.js";
import { paintDiagram } from "./paint_diagram.js";
import { openStory, showStory } from "./story_panel.js";
import { chooseLanguage, text } from "./text.js";
import { showLanguage, showMore, showPause } from "./words.js";

const GROUP_EVERY_MS = 250;

/** @returns {Page} */
function createPage() {
  return {
    model: createModel(),
    view: { clientOnly: false, heartbeats: false },
    group: createGroupPicture(find("group-picture")),
    dots: createDots(find("dots")),
    diagram: createDiagram(
      { scroll: find("scroll"), canvas: find("canvas"), spacer: find("spacer") },
      { onPick: (message) => openStory(page, message), onPause: showPause },
    ),
    ahead: 0,
    clearedAt: 0,
    lost: 0,
    isConnected: false,
    isNew: true,
  };
}

function drawFrame() {
  const { diagram, model, view, dots, group } = page;
  paintDiagram(diagram, model, { now: now(page), ...view });
  moveDots(dots, group.places, performance.now());
  requestAnimationFrame(drawFrame);
}

function drawWhatIsNew() {
  if (document.hidden) return;
  const { group, model, view } = page;
  makeRoom(model, MAX_PROCESSES);
  const counts = drawGroup(group, model, { now: now(page), clientOnly: view.clientOnly });
  find("group-words").textContent = text("groupWords", counts);
  showMore(page);
  if (page.isNew) {
    showList(find("rows"), model);
    showStory(page);
  }
  page.isNew = false;
}

/** What scrolls can be scrolled with the keyboard. */
function focusScrolls() {
  for (const region of document.querySelectorAll(".scrolls")) {
    region.setAttribute("tabindex", "0");
    region.setAttribute("role", "group");
    region.setAttribute("aria-labelledby", region.closest("section")?.getAttribute("aria-labelledby") ?? "");
  }
}

export const page = createPage();
listenToControls(page);
listenToList(find("rows"), (message) => openStory(page, message));
focusScrolls();
chooseLanguage(navigator.language);
showLanguage(page);
listenToEvents(page);
askGroup(page);
setInterval(drawWhatIsNew, GROUP_EVERY_MS);
drawWhatIsNew();
drawFrame();
