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
  /** @returns false for an id that isn't in the group (any more) */
  leave(id: string): boolean;
  /** Frees the memory of expired leases. They count for nothing before that already. */
  sweep(): void;
}

export interface RegistryOptions {
  /** How long a lease lasts, in milliseconds. */
  ttlMs: number;
  /** @default {100_000} */
  maxReceivers?: number;
  /** Is told of each that comes and goes: `registered`, `left`, `expired`, `replaced`. */
  onChange?: (event: string, receiver: Receiver) => void;
  /** Milliseconds since 1970. @default a clock that doesn't jump when the system's is set */
  now?: () => number;
}

export function createRegistry({
  ttlMs,
  maxReceivers = 100_000,
  onChange = () => {},
  now = () => performance.timeOrigin + performance.now(),
}: RegistryOptions): Registry {
  const receivers = new Map<string, Receiver>(); // by id
  const idAt = new Map<string, string>(); // host:port → id

  const isExpired = (receiver: Receiver) => now() - receiver.last_seen * 1000 >= ttlMs;

  function find(id: string): Receiver | undefined {
    const receiver = receivers.get(id);
    return receiver && !isExpired(receiver) ? receiver : undefined;
  }

  function remove(receiver: Receiver, event: string) {
    receivers.delete(receiver.id);
    idAt.delete(`${receiver.host}:${receiver.port}`);
    onChange(event, receiver);
  }

  function sweep() {
    for (const receiver of receivers.values()) if (isExpired(receiver)) remove(receiver, "expired");
  }

  return {
    register({ host, port }) {
      // One address, one receiver: who registers it again was restarted there.
      const before = receivers.get(idAt.get(`${host}:${port}`) ?? "");
      if (before) remove(before, "replaced");
      if (receivers.size >= maxReceivers) sweep();
      if (receivers.size >= maxReceivers) return undefined;
      const receiver = { id: randomUUID(), host, port, last_seen: now() / 1000 };
      receivers.set(receiver.id, receiver);
      idAt.set(`${host}:${port}`, receiver.id);
      onChange("registered", receiver);
      return receiver.id;
    },
    heartbeat(id) {
      const receiver = find(id);
      if (receiver) receiver.last_seen = now() / 1000;
      return receiver !== undefined;
    },
    list: () => [...receivers.values()].filter((receiver) => !isExpired(receiver)),
    leave(id) {
      const receiver = find(id);
      if (receiver) remove(receiver, "left");
      return receiver !== undefined;
    },
    sweep,
  };
}
