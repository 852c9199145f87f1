/** Whether a member is in the group no longer. The client's `sendMessage` asks after each attempt that failed. */
import { setTimeout as delay } from "node:timers/promises";
import type { DiscoveryApi, Listing } from "../lib/discovery_api.ts";
import type { Receiver } from "../lib/messages.ts";
import { untilWoken, type Waiter } from "../plumbing/child_controller.ts";

const ANSWER_WITHIN_MS = 1000; // a discovery that is slow must not hold up the next attempt for long
const ASK_EVERY_MS = 500; // however quickly attempts fail; one a second has a new answer each time

type Question = { askedAt: number; answer: Promise<Listing | undefined>; isOpen: boolean };

/** The last question: many that ask share one answer. */
const questions = new WeakMap<DiscoveryApi, Question>();

/**
 * Only a discovery that answers, and that was not started just now, can say so, and only when it was asked after the
 * message began: an older list may not have the member yet. One with the address of a member is that member, with a new id.
 */
export async function isGone(
  discovery: DiscoveryApi,
  { id, host, port }: Receiver,
  { sending, startedAt }: { sending: Waiter; startedAt: number },
): Promise<boolean> {
  const { askedAt, answer } = lastQuestion(discovery, sending.signal, startedAt);
  const listing = await untilWoken(sending, (signal) =>
    Promise.race([answer, delay(ANSWER_WITHIN_MS, undefined, { signal, ref: false })]),
  );
  const isHere = (other: Receiver) => other.id === id || (other.host === host && other.port === port);
  return listing?.isComplete === true && askedAt >= startedAt && !listing.receivers.some(isHere);
}

function lastQuestion(discovery: DiscoveryApi, signal: AbortSignal, startedAt: number): Question {
  const last = questions.get(discovery);
  const now = performance.now();
  const isFresh = last && last.askedAt >= startedAt && now - last.askedAt < ASK_EVERY_MS;
  if (last && (last.isOpen || isFresh)) return last;
  const question: Question = { askedAt: now, isOpen: true, answer: ask() };
  questions.set(discovery, question);
  return question;

  async function ask() {
    try {
      return await discovery.list({ signal });
    } catch {
      return undefined; // discovery is away, or who asked has given up
    } finally {
      question.isOpen = false;
    }
  }
}
