/** The client's end of one connection: reads what the receiver answers, and why it closes. links.ts opens them. */
import { explainFailure } from "../plumbing/explain_failure.ts";
import { connectFar, type Link, type LinkOptions } from "../plumbing/far_socket.ts";
import { printable, quoted } from "../plumbing/printable.ts";
import { readJson } from "../plumbing/read_json.ts";
import { createFrameReader } from "./framing.ts";
import { type Ack, AnswerSchema, isAck, type Receiver } from "./messages.ts";

export interface ConnectToOptions {
  onAck: (ack: Ack) => void;
  /** Is told in words why the connection is over, or never was. */
  onClose: (cause: string) => void;
}

export function connectTo(to: Receiver, options: LinkOptions, { onAck, onClose }: ConnectToOptions): Link {
  const { host, port } = to;
  const socket = connectFar({ host, port }, options);
  let cause = "the connection was closed";
  const takeFrame = (line: string) => {
    const answer = readJson(AnswerSchema, line, isAck);
    if ("problem" in answer) socket.destroy(new Error(`it answered what is no ack: ${answer.problem}`));
    else if (answer.value.type === "ack") onAck(answer.value);
    else cause = `it answered ${answer.value.code}: ${printable(answer.value.message)}`;
  };
  const read = createFrameReader(takeFrame, (_code, problem) => socket.destroy(new Error(problem)));
  socket.on("data", read);
  socket.on("error", (error) => {
    cause = explainFailure(error).reason;
  });
  return socket.on("close", () => {
    if (read.unfinished()) cause = `it answered ${quoted(read.unfinished())}, which is no frame`;
    onClose(cause);
  });
}
