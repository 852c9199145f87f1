/**
 * The teacher's desk, on the page of a demo or a lesson: sends messages, chooses faults, kills, suspends, ends and starts
 * processes. page.js opens it where the address has the desk's key.
 *
 * @typedef {import("./desk_calls.ts").Order} Order
 * @typedef {import("./desk_calls.ts").DeskState} DeskState
 * @typedef {import("./page.js").Page} Page
 *
 * @typedef {object} Desk
 * @property {string} key
 * @property {DeskState | undefined} state what it was told last
 * @property {string} shown what the lists show: they aren't made anew under the hand
 * @property {string} rateOf whose rate the box shows, and which
 */
import { takeKey } from "./desk_key.js";
import { fillDesk } from "./desk_lists.js";
import { find } from "./find.js";
import { goneOf } from "./lives.js";
import { printable } from "./short_names.js";
import { text } from "./text.js";

/** @type {Record<Exclude<Order["do"], "send">, import("./text.js").TextKey>} */
const DONE = {
  ...{ look: "desk", kill: "killed", suspend: "suspended", resume: "resumed", end: "toldToEnd" },
  ...{ "give fault": "givenFault", "give rate": "givenRate" },
  ...{ "start receiver": "launched", "start discovery": "launched", "stop discovery": "toldToEnd" },
};
const LOOK_EVERY_MS = 1000;
const WITHIN_MS = 10_000;

/** @returns {Desk | undefined} none without a key */
export function openDesk() {
  const key = takeKey();
  if (key === undefined) return undefined;
  /** @type {Desk} */
  const desk = { key, state: undefined, shown: "", rateOf: "" };
  find("send-form").addEventListener("submit", (event) => {
    event.preventDefault();
    obey(desk, "send");
  });
  for (const button of document.querySelectorAll("#desk button[data-do]"))
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") obey(desk, button.getAttribute("data-do") ?? "");
    });
  lookAgain(desk);
  return desk;
}

/** @param {Desk} desk */
async function lookAgain(desk) {
  const status = document.hidden ? 0 : (await give(desk, { do: "look" })).status;
  if (status !== 403 && status !== 404) setTimeout(() => lookAgain(desk), LOOK_EVERY_MS);
  if (status !== 403) return;
  find("desk").hidden = false;
  say(text("deskRefused"));
}

/** Four times a second. @param {Page} page */
export function showDesk({ desk, model }) {
  if (!desk?.state) return;
  find("desk").hidden = false;
  const names = desk.state.receivers.map(({ name }) => name);
  const known = Object.fromEntries(names.map((name) => [name, whatIsKnown(model.byName.get(name))]));
  const shown = JSON.stringify([text("desk"), desk.state, known]);
  if (shown !== desk.shown) fillDesk(desk.state, known);
  desk.shown = shown;
  showAble(desk.state);
  showRate(desk, desk.state);
}

/** The pictures show the same. @param {import("./model.js").Process | undefined} process */
function whatIsKnown(process) {
  return { id: process?.id ?? "", fate: (process && goneOf(process)?.how) ?? "stopped" };
}

/** What can't be done to the chosen one is grey, and keeps the focus. @param {DeskState} state */
function showAble({ receivers, discovery }) {
  const chosen = receivers.find(({ name }) => name === chosenIn("desk-receiver"))?.state ?? "ended";
  /** @type {Record<string, boolean>} */
  const able = {
    ...{ kill: chosen !== "ended", suspend: chosen === "running", resume: chosen === "suspended" },
    ...{ end: chosen === "running", "give fault": chosen === "running", "give rate": chosen === "running" },
    ...{ "stop discovery": discovery === true, "start discovery": discovery === false },
  };
  for (const button of document.querySelectorAll("#desk button[data-do]"))
    button.setAttribute("aria-disabled", String(able[button.getAttribute("data-do") ?? ""] === false));
}

/** That of the chosen one, until another is typed. @param {Desk} desk @param {DeskState} state */
function showRate(desk, { receivers }) {
  const chosen = receivers.find(({ name }) => name === chosenIn("desk-receiver"));
  const rate = String(chosen?.rate ?? "");
  const rateOf = `${chosen?.name} ${rate}`;
  if (rateOf !== desk.rateOf) /** @type {HTMLInputElement} */ (find("desk-rate")).value = rate;
  desk.rateOf = rateOf;
}

/** @param {Desk} desk @param {string} what */
async function obey(desk, what) {
  const rate = /** @type {HTMLInputElement} */ (find("desk-rate"));
  if (what === "give rate" && !rate.reportValidity()) return;
  const order = orderOf(what);
  const { status, code } = await give(desk, order);
  if (status === 200) say(tellDone(order));
  else if (status === 409) say(text(code));
  else say(text(status === 403 ? "deskRefused" : "deskUnheard"));
}

/** @param {Order} order */
function tellDone(order) {
  if (order.do === "send") return text("deskSent", { name: order.to });
  const whom = "receiver" in order ? order.receiver : order.do.endsWith("discovery") ? text("discovery") : "";
  const what = "fault" in order ? order.fault : "rate" in order ? order.rate : "";
  return [whom, text(DONE[order.do], { what })].filter((each) => each !== "").join(": ");
}

/** @param {string} what @returns {Order} */
function orderOf(what) {
  const receiver = chosenIn("desk-receiver");
  switch (what) {
    case "send":
      return { do: what, to: chosenIn("desk-to"), text: chosenIn("desk-text") };
    case "give fault":
      return { do: what, receiver, fault: chosenIn("desk-fault") };
    case "give rate":
      return { do: what, receiver, rate: Number(chosenIn("desk-rate")) };
    case "kill":
    case "suspend":
    case "resume":
    case "end":
      return { do: what, receiver };
    case "start receiver":
    case "start discovery":
    case "stop discovery":
      return { do: what };
    default:
      return { do: "look" };
  }
}

/**
 * @param {Desk} desk @param {Order} order
 * @returns {Promise<{ status: number, code: import("./desk_calls.ts").WhyNot }>} status 0: it didn't arrive
 */
async function give(desk, order) {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${desk.key}` };
  const call = {
    method: "POST",
    headers,
    body: JSON.stringify(order),
    signal: AbortSignal.timeout(WITHIN_MS),
  };
  try {
    const answer = await fetch("desk", call);
    const said = await answer.json();
    if (answer.ok) desk.state = said;
    return { status: answer.status, code: said.code };
  } catch {
    return { status: 0, code: "busy" };
  }
}

/** @param {string} words */
function say(words) {
  find("desk-said").textContent = printable(words);
}

/** @param {string} id */
function chosenIn(id) {
  return /** @type {HTMLInputElement | HTMLSelectElement} */ (find(id)).value;
}
