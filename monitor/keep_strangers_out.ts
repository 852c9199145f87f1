/**
 * Whom a monitor with a group file answers. Events come from members of the group alone; the page may be looked at on this
 * machine, and elsewhere by who opens the address that the monitor prints: a browser has no certificate of the group.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";

const COOKIE = "monitor";
const LOOPBACK = /^(::ffff:)?127\.|^::1$/;

/** What the address of the page has in it. */
export function makeToken(): string {
  return randomBytes(16).toString("hex");
}

/** The address of the page on this machine. @param hash what comes behind it */
export function pageAddress(
  { port, token }: { port: number; token?: string | undefined },
  hash = "",
): string {
  if (token === undefined) return `http://localhost:${port}${hash && `/${hash}`}`;
  return `https://localhost:${port}/?token=${token}${hash}`;
}

/** Goes before all that the app answers. */
export function keepStrangersOut(app: Hono, token: string): void {
  app.use(async (c, next) => {
    const { socket } = (c.env as { incoming: IncomingMessage }).incoming;
    if ((socket as TLSSocket).authorized) return next();
    if (c.req.path === "/events" && c.req.method === "POST")
      return c.json({ error: "Cannot take events: they come from members, with the group's file" }, 403);
    if (isSecret(c.req.query("token"), token)) return welcome(c, token);
    if (LOOPBACK.test(socket.remoteAddress ?? "") || isSecret(getCookie(c, COOKIE), token)) return next();
    return c.json(
      { error: "Cannot show this: open the address that the monitor printed when it started" },
      403,
    );
  });
}

/** From now on the browser has the token itself, and nobody reads it in the address when the page is on a wall. */
function welcome(c: Context, token: string): Response {
  setCookie(c, COOKIE, token, { httpOnly: true, secure: true, sameSite: "Strict" });
  return c.redirect("/", 303);
}

/** Whether it is the same, compared in a time that tells nothing of it. */
export function isSecret(said: string | undefined, secret: string): boolean {
  const [given, right] = [Buffer.from(said ?? ""), Buffer.from(secret)];
  return given.length === right.length && timingSafeEqual(given, right);
}
