/**
 * Whom a TCP server serves, and what it keeps for all of them together: so that no peer fills its memory, or keeps
 * the others out by taking every place. receiver.ts makes one for its process, lib/framing.ts lets the peers in.
 */
import type { Socket } from "node:net";
import { flush } from "./joined_writes.ts";

/** What a frame in work costs at most, in bytes: what its ack needs, a timer and some promises. Measured. */
export const WORK_BYTES = 2048;
const UNREAD_COST = 4; // bytes of memory for one of an ack that isn't read: each ack is kept in an object of its own
const PAUSED_BYTES = 64 * 1024; // what the system may have read already for a peer from whom we don't read on
const QUIET_MS = 3000;
const MAX_LEAVING = 100;

/** A peer on its connection. */
export interface Guest {
  intake: Intake;
  socket: Socket;
  /** How many frames it sent that are in work, and how many that got no answer (yet). */
  owed: number;
  unanswered: number;
  /** It has closed its half: it sends no more, and still reads. */
  hasSaidAll: boolean;
  /** What is kept for it: a frame that is not whole yet, and what it doesn't read. */
  heldBytes: number;
  /** When it came forward last, by `performance.now()`: it sent a whole frame, or read what it was sent. */
  movedAt: number;
  hasMoved: boolean; // since it was counted
  keeps: GuestOptions["keeps"];
  dismiss: GuestOptions["dismiss"];
}

export interface GuestOptions {
  /** How many bytes are kept of what has come. */
  keeps(): number;
  /** Gives those up, tells the guest why it can't stay, and closes. */
  dismiss(guest: Guest, why: string): void;
  /** Is called when it is quiet for three seconds, and when it has said all. */
  onQuiet(): void;
}

export interface Intake {
  maxGuests: number;
  maxHeldBytes: number;
  maxWorkBytes: number;
  patienceMs: number;
  heldBytes: number;
  workBytes: number;
  guests: Set<Guest>; // who came forward last is last
  leaving: Set<Guest>; // they are told why they can't stay
  busy: Set<Socket>; // of guests that have sent more than is read at once: each in its turn
}

/**
 * @param options.maxHeldBytes how much is kept for all guests together. @default 8 MiB
 * @param options.maxWorkBytes how much frames in work may cost, {@linkcode WORK_BYTES} each. @default 20 MiB
 * @param options.patienceMs how long a guest may take for the rest of a frame, or to read what it was sent
 */
export function createIntake(
  maxGuests: number,
  { maxHeldBytes = 8 * 1024 * 1024, maxWorkBytes = 20 * 1024 * 1024, patienceMs = 30_000 } = {},
): Intake {
  const limits = { maxGuests, maxHeldBytes, maxWorkBytes, patienceMs };
  const nobody = { guests: new Set<Guest>(), leaving: new Set<Guest>(), busy: new Set<Socket>() };
  const intake: Intake = { ...limits, heldBytes: 0, workBytes: 0, ...nobody };
  setInterval(dismissStalled, patienceMs / 30, intake).unref();
  return intake;
}

/** Lets a guest in. When all places are taken, the one that is idle for the longest time goes, never one that waits. */
export function admit(intake: Intake, socket: Socket, options: GuestOptions): Guest {
  const { guests, maxGuests } = intake;
  const counts = { owed: 0, unanswered: 0, heldBytes: 0, movedAt: performance.now() };
  const guest: Guest = { intake, socket, ...options, ...counts, hasSaidAll: false, hasMoved: false };
  guests.add(guest);
  socket.once("close", () => forget(guest));
  socket.setTimeout(QUIET_MS).on("timeout", options.onQuiet);
  socket.on("end", () => {
    options.onQuiet();
    guest.hasSaidAll = true;
    endIfDone(guest);
  });
  socket.on("drain", () => {
    guest.hasMoved = true;
    if (!intake.busy.has(socket)) socket.resume();
    count(guest);
  });
  if (guests.size <= maxGuests) return guest;
  const idle = [...guests].find((each) => !isWaiting(each)) ?? guest;
  dismiss(idle, `Cannot take more than ${maxGuests} connections: try again later`);
  return guest;
}

/** One whose frame met a fault waits, too: for an answer that never comes. */
function isWaiting({ intake, owed, unanswered, movedAt }: Guest): boolean {
  return owed > 0 || (unanswered > 0 && performance.now() - movedAt < intake.patienceMs);
}

/** A guest has sent a frame. @returns false when there is no room for more work */
export function beginWork(guest: Guest): boolean {
  const { intake } = guest;
  if (intake.workBytes + WORK_BYTES > intake.maxWorkBytes) return false;
  intake.workBytes += WORK_BYTES;
  guest.owed += 1;
  guest.unanswered += 1;
  guest.hasMoved = true;
  return true;
}

export function endWork(guest: Guest): void {
  guest.intake.workBytes -= WORK_BYTES;
  guest.owed -= 1;
  endIfDone(guest);
}

/** Serves it no longer than until it has said all, and has got all that it is owed. */
function endIfDone({ hasSaidAll, owed, socket }: Guest): void {
  if (!hasSaidAll || owed > 0) return;
  flush(socket);
  socket.end();
}

/** Counts what is kept for a guest. When that is too much for all, who has kept the most for the longest time goes. */
export function count(guest: Guest): void {
  const { intake } = guest;
  measure(guest);
  if (intake.heldBytes > intake.maxHeldBytes) for (const each of [...intake.guests]) measure(each); // by now it may be read
  while (intake.heldBytes > intake.maxHeldBytes)
    dismiss(findGreediest(intake), "Cannot keep so much for all connections: try again later");
}

function measure(guest: Guest): void {
  const { intake, socket, keeps } = guest;
  if (!intake.guests.has(guest)) return;
  const bytes = keeps() + UNREAD_COST * socket.writableLength + (socket.isPaused() ? PAUSED_BYTES : 0);
  if (guest.hasMoved || guest.heldBytes === 0) guest.movedAt = performance.now();
  if (guest.hasMoved && intake.guests.delete(guest)) intake.guests.add(guest);
  guest.hasMoved = false;
  intake.heldBytes += bytes - guest.heldBytes;
  guest.heldBytes = bytes;
}

/** By bytes times time: a large frame that comes quickly costs little. */
function findGreediest({ guests }: Intake): Guest {
  const now = performance.now();
  const costOf = ({ heldBytes, movedAt }: Guest) => heldBytes * (now - movedAt + 1);
  return [...guests].reduce((most, guest) => (costOf(guest) > costOf(most) ? guest : most));
}

function dismissStalled({ guests, patienceMs }: Intake): void {
  const before = performance.now() - patienceMs;
  for (const guest of [...guests]) measure(guest);
  const stalled = [...guests].filter(({ heldBytes, movedAt }) => heldBytes > 0 && movedAt < before);
  const why = `Cannot wait longer than ${patienceMs / 1000}s for the rest of a frame, or for acks to be read`;
  for (const guest of stalled) dismiss(guest, why);
}

/** Some have time to read why they can't stay; who doesn't read, or comes with a crowd, has none. */
function dismiss(guest: Guest, why: string): void {
  const { intake, socket } = guest;
  forget(guest);
  if (socket.writableLength > 0 || intake.leaving.size >= Math.min(MAX_LEAVING, intake.maxGuests))
    return void socket.destroy();
  intake.leaving.add(guest);
  socket.once("close", () => intake.leaving.delete(guest));
  guest.dismiss(guest, why);
}

function forget(guest: Guest): void {
  const { intake, heldBytes } = guest;
  if (intake.guests.delete(guest)) intake.heldBytes -= heldBytes;
}
