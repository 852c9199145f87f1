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

/** @param maxBytes of all pieces together, as the caller has checked */
export function addPiece(pieces: Pieces, piece: Buffer, maxBytes: number): void {
  const { room, bytes } = pieces;
  if (bytes + piece.length > room.length) {
    pieces.room = Buffer.allocUnsafeSlow(Math.min(2 * (bytes + piece.length), maxBytes));
    room.copy(pieces.room, 0, 0, bytes);
  }
  piece.copy(pieces.room, bytes);
  pieces.bytes += piece.length;
}

/** All that there is; then there is nothing. */
export function takePieces(pieces: Pieces): Buffer {
  const whole = pieces.room.subarray(0, pieces.bytes);
  Object.assign(pieces, noPieces());
  return whole;
}
