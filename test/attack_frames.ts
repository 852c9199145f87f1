/** Attacks by what is sent: frames and requests that are broken in every way. */
import { setTimeout as delay } from "node:timers/promises";
import fc, { type Arbitrary } from "fast-check";
import * as v from "valibot";
import { HeartbeatSchema, MessageSchema, RegistrationSchema } from "../lib/messages.ts";
import { MAX_BATCH } from "../trace/batch.ts";
import { TraceEventSchema } from "../trace/events.ts";
import type { Field, Target } from "./attack_field.ts";
import { mutatedFrames, oddRequests } from "./attack_mutate.ts";
import { countAnswers, openSocket, pick, type Tools, write } from "./attack_sockets.ts";
import { reset } from "./wires.ts";

/** What the monitor takes, each event by its schema; it looks at them one by one. */
export const EventsSchema = v.object({
  events: v.pipe(v.array(TraceEventSchema), v.maxLength(MAX_BATCH)),
  lost: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
});

const SAMPLES = 150; // made at a time; then others, as long as the attack lasts
const ANSWER_WITHIN_MS = 200; // after that the next is sent, answered or not
const LANES = 8; // connections at a time

export const FRAME_ATTACKS: Record<string, (field: Field, tools: Tools) => Promise<unknown>> = {
  "mutated frames to receivers": ({ receivers }, tools) =>
    sendAll(tools, () => pick(tools, receivers), mutatedFrames(MessageSchema)),

  "mutated frames to a receiver at work": ({ worker }, tools) =>
    sendAll(tools, () => worker, mutatedFrames(MessageSchema)),

  "odd requests to discovery": ({ discovery }, tools) => {
    const paths = ["/heartbeat", "/heartbeat", "/receivers", "/receivers/x", "/health", "/register", "/"];
    return sendAll(tools, () => discovery, oddRequests(HeartbeatSchema, paths));
  },
  "odd registrations": ({ flooded }, tools) =>
    sendAll(tools, () => flooded, oddRequests(RegistrationSchema, ["/register", "/register", "/receivers"])),

  "odd requests to the monitor": ({ monitor }, tools) => {
    const paths = [
      "/events",
      "/events",
      "/events",
      "/events.jsonl",
      "/group",
      "/diagram.mmd",
      "/health",
      "/",
      "/page.js",
    ];
    return sendAll(tools, () => monitor, oddRequests(EventsSchema, paths));
  },
};

/** Sends each on a connection of its own, several at a time. */
async function sendAll(tools: Tools, target: () => Target, things: Arbitrary<Buffer>): Promise<void> {
  const { random, signal } = tools;
  while (!signal.aborted) {
    const samples = fc.sample(things, { numRuns: SAMPLES, seed: Math.floor(random() * 2 ** 31) }).values();
    const sendRest = async () => {
      for (const sample of samples) await sendOne(tools, target(), sample);
    };
    await Promise.all(Array.from({ length: LANES }, sendRest));
  }
}

async function sendOne(tools: Tools, target: Target, sample: Buffer): Promise<void> {
  const socket = await openSocket(target, tools);
  countAnswers(socket, tools);
  tools.count("sent");
  const closed = new Promise<void>((resolve) => socket.once("close", resolve));
  const answered = new Promise<void>((resolve) => socket.once("data", () => resolve()));
  const late = delay(ANSWER_WITHIN_MS);
  write(socket, sample, tools).catch(() => {}); // one that is not read is not waited for
  await Promise.race([late, closed, answered]);
  if (tools.random() < 0.2) reset(socket);
  else socket.destroy();
}
