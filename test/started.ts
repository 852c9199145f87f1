/** What a test starts, and what ends it after each. */
import { keptLog, type Role, startRole, stopRole } from "./helpers.ts";
import { startDiscovery } from "./wires.ts";

/** What is to be closed after each test. */
export const toClose: (() => unknown)[] = [];
export const roles: Role[] = [];

/** Give it to `afterEach`. */
export async function endAll(): Promise<void> {
  for (const close of toClose.splice(0)) close();
  await Promise.all(roles.splice(0).map((role) => stopRole(role, "SIGKILL")));
}

/** Starts a role as a process of its own. */
export function start(file: string, ...args: string[]): Role {
  const role = startRole(file, args);
  roles.push(role);
  return role;
}

/** Starts discovery in this process, to save time. */
export async function startOwnDiscovery() {
  const options = { host: "127.0.0.1", port: 0, receiverTtlMs: 30_000, sweepEveryMs: 5000 };
  const { port, close } = await startDiscovery(options, keptLog().log);
  toClose.push(close);
  return { url: `http://127.0.0.1:${port}`, close };
}
