/** A wait inside a longer one: a message within the program, enough acks within a message to the group. */
import { setTimeout as delay } from "node:timers/promises";

export interface ChildController {
  signal: AbortSignal;
  /** Ends the inner wait alone. @param why for people, as in `given up` */
  abort(why: string): void;
  /** Forgets the outer wait; call it when the inner one is over. */
  release(): void;
}

/** Makes a controller whose signal is aborted together with `parent`, or alone. */
export function createChildController(parent: AbortSignal): ChildController {
  const controller = new AbortController();
  const follow = () => controller.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    abort: (why) => controller.abort(new DOMException(why, "AbortError")),
    release: () => parent.removeEventListener("abort", follow),
  };
}

/** Whether an error only says that the wait was ended on purpose. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** Who waits for something, and may be woken before it comes. */
export interface Waiter {
  signal: AbortSignal;
  wake: ((...end: never[]) => void) | undefined;
}

/** Does some work that ends when `waiter` is woken, or its signal is aborted. @returns undefined if it was ended */
export async function untilWoken<T>(
  waiter: Waiter,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const wait = createChildController(waiter.signal);
  waiter.wake = () => wait.abort("it was woken");
  try {
    return await work(wait.signal);
  } catch (error) {
    if (!isAbort(error)) throw error;
    return undefined;
  } finally {
    wait.release();
  }
}

/** Waits until a time, by `performance.now()`. @throws {Error} named AbortError, when the signal is aborted first */
export async function pauseUntil(endsAt: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, endsAt - performance.now()), undefined, { signal });
}
