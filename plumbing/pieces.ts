/** Gathers the pieces of something whose end has not come yet. lib/framing.ts has one a connection. */

const NOTHING = Buffer.alloc(0);

/** They are copies in one Buffer: a small piece as it came can hold a large chunk in memory, or cost more than it is. */
export interface Pieces {
  /** How many there are, in bytes. */
  bytes: number;
  room: Buffer;
}

export function noPieces(): Pieces {
  return { bytes: 0, room: NOTHING };
}

/** Rooms that are free again: made anew each time, they would be more garbage than a small container holds. */
const spare: Buffer[] = [];
const MAX_SPARE = 8;
const LARGE_BYTES = 64 * 1024;

/** @param maxBytes of all pieces together, as the caller has checked */
export function addPiece(pieces: Pieces, piece: Buffer, maxBytes: number): void {
  const { room, bytes } = pieces;
  const needed = bytes + piece.length;
  if (needed > room.length) {
    // Nor one that is much too large: it counts as kept for this one.
    const fits = spare.findIndex(({ length }) => length >= needed && length <= 8 * needed);
    const [found] = fits === -1 ? [] : spare.splice(fits, 1);
    pieces.room = found ?? Buffer.allocUnsafeSlow(Math.min(2 * needed, maxBytes));
    room.copy(pieces.room, 0, 0, bytes);
    giveBack(room);
  }
  piece.copy(pieces.room, bytes);
  pieces.bytes = needed;
}

/** Calls `use` with all that there is; then there is nothing. What it gets is written over afterwards. */
export function takePieces<T>(pieces: Pieces, use: (whole: Buffer) => T): T {
  const { room, bytes } = pieces;
  Object.assign(pieces, noPieces());
  try {
    return use(room.subarray(0, bytes));
  } finally {
    giveBack(room);
  }
}

function giveBack(room: Buffer): void {
  if (room.length > LARGE_BYTES && spare.length < MAX_SPARE) spare.push(room);
}
