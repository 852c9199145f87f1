/** The Mermaid drawing of events that docs/diagrams.ts has no scene for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawMermaid } from "../monitor/mermaid.ts";
import type { TraceEvent } from "../trace/events.ts";

const at = (process: string, clock: number, event: TraceEvent["event"], more: Partial<TraceEvent> = {}) => ({
  ...{ event, process, clock, at: clock, ...more },
});
const m1 = { message: "m1", attempt: 1, receiver: "id-a" };
const body = (text: string) => text.split("\n").filter((line) => /^ {4}(?!participant)/.test(line));

test("drawMermaid() draws a message that was lost on its way as an arrow that doesn't arrive, and nothing more", () => {
  const drawn = drawMermaid([
    at("a", 1, "joined", { receiver: "id-a", note: "h:1" }),
    at("client", 2, "sent", m1),
    at("a", 3, "fault", { ...m1, from: "client", fault: "lost", note: "lost on its way" }),
    at("client", 4, "timed out", { ...m1, note: "no ack within 5s" }),
  ]);
  assert.deepEqual(body(drawn).slice(2), [
    "    client-xa: message m1, attempt 1",
    "    Note over client: no ack within 5s",
  ]);
});

test("drawMermaid() leaves out when processes start, stop, and are not heard of", () => {
  const drawn = drawMermaid([
    at("client", 1, "started"),
    at("discovery", 1, "started"),
    at("monitor", 1, "unreachable", { from: "discovery" }),
    at("monitor", 2, "reachable", { from: "discovery" }),
    at("client", 2, "stopped"),
  ]);
  assert.equal(drawn, "sequenceDiagram\n");
});
