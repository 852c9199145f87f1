/** Receivers that lie. Each is listed by a discovery that doesn't, and a client sends to it. */
import type { Socket } from "node:net";
import { createFrameReader, writeFrame } from "../lib/framing.ts";
import type { Message } from "../lib/messages.ts";
import { listen } from "../plumbing/listen.ts";
import { createServer, reset } from "./wires.ts";

const SAYS_CHARS = 600_000;
const LONG = "x".repeat(SAYS_CHARS);
const CONTROLS = "\u001b]0;evil\u0007\u001b[2J".repeat(SAYS_CHARS / 12);

/** What it does with a connection. */
export type ReceiverLie = (socket: Socket) => void;

const ack = ({ id }: Message, more = {}) => ({
  type: "ack",
  id,
  receiver: "liar",
  duplicate: false,
  ...more,
});

/** Answers each message. */
function answers(answer: (message: Message, socket: Socket) => void): ReceiverLie {
  return (socket) => {
    const take = (line: string) => answer(JSON.parse(line), socket);
    socket.on(
      "data",
      createFrameReader(take, () => socket.destroy()),
    );
  };
}
const says = (make: (message: Message) => object) =>
  answers((message, socket) => void writeFrame(socket, make(message)));

/** Goes on and on as fast as it is read. */
function endless(text: string): ReceiverLie {
  const bytes = Buffer.from(text);
  return (socket) => {
    const more = () => {
      while (socket.writable && socket.write(bytes));
    };
    socket.on("drain", more).resume();
    more();
  };
}
const frame = (value: object) => `${JSON.stringify(value)}\n`;
const stray = frame({ type: "ack", id: "nobody's", receiver: "liar", duplicate: false });

export const RECEIVER_LIES: Record<string, ReceiverLie> = {
  "acks as it should": says((message) => ack(message)),
  "never reads": (socket) => void socket.pause(),
  "reads and says nothing": (socket) => void socket.resume(),
  "closes at once": (socket) => void socket.destroy(),
  "resets at once": (socket) => void reset(socket),
  "closes after a message": answers((_message, socket) => void socket.end()),
  "answers bytes without a newline": endless("x".repeat(64 * 1024)),
  "answers newlines": endless("\n".repeat(64 * 1024)),
  "acks without an end what nobody sent": endless(stray.repeat(500)),
  "errors with a long message": says(() => ({ type: "error", code: "busy", message: LONG })),
  "errors with a long code": says(() => ({ type: "error", code: LONG, message: "x" })),
  "errors with control characters": says(() => ({ type: "error", code: "busy", message: CONTROLS })),
  "errors without an end": endless(frame({ type: "error", code: "busy", message: "again" }).repeat(500)),
  "acks another id": says(() => ack({ id: "another" } as Message)),
  "acks twice": answers((message, socket) => {
    for (const duplicate of [false, true, false]) writeFrame(socket, ack(message, { duplicate }));
  }),
  "acks in another's name": says((message) => ack(message, { receiver: "\u001b[2J" })),
  "acks with a clock that is none": says((message) => ack(message, { clock: 2 ** 53 })),
  "acks with the last clock": says((message) => ack(message, { clock: Number.MAX_SAFE_INTEGER })),
  "acks __proto__": answers((_message, socket) => void socket.write(stray.replace("nobody's", "__proto__"))),
  "nests deeply": answers((_message, socket) => void socket.write(`${"[".repeat(SAYS_CHARS)}\n`)),
  "sends a byte a second": (socket) => {
    const timer = setInterval(() => socket.writable && socket.write("{"), 1000);
    socket.on("close", () => clearInterval(timer)).resume();
  },
};

/** Starts one. */
export async function startLyingReceiver(lie: ReceiverLie, host: string) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    lie(socket);
  });
  const port = await listen(server, 0, host);
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port, close };
}
