/**
 * A whole class on one machine: discovery, the monitor, three receivers, and a client that asks. When the
 * client ends, all end.
 *
 *     npm run demo
 *     npm run demo -- --receivers 5
 *     ACK_RECEIVER_FAULT_RATE=1 npm run demo        every role still takes its own environment
 *
 * The monitor shows it all in the browser, at the address that the first lines say. Discovery and the monitor
 * have their usual ports when those are free, so a second client, or a receiver of your own, can join.
 *
 * Each receiver is a process of its own: the page's desk kills, suspends and starts some, sends, and chooses faults.
 * Without a terminal (a pipe, CI) the client sends one message to every receiver instead of asking.
 */
import type { ChildProcess } from "node:child_process";
import { end, startReceiver, untilInGroup } from "./classroom/processes.ts";
import { startServers } from "./classroom/servers.ts";
import { main as runClient } from "./client.ts";
import { GROUP_OPTIONS } from "./plumbing/group_file.ts";
import * as kind from "./plumbing/kinds.ts";
import { LOG_OPTIONS, option, parseOptions } from "./plumbing/options.ts";
import { runIfMain } from "./plumbing/run.ts";
import { openScreen } from "./terminal/screen.ts";

const OPTIONS = {
  receivers: option(kind.whole(1), "3", "how many receivers"),
  ...GROUP_OPTIONS,
  ...LOG_OPTIONS,
};

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("demo", OPTIONS, argv, {
    about: "A whole class on one machine: discovery, receivers and a client.",
    example: "npm run demo -- --receivers 5",
  });
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const screen = openScreen(interactive ? { input: process.stdin } : {});
  screen.onInterrupt(() => process.kill(process.pid, "SIGINT")); // until the client asks
  const print = (line: string) => screen.print(line, process.stderr);
  const receivers = new Map<string, ChildProcess>();
  const { api, to, close } = await startServers(print, options, { receivers });
  for (let number = 0; number < options.receivers; number++) {
    const name = `receiver-${number}`; // the number is that of the list, where names are in their order
    receivers.set(name, startReceiver(name, to, print));
  }
  try {
    const group = await untilInGroup([...receivers.values()], api, signal);
    if (interactive) return await runClient(to, signal, screen);
    const codes = await Promise.all(group.map(({ id }) => runClient([...to, "--to", id], signal, screen)));
    return Math.max(...codes);
  } finally {
    await Promise.all([...receivers.values()].map(end));
    await close();
    screen.close();
  }
}

await runIfMain(import.meta, main);
