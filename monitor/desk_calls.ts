/**
 * The call of the teacher's desk. It acts on processes, so only this machine's own page may make it, with the key of this
 * run. monitor.ts adds it where whoever owns the processes has given it a desk; elsewhere it doesn't exist.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { BlockList, isIPv6 } from "node:net";
import type { Hono } from "hono";
import * as v from "valibot";
import { readBody } from "../plumbing/read_body.ts";
import { readJson } from "../plumbing/read_json.ts";
import { type DeskEvent, type EventDetails, NameSchema } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { isSecret } from "./keep_strangers_out.ts";

const MAX_ORDER_BYTES = 8 * 1024;
const NOT_FROM_HERE = "Cannot take orders from here: open the page at the address that says #desk=";
const MAX_TEXT = 1000; // UTF-16 units of a message

const receiver = NameSchema;
const TextSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_TEXT));
const OrderSchema = v.variant("do", [
  v.object({ do: v.literal("look") }),
  v.object({ do: v.literal("send"), to: NameSchema, text: TextSchema }),
  v.object({ do: v.literal("give fault"), receiver, fault: NameSchema }),
  v.object({
    do: v.literal("give rate"),
    receiver,
    rate: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  }),
  v.object({ do: v.picklist(["kill", "suspend", "resume", "end"]), receiver }),
  v.object({ do: v.picklist(["start receiver", "start discovery", "stop discovery"]) }),
]);
export type Order = v.InferOutput<typeof OrderSchema>;

/** What the page shows of the processes. */
export interface DeskState {
  receivers: { name: string; state: "running" | "suspended" | "ended"; rate: number }[]; // of faults
  discovery?: boolean | undefined; // whether it runs; undefined: it isn't the desk's
  faults: readonly string[];
}

/** What was done, to whom, as an event. */
export type Deed = EventDetails & { event: DeskEvent; from: string };

export interface Desk {
  key: string;
  look(): DeskState | Promise<DeskState>;
  /** Takes a few seconds at most. @returns nothing for a message: that is seen by itself. @throws {CannotObey} */
  obey(order: Order): Promise<Deed | undefined>;
}

export const makeKey = (): string => randomBytes(16).toString("base64url");

/** Why an order that is right isn't carried out: the page has words for each. */
export type WhyNot = "busy" | "changed" | "many" | "away" | "absent" | "ended";

export class CannotObey extends Error {
  code: WhyNot;
  constructor(code: WhyNot, message: string) {
    super(message);
    this.code = code;
  }
}

export function takeOrders(app: Hono, desk: Desk, trace: Trace): void {
  let isBusy = false;

  async function carryOut(order: Order): Promise<DeskState> {
    if (order.do === "look") return desk.look();
    if (isBusy) throw new CannotObey("busy", "Cannot take the order: another is under way");
    isBusy = true;
    try {
      const { event, ...details } = (await desk.obey(order)) ?? {};
      if (event) trace.tell(event, details);
    } finally {
      isBusy = false;
    }
    return desk.look();
  }

  app.post("/desk", async (c) => {
    const { incoming } = c.env as { incoming: IncomingMessage };
    if (!isOwnPage({ ...incoming.headers, address: incoming.socket.remoteAddress }, desk.key))
      return c.json({ error: NOT_FROM_HERE }, 403);
    const parse = (json: string) => readJson(OrderSchema, json);
    const order = await readBody(c, "take the order", parse, MAX_ORDER_BYTES);
    try {
      return c.json(await carryOut(order));
    } catch (error) {
      if (error instanceof CannotObey) return c.json({ error: error.message, code: error.code }, 409);
      throw error;
    }
  });
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);
LOOPBACK.addAddress("::1", "ipv6");

interface Asker {
  address?: string | undefined; // of the other end of the connection
  host?: string | undefined;
  origin?: string | undefined;
  authorization?: string | undefined;
}

/** From this machine, under a name that only means this machine, by the page that was got there, with the key. */
export function isOwnPage(
  { address = "", host = "", origin, authorization = "" }: Asker,
  key: string,
): boolean {
  return (
    isLoopback(address) &&
    URL.canParse(`http://${host}`) &&
    isLoopback(new URL(`http://${host}`).hostname) &&
    (origin === `http://${host}` || origin === `https://${host}`) &&
    isSecret(authorization, `Bearer ${key}`)
  );
}

function isLoopback(name: string): boolean {
  const address = name.replace(/^\[(.*)\]$/, "$1");
  return address === "localhost" || LOOPBACK.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
