/** The registry of discovery: who is in the group, each with a lease that a heartbeat renews. */
import { randomUUID } from "node:crypto";
import type { Receiver, Registration } from "./messages.ts";

export interface Registry {
  /** @returns the id that the receiver gets; undefined when the registry is full */
  register(where: Registration): string | undefined;
  /** Renews a lease. @returns false for an id that isn't in the group (any more) */
  heartbeat(id: string): boolean;
  /** Who is in the group at this moment, in the order in which they registered. */
  list(): Receiver[];
  /**
   * False just after the start: who was in the group before comes back with its next heartbeat, so only
   * after the time of a lease does it mean something that a receiver is missing.
   */
  isComplete(): boolean;
  /** @returns false for an id that isn't in the group (any more) */
  leave(id: string): boolean;
  /** Frees the memory of expired leases. They count for nothing before that already. */
  sweep(): void;
}

export type RegistryEvent = "registered" | "left" | "expired" | "replaced";

export interface RegistryOptions {
  /** How long a lease lasts, in milliseconds. */
  ttlMs: number;
  /** @default {100_000} */
  maxReceivers?: number;
  /** Is told of each that comes and goes. */
  onChange?: (event: RegistryEvent, receiver: Receiver) => void;
  /** Is told of each lease that is renewed. */
  onHeartbeat?: (receiver: Receiver) => void;
  /** Milliseconds; leases are measured by it. @default a clock that doesn't jump when the system's is set */
  now?: () => number;
  /** Seconds since 1970, for `last_seen`. @default the system's clock */
  wallClock?: () => number;
}

interface Lease {
  receiver: Receiver;
  renewedAt: number;
}

export function createRegistry({
  ttlMs,
  maxReceivers = 100_000,
  onChange = () => {},
  onHeartbeat = () => {},
  now = () => performance.now(),
  wallClock = () => Date.now() / 1000,
}: RegistryOptions): Registry {
  const startedAt = now();
  const leases = new Map<string, Lease>(); // by id
  const idAt = new Map<string, string>(); // host:port → id

  const isValid = (lease: Lease) => now() - lease.renewedAt < ttlMs;

  function find(id: string): Lease | undefined {
    const lease = leases.get(id);
    return lease && isValid(lease) ? lease : undefined;
  }

  function remove({ receiver }: Lease, event: RegistryEvent) {
    leases.delete(receiver.id);
    idAt.delete(`${receiver.host}:${receiver.port}`);
    onChange(event, receiver);
  }

  function sweep() {
    for (const lease of leases.values()) if (!isValid(lease)) remove(lease, "expired");
  }

  return {
    register({ host, port }) {
      // One address, one receiver: who registers it again was restarted there.
      const before = leases.get(idAt.get(`${host}:${port}`) ?? "");
      if (before) remove(before, "replaced");
      if (leases.size >= maxReceivers) sweep();
      if (leases.size >= maxReceivers) return undefined;
      const receiver = { id: randomUUID(), host, port, last_seen: wallClock() };
      leases.set(receiver.id, { receiver, renewedAt: now() });
      idAt.set(`${host}:${port}`, receiver.id);
      onChange("registered", receiver);
      return receiver.id;
    },
    heartbeat(id) {
      const lease = find(id);
      if (lease === undefined) return false;
      lease.renewedAt = now();
      lease.receiver.last_seen = wallClock();
      onHeartbeat(lease.receiver);
      return true;
    },
    list: () => [...leases.values()].filter(isValid).map(({ receiver }) => receiver),
    isComplete: () => now() - startedAt >= ttlMs,
    leave(id) {
      const lease = find(id);
      if (lease) remove(lease, "left");
      return lease !== undefined;
    },
    sweep,
  };
}
