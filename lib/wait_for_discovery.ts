/** Receivers and clients may start before discovery does: then they wait for it. */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../plumbing/log.ts";
import { type DiscoveryApi, DiscoveryError } from "./discovery_api.ts";

export interface WaitForDiscoveryServerOptions {
  log: Log;
  /** Ends the wait. */
  signal: AbortSignal;
  /** How long to wait between two questions, in milliseconds. @default {5000} */
  everyMs?: number;
}

/**
 * Waits until the discovery server answers; says each time that it doesn't. Source: the Python's
 * `wait_for_discovery_server`.
 *
 * @throws {Error} named AbortError, when the signal is aborted first
 */
export async function waitForDiscoveryServer(
  discovery: DiscoveryApi,
  { log, signal, everyMs = 5000 }: WaitForDiscoveryServerOptions,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      await discovery.health();
      return;
    } catch (error) {
      if (!(error instanceof DiscoveryError)) throw error;
      log.warn(
        `waiting for discovery, asking again in ${everyMs / 1000}s (${error.message}); ${hint(error)}`,
      );
    }
    await delay(everyMs, undefined, { signal });
  }
}

function hint(error: DiscoveryError): string {
  return error.code === "unreachable"
    ? "start it with: tsx discovery.ts"
    : "is that discovery? Another program may have its port; pass --discovery";
}
