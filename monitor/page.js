/**
 * The page: takes the events, keeps what they say, and shows it in three ways: group, diagram, list.
 * index.html loads it.
 *
 * @typedef {object} Page
 * @property {import("./model.js").Model} model of the time that is shown
 * @property {import("./player.js").Player} player which time that is
 * @property {{ clientOnly: boolean, heartbeats: boolean }} view what is shown of it
 * @property {import("./group.js").GroupPicture} group
 * @property {import("./dots.js").Dots} dots
 * @property {import("./diagram.js").Diagram} diagram
 * @property {import("./desk.js").Desk | undefined} desk
 * @property {number} ahead how far the monitor's clock is ahead of this computer's
 * @property {number} clearedAt events before this were cleared away
 * @property {number} startsAt when the first event was
 * @property {number} lost
 * @property {boolean} isConnected
 * @property {boolean} isNew whether something came that the list doesn't show yet
 * @property {boolean} isLegendNew
 * @property {string | undefined} wanted the message that the address names, until it is known
 */
import { readAddress, rememberedLanguage } from "./address.js";
import { listenToControls } from "./controls.js";
import { MAX_PROCESSES, makeRoom } from "./crowd.js";
import { openDesk, showDesk } from "./desk.js";
import { createDiagram, fitMessage } from "./diagram.js";
import { createDots, moveDots } from "./dots.js";
import { find } from "./find.js";
import { listenToFind, showFound } from "./find_box.js";
import { createGroupPicture, drawGroup } from "./group.js";
import { attemptsOf } from "./kept_attempts.js";
import { showLegend } from "./legend.js";
import { listenToList } from "./list.js";
import { askGroup, listenToEvents, tellAll } from "./live.js";
import { createModel } from "./model.js";
import { paintDiagram } from "./paint_diagram.js";
import { advance, createPlayer, shownAt } from "./player.js";
import { listenToPlayer, showPlayer } from "./player_bar.js";
import { openStory, showStory } from "./story_panel.js";
import { chooseLanguage, text } from "./text.js";
import { showLanguage, showMore, showStatus } from "./words.js";

const SHOW_EVERY_MS = 250;
const LONGEST_FRAME_MS = 250; // a page that was hidden doesn't leap

/** @returns {Page} */
function createPage() {
  return {
    model: createModel({ client: [], receiver: [], discovery: [], monitor: [] }), // until the monitor says hello
    player: createPlayer(),
    view: { clientOnly: false, heartbeats: false },
    group: createGroupPicture(find("group-picture")),
    dots: createDots(find("dots")),
    diagram: createDiagram(
      { scroll: find("scroll"), canvas: find("canvas"), spacer: find("spacer") },
      {
        onPick: (message) => openStory(page, message),
        onChange: () => {
          page.isLegendNew = true;
        },
      },
    ),
    desk: openDesk(),
    ahead: 0,
    clearedAt: 0,
    startsAt: Number.POSITIVE_INFINITY,
    lost: 0,
    isConnected: false,
    isNew: true,
    isLegendNew: true,
    wanted: undefined,
  };
}

let frameAt = 0;

/** @param {number} time */
function drawFrame(time) {
  const came = advance(page, Math.min(LONGEST_FRAME_MS, time - frameAt));
  frameAt = time;
  tellAll(page, came);
  page.isNew ||= came.length > 0;
  const { diagram, model, view, dots, group, player } = page;
  paintDiagram(diagram, model, { now: shownAt(page), ...view });
  moveDots(dots, group.places, player.flight);
  requestAnimationFrame(drawFrame);
}

function drawWhatIsNew() {
  if (document.hidden) return;
  const { group, model, view } = page;
  makeRoom(model, MAX_PROCESSES);
  const counts = drawGroup(group, model, { now: shownAt(page), clientOnly: view.clientOnly });
  find("group-words").textContent = text("groupWords", counts);
  showMore(page);
  showPlayer(page);
  showStatus(page);
  showDesk(page);
  openWanted();
  if (page.isLegendNew) showLegend(page.diagram);
  page.isLegendNew = false;
  if (page.isNew) {
    showFound(page);
    showStory(page);
  }
  page.isNew = false;
}

/** Once it is known. */
function openWanted() {
  const { wanted, model, diagram } = page;
  if (!wanted || attemptsOf(model, wanted).length === 0) return;
  page.wanted = undefined;
  openStory(page, wanted);
  fitMessage(diagram, model, wanted);
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
listenToPlayer(page, (events) => tellAll(page, events));
listenToFind(page);
listenToList(find("rows"), (message) => openStory(page, message));
focusScrolls();
const asked = readAddress(location.search);
page.wanted = asked.message;
chooseLanguage(asked.language ?? rememberedLanguage() ?? navigator.language);
showLanguage(page);
listenToEvents(page);
askGroup(page);
setInterval(drawWhatIsNew, SHOW_EVERY_MS);
drawWhatIsNew();
requestAnimationFrame(drawFrame);
