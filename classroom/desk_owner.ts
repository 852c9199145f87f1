/**
 * Owns the processes of a desk without a class: that of a monitor started by hand with --desk, which runs this with the
 * addresses of discovery and of itself. It ends when the monitor does, and ends what it has started.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { CannotObey } from "../monitor/desk_calls.ts";
import type { Answered, Asked } from "../monitor/own_desk.ts";
import { memberFlags, readGroupFile } from "../plumbing/group_file.ts";
import { createLog } from "../plumbing/log.ts";
import { runIfMain, untilAborted } from "../plumbing/run.ts";
import { createDesk } from "./desk.ts";
import { createDeskClient } from "./desk_client.ts";
import { end, startReceiver } from "./processes.ts";

async function main(
  [discovery = "", monitor = "", ...files]: string[],
  signal: AbortSignal,
): Promise<number> {
  const print = (line: string) => void process.stderr.write(`${line}\n`);
  const receivers = new Map<string, ChildProcess>();
  const groupFile = files.length > 0 ? readGroupFile(files[0]) : undefined;
  const client = createDeskClient({ discovery, monitor, groupFile }, createLog("desk", {}));
  const to = ["--discovery", discovery, "--monitor", monitor, ...memberFlags(groupFile)];
  const start = (name: string) => startReceiver(name, to, print);
  const desk = createDesk({ receivers, startReceiver: start, client });
  process.on("message", async ({ number, order, until }: Asked) => {
    if (Date.now() > until) return; // this process stood still meanwhile
    const answer = await desk.obey(order).then(
      (deed) => ({ deed }),
      (error) => ({ refusal: asRefusal(error) }),
    );
    process.send?.({ number, ...answer, state: await desk.look() } satisfies Answered);
  });
  await Promise.race([once(process, "disconnect"), untilAborted(signal)]);
  await Promise.all([...receivers.values()].map(end));
  await client.close();
  return 0;
}

function asRefusal(error: unknown) {
  if (!(error instanceof CannotObey)) throw error;
  return { code: error.code, message: error.message };
}

await runIfMain(import.meta, main);
