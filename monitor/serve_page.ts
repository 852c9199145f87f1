/** Serves the page: the files of this folder that a browser takes. monitor.ts calls it once. */
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import type { Hono } from "hono";
import { answerBytes } from "../plumbing/answers.ts";

/** The page comes from here, and from nowhere else; what is in an event can never run. */
const POLICY = [
  "default-src 'none'",
  ...["script-src", "style-src", "connect-src", "img-src"].map((kind) => `${kind} 'self'`),
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

/** Tells the browser what it must not do with any answer. */
export function protect(app: Hono): void {
  app.use((c, next) => {
    c.header("Content-Security-Policy", POLICY);
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "no-referrer");
    return next();
  });
}

/** The files are read once: what isn't in the folder now is never served. */
export function servePage(app: Hono): void {
  for (const name of readdirSync(import.meta.dirname)) {
    const type = TYPES[extname(name)];
    if (!type) continue;
    const path = name === "index.html" ? "/" : `/${name}`;
    const body = readFileSync(`${import.meta.dirname}/${name}`);
    app.get(path, (c) =>
      answerBytes(c, body, { "Content-Type": `${type}; charset=utf-8`, "Cache-Control": "no-cache" }),
    );
  }
}
