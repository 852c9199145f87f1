/** Discoveries that lie. Each is asked by a client and by a receiver that were told to use it. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { listen } from "../plumbing/listen.ts";
import { MIB } from "./attack_sockets.ts";
import { createHttpServer as createServer } from "./wires.ts";

const TOO_MANY = 130_000; // entries
const BOMB_MIB = 1500; // what the gzip bomb becomes
const SAYS_CHARS = 1_000_000; // of an error text

/** What it answers. Entries are real receivers, as far as it tells the truth. */
export type Lie = (asked: IncomingMessage, answer: ServerResponse, about: About) => void;
interface About {
  entries: object[];
  number: number; // of the request
  other: string; // another server, which nobody was told to ask
}

const JSON_TYPE = { "Content-Type": "application/json", "X-Complete": "yes" };
const say = (answer: ServerResponse, body: unknown, status = 200) =>
  void answer.writeHead(status, JSON_TYPE).end(typeof body === "string" ? body : JSON.stringify(body));
const controls = "\u001b]0;evil\u0007\u001b[2J\u0000\u009b".repeat(SAYS_CHARS / 14);

/** A true answer to all calls but the list. */
function sayTruth({ method, url }: IncomingMessage, answer: ServerResponse, { entries }: About): void {
  if (method === "DELETE") answer.writeHead(204).end();
  else if (url?.startsWith("/receivers")) say(answer, entries);
  else say(answer, { message: "ok", id: "liar-1" }, url === "/register" ? 201 : 200);
}
const isList = ({ method, url }: IncomingMessage) => method === "GET" && url === "/receivers";
const listAs = (make: (about: About) => unknown): Lie => {
  let text: string | undefined; // made once: long ones would keep this process from its other work
  return (asked, answer, about) => {
    if (!isList(asked)) return sayTruth(asked, answer, about);
    text ??= JSON.stringify(make(about));
    say(answer, text);
  };
};
const entry = (id: string, host: string, port = 1) => ({ id, host, port, last_seen: 1 });
const spoil = (more: object) => listAs(({ entries }) => entries.map((each) => ({ ...each, ...more })));

export const DISCOVERY_LIES: Record<string, Lie> = {
  "tells the truth": sayTruth,
  "answers late": (asked, answer, about) => void setTimeout(sayTruth, 30_000, asked, answer, about).unref(),
  "lists once, then 503, while the rest works": (asked, answer, about) =>
    isList(asked) && about.number > 1 ? say(answer, { error: "busy" }, 503) : sayTruth(asked, answer, about),
  "says 503 to all": (_asked, answer) => say(answer, { error: "busy" }, 503),
  "says 404 to all": (_asked, answer) => say(answer, { error: "unknown" }, 404),
  "answers without an end": (_asked, answer) => {
    answer.writeHead(200, JSON_TYPE).write("[");
    const spaces = Buffer.alloc(256 * 1024, " ");
    const more = () => {
      while (!answer.destroyed && answer.write(spaces));
    };
    more();
    answer.on("drain", more);
  },
  "answers a gzip bomb": (_asked, answer) => {
    bomb ??= makeBomb();
    bomb.then((bytes) => answer.writeHead(200, { ...JSON_TYPE, "Content-Encoding": "gzip" }).end(bytes));
  },
  "redirects to another": (_asked, answer, { other }) =>
    void answer.writeHead(302, { Location: other }).end(),
  "redirects to another, the body too": (_asked, answer, { other }) =>
    void answer.writeHead(307, { Location: other }).end(),
  "lists too many": listAs(() => Array.from({ length: TOO_MANY }, (_e, n) => entry(`id-${n}`, `h-${n}`))),
  "lists one address under three ids": listAs(({ entries }) =>
    [1, 2, 3].map((n) => ({ ...entries[0], id: `id-${n}` })),
  ),
  "lists the same id thrice": listAs(({ entries }) => [
    entries[0],
    entries[0],
    { ...entries[1], id: "real-0" },
  ]),
  "lists hosts that don't exist": listAs(() => [1, 2, 3].map((n) => entry(`id-${n}`, "x".repeat(253)))),
  "lists ports as texts": spoil({ port: "80" }),
  "lists hosts with control characters": spoil({ host: "a\u001b[2J" }),
  "lists names with control characters": spoil({ name: "a\u001b[2J\u0007" }),
  "lists ages that are none": spoil({ last_seen: -1 }),
  "lists null": listAs(() => [null, 1, []]),
  "says what is no JSON": (_asked, answer) => say(answer, "x".repeat(MIB)),
  "nests deeply": (_asked, answer) => say(answer, "[".repeat(MIB)),
  "errors with a long text": (_asked, answer) => say(answer, { error: "e".repeat(SAYS_CHARS) }, 400),
  "errors with control characters": (_asked, answer) => say(answer, { error: controls }, 400),
  "gives an id of control characters": (asked, answer, about) =>
    asked.url === "/register"
      ? say(answer, { message: controls, id: "\u001b[2J" }, 201)
      : sayTruth(asked, answer, about),
  "forgets each heartbeat": (asked, answer, about) =>
    asked.url === "/heartbeat" ? say(answer, { error: "unknown" }, 404) : sayTruth(asked, answer, about),
  "closes at once": (asked) => void asked.socket.destroy(),
  "sends a byte a second": (_asked, answer) => {
    answer.writeHead(200, JSON_TYPE);
    const timer = setInterval(() => answer.destroyed || answer.write(" "), 1000);
    answer.on("close", () => clearInterval(timer));
  },
};

let bomb: Promise<Buffer> | undefined;

/** A gzip file may have several parts, each compressed for itself: so one is enough. */
async function makeBomb(): Promise<Buffer> {
  const partMib = 50;
  const part = await promisify(gzip)(Buffer.alloc(partMib * MIB, " "), { level: 9 });
  return Buffer.concat(Array(BOMB_MIB / partMib).fill(part));
}

export interface Liar {
  port: number;
  /** How many requests came, and how many to the other server. */
  asked: () => number;
  strayed: () => number;
  close(): void;
}

/** Starts one, and another server to which it may send those that ask. */
export async function startLyingDiscovery(lie: Lie, host: string, entries: object[]): Promise<Liar> {
  let number = 0;
  let strayed = 0;
  const other = createServer((_asked, answer) => {
    strayed += 1;
    say(answer, []);
  });
  const otherPort = await listen(other, 0, host);
  const about = { entries, other: `http://${host}:${otherPort}/receivers` };
  const server = createServer((asked, answer) => {
    number += 1;
    answer.on("error", () => {});
    asked.on("error", () => {}).resume();
    lie(asked, answer, { ...about, number });
  });
  await listen(server, 0, host);
  const close = (each: Server) => {
    each.close();
    each.closeAllConnections();
  };
  return {
    port: (server.address() as AddressInfo).port,
    asked: () => number,
    strayed: () => strayed,
    close: () => [server, other].forEach(close),
  };
}
