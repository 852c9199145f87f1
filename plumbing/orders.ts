/** Orders from the process that has started this one, if it has opened a way for them: the desk of a class gives faults so. */

/** Who gives orders may be killed, and can't end this one then. */
const endToo = () => void process.kill(process.pid, "SIGTERM");

/** Calls `take` with what each order of a kind, `{"rate":0.5}` for example, carries. They are no reason to stay. */
export function onOrder<T>(kind: string, take: (what: T) => void): void {
  if (!process.channel) return;
  process.on("message", (order: Record<string, T>) => {
    const what = order[kind];
    if (what !== undefined) take(what);
  });
  process.off("disconnect", endToo).once("disconnect", endToo);
  process.channel.unref();
}
