/** The promises of the protocol, and a check for each; `check_record.ts` reads the records and calls `checkRecord`. */
import type { EventName } from "./events.ts";
import { breaks, createFindings, type Findings, lacks, locate, type Verdict } from "./findings.ts";
import { beginsLife, CLOCK, EVENT, type LookUp, lookUp, SEVERAL } from "./look_up.ts";
import type { RecordedEvent } from "./read_records.ts";
import { MAX_CLOCK } from "./trace.ts";

export const PROMISES = {
  "acked only what was processed": "no ack for a message that was never processed",
  "processed once": "no message processed twice by one receiver",
  "acked means processed": "what a client calls acked was processed by who acked it",
  "no effect before its cause": "by the Lamport clocks, nothing comes before what caused it",
  "group sends met their need": "a send to the group that is called acked has as many acks as it needed",
} as const;
export type Promised = keyof typeof PROMISES;

/** An event that is checked. */
interface Checked {
  event: RecordedEvent;
  number: number; // among all
  life: number; // that it belongs to
}

interface Run extends LookUp {
  findings: Findings;
}

/**
 * Checks the events of a run; those of one process in the order in which they were recorded. Goes through
 * them twice, and a third time where something is to be named, and keeps none of them.
 */
export function checkRecord(events: Iterable<RecordedEvent>): Verdict {
  const findings = createFindings();
  const run = { ...lookUp(events, findings), findings };
  const lives = new Map<string, number>(); // by process
  let number = 0;
  for (const event of events) {
    const { process } = event;
    if (beginsLife(event) || !lives.has(process)) lives.set(process, number);
    checkEvent(run, { event, number, life: lives.get(process) ?? number });
    number += 1;
  }
  return { ...locate(findings, events), events: number, processes: lives.size };
}

function checkEvent(run: Run, checked: Checked): void {
  const { event: name, process, message = "", clock } = checked.event;
  if (name === "acked") checkProcessed(run, "acked only what was processed", process, checked);
  if (name === "received") checkReceived(run, checked);
  if (name === "ack received" || name === "ack ignored") checkAck(run, checked);
  if (name === "group acked") checkNeed(run, checked);
  if (name === "sent" && run.ended.find(process, message) < 0)
    lacks(run.findings, `${process} sent ${message}, and never came to an end with it`);
  if (clock === MAX_CLOCK) lacks(run.findings, `the clock of ${process} has come to its end`);
}

/** Whether `process` processed the message of an event; before that, where the clocks can say so. */
function checkProcessed(
  run: Run,
  promise: Promised,
  process: string,
  { event, number, life }: Checked,
): void {
  const { message = "", clock, heard } = event;
  const { find, values } = run.processed;
  const isOwn = event.process === process;
  const at = isOwn ? find("life", life, message) : find("process", process, message);
  if (at < 0) {
    breaks(run.findings, promise, `${process} never processed ${message}`, number);
    return;
  }
  const processedAt = values[at + CLOCK] ?? SEVERAL;
  const isOrdered = (isOwn || heard !== undefined) && clock !== MAX_CLOCK && processedAt !== SEVERAL;
  if (isOrdered && processedAt >= clock)
    breaks(
      run.findings,
      promise,
      `${process} processed ${message} only later`,
      number,
      values[at + EVENT] ?? 0,
    );
}

/** Whether what was heard was said: by that process, at that time, about that message. */
function checkCause(
  run: Run,
  process: string,
  names: readonly EventName[],
  { event, number }: Checked,
): void {
  const { heard, clock, message = "" } = event;
  const promise = "no effect before its cause";
  if (heard === undefined || heard === MAX_CLOCK) return;
  if (heard >= clock)
    breaks(run.findings, promise, `time ${clock} is not after its cause at ${heard}`, number);
  if (names.some((name) => run.facts.find("said", process, heard, name, message) >= 0)) return;
  breaks(run.findings, promise, `${process} has no "${names[0]}" of ${message} at time ${heard}`, number);
}

function checkReceived(run: Run, checked: Checked): void {
  const { from } = checked.event;
  if (from === undefined) return;
  if (run.lives.has(from)) checkCause(run, from, ["sent", "retried"], checked);
  else lacks(run.findings, `${from} sent messages, and its record is not here`);
}

/** Who acked is whom the client asked, or who has its address by now: known by its id, or before it has one by its name. */
function checkAck(run: Run, checked: Checked): void {
  const { event: name, receiver = "", acker = receiver } = checked.event;
  const process = run.processOf.get(acker) ?? (run.lives.has(acker) ? acker : undefined);
  if (process === undefined) {
    lacks(run.findings, `receiver ${acker} acked messages, and its record is not here`);
    return;
  }
  if (name === "ack received") checkProcessed(run, "acked means processed", process, checked);
  checkCause(run, process, ["acked"], checked);
}

/** Where there were too many ackers to name them, those count whose acks the client received. */
function checkNeed(run: Run, { event, number }: Checked): void {
  const { process, message = "", ackedBy, need = 1 } = event;
  const heard = (id: string) => run.facts.find("ack", process, message, id) >= 0;
  const ackers = ackedBy
    ? new Set(ackedBy.filter(heard)).size
    : (run.ended.values[run.ended.find(process, message)] ?? 0);
  if (ackers < Math.max(1, need)) {
    const why = `${message} needed ${need} acks and had ${ackers}`;
    breaks(run.findings, "group sends met their need", why, number);
  }
}
