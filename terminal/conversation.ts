/** The conversation with a person at the client's prompt; it knows nothing of sockets. */

import type { Receiver } from "../lib/messages.ts";
import type { Target } from "./client_view.ts";
import type { Screen } from "./screen.ts";

export interface Conversation {
  /** Lists the group, and shows it to the user. */
  list(): Promise<Receiver[]>;
  /** Sends; without a body, the default one. Resolves when the result has been shown. */
  send(target: Target, body: string | undefined, signal: AbortSignal): Promise<void>;
  /** What is wrong with a body, if anything. */
  problemWith(body: string): string | undefined;
  /** Ends the attempts under way, when the user gives a message up. */
  onGiveUp(): void;
  /** Ends the conversation. */
  signal: AbortSignal;
}

const PROMPT = 'Choose a receiver to send a message to (number or id, "all", Enter lists again, q quits): ';

/** Lists, asks, sends, and lists again, until the user quits or the input ends. */
export async function converse(screen: Screen, conversation: Conversation): Promise<void> {
  let sending: AbortController | undefined;
  function giveUp() {
    sending?.abort();
    conversation.onGiveUp();
  }
  // Ctrl-C gives a message up, and at the prompt it quits.
  screen.onInterrupt(() => (sending ? giveUp() : screen.close()));
  conversation.signal.addEventListener("abort", () => {
    giveUp();
    screen.close();
  });

  while (!conversation.signal.aborted) {
    const asked = await ask(screen, await conversation.list(), conversation.problemWith);
    if (asked === "quit" || conversation.signal.aborted) return; // a line typed ahead comes after the end, too
    if (asked === "list") continue;
    sending = new AbortController();
    await conversation.send(asked.target, asked.body, sending.signal);
    sending = undefined;
  }
}

/** Asks until the answer makes sense. */
async function ask(screen: Screen, receivers: Receiver[], problemWith: Conversation["problemWith"]) {
  for (;;) {
    const line = (await screen.ask(PROMPT))?.trim();
    if (line === undefined || line === "q") return "quit";
    if (line === "") return "list";
    const [, choice = "", text = ""] = line.match(/^(\S+)\s*(.*)$/) ?? [];
    const chosen = chooseTarget(receivers, choice);
    const body = text === "" ? undefined : text;
    const problem = "problem" in chosen ? chosen.problem : body && problemWith(body);
    if (problem !== undefined && problem !== "") screen.print(problem);
    else if ("target" in chosen) return { target: chosen.target, body };
  }
}

/** Finds whom the user means: by the number in the list, by an id or the beginning of it, `any` or `all`. */
export function chooseTarget(
  receivers: Receiver[],
  choice: string,
): { target: Target } | { problem: string } {
  if (choice === "any" || choice === "all") return { target: choice };
  if (receivers.length === 0)
    return { problem: "No receiver is in the group: start one with: tsx receiver.ts" };
  const byNumber = /^\d{1,6}$/.test(choice) ? receivers[Number(choice)] : undefined;
  if (byNumber) return { target: byNumber };

  const byId = receivers.filter(({ id }) => id.startsWith(choice.toLowerCase()));
  const [first] = byId;
  // Fewer than four digits are a number for sure, even if an id happens to begin with them.
  if (first && byId.length === 1 && !/^\d{1,3}$/.test(choice)) return { target: first };
  if (byId.length > 1 && !/^\d+$/.test(choice)) {
    return { problem: `${byId.length} ids begin with "${choice}": type more of it` };
  }
  return {
    problem: `There is no receiver "${choice}": give a number from 0 to ${receivers.length - 1}, an id, or all`,
  };
}
