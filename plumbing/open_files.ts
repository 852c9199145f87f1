/** How many connections a process may have: each is an open file to the system. */
import { readFileSync } from "node:fs";

const OWN_FILES = 50; // what a process has open besides, some 30: its code, logs, connections to discovery

/** How many files this process may have open; undefined where the system has no /proc to ask. */
export function openFilesLimit(): number | undefined {
  try {
    const [, soft] = readFileSync("/proc/self/limits", "utf8").match(/^Max open files +(\d+)/m) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** How many files a process with so many sockets has open. */
export function openFilesFor(sockets: number): number {
  return sockets + OWN_FILES;
}

/**
 * How many connections a server may take, of as many as it would: past its last file it can't even refuse one.
 *
 * @param sockets those that it has besides
 */
export function connectionsFor(
  wanted: number,
  sockets = 0,
  most = openFilesLimit() ?? Number.POSITIVE_INFINITY,
): number {
  return Math.max(1, Math.min(wanted, most - openFilesFor(sockets)));
}

/**
 * Whether so many sockets can be opened, before any is.
 *
 * @param doing as in `Cannot start 30000 copies`
 * @returns what is wrong, with both numbers
 */
export function problemWithOpenFiles(
  doing: string,
  sockets: number,
  most = openFilesLimit(),
): string | undefined {
  const needed = openFilesFor(sockets);
  if (most === undefined || needed <= most) return undefined;
  return (
    `Cannot ${doing}: that takes ${needed} open files, and this process may have ${most}; ` +
    `try ulimit -n ${needed}, or fewer`
  );
}
