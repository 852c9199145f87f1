/**
 * Which clients are alive, as far as the monitor hears of them: each has a lease, as receivers have one at discovery.
 * A client that is killed can't say so. monitor.ts makes one.
 */
import { DISCOVERY } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";

const LEASE_MS = 15_000; // three times as long as a client takes to tell it again
const LATE_MS = 1000; // a lease whose end is noticed so late: this process was stopped, and what came meanwhile is still to be read
const MAX_CLIENTS = 1000; // of more than these nobody hears that they are gone

export interface Presence {
  /** A batch has come: who is alive, and who has ended in order. */
  heard(batch: { alive: readonly string[]; stopped: readonly string[] }): void;
  /** The names of those that are alive. */
  list(): string[];
}

interface Client {
  lease: NodeJS.Timeout;
  isGone: boolean; // it may come back: it was stopped, or its network was
}

export function createPresence(
  trace: Trace,
  { leaseMs = LEASE_MS, maxClients = MAX_CLIENTS, now = () => performance.now() } = {},
): Presence {
  const clients = new Map<string, Client>();

  function renew(name: string): void {
    const client = clients.get(name);
    if (!client && clients.size >= maxClients && !forgetOneGone(clients)) return;
    if (client?.isGone) trace.tell("reachable", { from: name });
    clearTimeout(client?.lease);
    const endsAt = now() + leaseMs;
    clients.set(name, { lease: setTimeout(expire, leaseMs, name, endsAt).unref(), isGone: false });
  }

  function expire(name: string, endsAt: number): void {
    if (now() > endsAt + LATE_MS) return void renew(name);
    Object.assign(clients.get(name) ?? {}, { isGone: true });
    trace.tell("unreachable", { from: name });
  }

  return {
    heard({ alive, stopped }) {
      for (const name of alive) if (name !== DISCOVERY) renew(name); // discovery is asked
      for (const name of stopped) {
        clearTimeout(clients.get(name)?.lease);
        clients.delete(name);
      }
    },
    list: () => [...clients].flatMap(([name, { isGone }]) => (isGone ? [] : [name])),
  };
}

/** @returns whether there was one */
function forgetOneGone(clients: Map<string, Client>): boolean {
  for (const [name, { isGone }] of clients) if (isGone) return clients.delete(name);
  return false;
}
