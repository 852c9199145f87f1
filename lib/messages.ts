/**
 * What crosses the wire, as schemas; the types are inferred from them. All that comes from outside
 * goes through one of these before any of it is used.
 */
import * as v from "valibot";
import { cut } from "../plumbing/read_json.ts";

/** The longest list of receivers, and the most bytes that its JSON may have: 16 MiB. */
export const MAX_RECEIVERS = 100_000;
export const MAX_LIST_BYTES = 16 * 1024 * 1024;

const shortText = v.pipe(
  v.string("must be a text"),
  v.minLength(1, "must not be empty"),
  v.maxLength(128, "must have at most 128 characters"),
);
const counting = v.pipe(
  v.number("must be a number"),
  v.safeInteger("must be a whole number"),
  v.minValue(1, "must be 1 or more"),
);
const host = v.pipe(
  v.string("must be a text, such as receiver-1 or 192.168.0.7"),
  // Nothing but what a name or an address is made of: the list is printed on terminals.
  v.regex(/^[\w.:%-]{1,253}$/, "must be a host name or an IP address, at most 253 characters"),
);
const PORT_RULE = "must be a whole number from 1 to 65535";
const port = v.pipe(
  v.number(PORT_RULE),
  v.integer(PORT_RULE),
  v.minValue(1, PORT_RULE),
  v.maxValue(65535, PORT_RULE),
);

/** What a peer says is for people: its beginning is enough. */
const said = v.pipe(v.string("must be a text"), v.transform(cut));

// TCP, client to receiver and back

export const MessageSchema = v.object({
  type: v.literal("message", 'must be "message"'),
  /** Chosen by the sender, the same for every attempt. */
  id: shortText,
  from: v.optional(shortText),
  attempt: v.optional(counting, 1),
  body: v.string("must be a text"),
  /** The Lamport time of its sending; see trace/trace.ts. */
  clock: v.optional(counting),
});
export type Message = v.InferOutput<typeof MessageSchema>;

export const AckSchema = v.object({
  type: v.literal("ack"),
  /** The id of the message that it answers. */
  id: shortText,
  receiver: shortText,
  duplicate: v.boolean(),
  clock: v.optional(counting),
});
export type Ack = v.InferOutput<typeof AckSchema>;

export const ErrorFrameSchema = v.object({
  type: v.literal("error"),
  code: v.picklist(["bad_frame", "too_large", "busy"]),
  message: said,
});
export type ErrorFrame = v.InferOutput<typeof ErrorFrameSchema>;

/** All that a receiver may answer. */
export const AnswerSchema = v.variant("type", [AckSchema, ErrorFrameSchema]);

// Those frames of which there are many, as this project writes them, checked by hand: the schemas take a fifth of all time.

export function isMessage(input: unknown): input is Message {
  const { type, id, from, attempt, body, clock } = (input ?? {}) as Record<string, unknown>;
  const isNumbered = isCount(attempt) && isCount(clock) && type === "message";
  return isNumbered && isShort(id) && isShort(from) && typeof body === "string";
}

export function isAck(input: unknown): input is Ack {
  const { type, id, receiver, duplicate, clock } = (input ?? {}) as Record<string, unknown>;
  const isSaid = typeof duplicate === "boolean" && isCount(clock);
  return isSaid && type === "ack" && isShort(id) && isShort(receiver);
}

const isShort = (text: unknown) => typeof text === "string" && text.length >= 1 && text.length <= 128;
const isCount = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 1;

// HTTP, to discovery and back

export const RegistrationSchema = v.object({
  host,
  port,
  /** What the receiver is called in its log, for people. */
  name: v.optional(shortText),
});
export type Registration = v.InferOutput<typeof RegistrationSchema>;

export const RegisteredSchema = v.object({ message: said, id: shortText });

export const HeartbeatSchema = v.object({ id: shortText });

export const ReceiverSchema = v.object({
  id: shortText,
  host,
  port,
  /** When it was heard last, in seconds since 1970. */
  last_seen: v.pipe(v.number(), v.minValue(0), v.maxValue(2 ** 43)),
  name: v.optional(shortText),
});
export type Receiver = v.InferOutput<typeof ReceiverSchema>;
export const ReceiversSchema = v.pipe(
  v.array(ReceiverSchema),
  v.maxLength(MAX_RECEIVERS, `must have at most ${MAX_RECEIVERS} receivers`),
);
