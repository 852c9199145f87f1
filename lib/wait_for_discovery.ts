/** Receivers and clients may start before discovery does, or outlive it: then they wait for it. */
import { setTimeout as delay } from "node:timers/promises";
import { hintFor } from "../plumbing/hint_for.ts";
import type { Log } from "../plumbing/log.ts";
import { DiscoveryError } from "./discovery_api.ts";

export interface WaitForDiscoveryServerOptions {
  log: Log;
  /** Ends the wait. */
  signal: AbortSignal;
  /** How long to wait between two questions, in milliseconds. @default {5000} */
  everyMs?: number;
}

/**
 * Asks discovery until it answers, and says each time that it doesn't. Source: the Python's
 * `wait_for_discovery_server`, which asks for the list, too.
 *
 * @param ask what is wanted of discovery: its list, or to register
 * @returns its answer
 * @throws {Error} named AbortError, when the signal is aborted first
 * @throws {DiscoveryError} when discovery refuses what is asked: to ask again would not help
 *
 * @example
 * ```ts
 * const { receivers } = await waitForDiscoveryServer(() => discovery.list({ signal }), { log, signal });
 * ```
 */
export async function waitForDiscoveryServer<T>(
  ask: () => Promise<T>,
  { log, signal, everyMs = 5000 }: WaitForDiscoveryServerOptions,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof DiscoveryError) || error.code === "refused") throw error;
      signal.throwIfAborted();
      const seconds = everyMs / 1000;
      log.warn(`waiting for discovery, asking again in ${seconds}s (${error.message})${hintFor(error)}`);
    }
    await delay(everyMs, undefined, { signal });
  }
}
