/**
 * The lists to choose from at the teacher's desk: receivers, and what a message may meet. desk.js fills them anew when
 * something has changed.
 *
 * @typedef {import("./desk_calls.ts").DeskState} DeskState
 * @typedef {import("./text.js").TextKey} TextKey
 */
import { find } from "./find.js";
import { short } from "./short_names.js";
import { text } from "./text.js";

/** @type {Record<string, TextKey>} */
const FAULT_WORDS = {
  ...{ ok: "deskOk", silent: "deskOmission", lost: "markLost", "lost-ack": "deskLostAck" },
  ...{ "late-ack": "markLateAck", disconnect: "markFailed", exit: "deskCrash" },
};

/**
 * @param {DeskState} state
 * @param {Record<string, { id: string, fate: import("./lives.js").How }>} known of the receivers, by name: the pictures say these
 */
export function fillDesk({ receivers, faults }, known) {
  const options = receivers.map(({ name, state }) => {
    const { id = "", fate = "stopped" } = known[name] ?? {};
    const states = { running: short(id), suspended: text("suspended"), ended: text(fate) };
    const words = [name, states[state]];
    return { value: name, words: words.filter((each) => each !== "").join(" · ") };
  });
  const everybody = [
    { value: "any", words: text("deskAny") },
    { value: "all", words: text("deskAll") },
  ];
  fill("desk-to", [...options, ...everybody]);
  fill("desk-receiver", options);
  fill(
    "desk-fault",
    faults.map((fault) => ({ value: fault, words: `${fault}: ${text(FAULT_WORDS[fault] ?? "deskOk")}` })),
  );
}

/** What was chosen stays chosen. @param {string} id @param {{ value: string, words: string }[]} options */
function fill(id, options) {
  /** @type {HTMLSelectElement} */
  const list = find(id);
  const chosen = list.value;
  list.replaceChildren(...options.map(({ value, words }) => new Option(words, value)));
  if (options.some(({ value }) => value === chosen)) list.value = chosen;
}
