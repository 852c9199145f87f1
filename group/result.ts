/** What is known of a message while it is sent, and in the end: types of `client.ts`, group/ and terminal/. */
import type { Receiver } from "../lib/messages.ts";

/**
 * What a sender knows of a message in the end.
 * - `acked`: an ack came
 * - `undelivered`: there never was a connection, so it provably did not arrive
 * - `unknown`: it was sent and no ack came; it may or may not have been processed
 */
export type Outcome = "acked" | "undelivered" | "unknown";

export interface Result {
  id: string;
  /** The id of the receiver that acked, or else of the last that was tried. */
  receiver: string;
  outcome: Outcome;
  attempts: number;
  /** From the start to the end, in milliseconds. */
  ms: number;
  /** The receiver said that it had processed the message at an earlier attempt. */
  duplicate?: boolean;
  /** Why it isn't acked, for people. */
  reason?: string;
  /** The receiver is no longer in the group. */
  gone?: boolean;
}

/** How the attempt under way stands. */
export interface AttemptState {
  number: number;
  /** Undefined where nobody is in the group. */
  receiver: Receiver | undefined;
  state: "connecting" | "sent" | "pausing";
  /** When it will be over, by `performance.now()`. */
  endsAt: number;
  /** Of a pause: why there was no ack. */
  reason?: string;
}

export interface SendOptions {
  /** Gives the message up. */
  signal: AbortSignal;
  /** Is told of each step of each attempt. */
  onAttempt?: ((attempt: AttemptState) => void) | undefined;
  /** @default a new one */
  id?: string;
}
