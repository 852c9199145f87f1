/** Who may ask an HTTP server, by what a browser says of it. serve() of http_server.ts asks here for each request. */
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { quoted } from "./printable.ts";

/**
 * A page from elsewhere, open in a browser that reaches this server, must not read or change what is here. The
 * browser says in `Origin` whose page asks. That page may make its own name lead to this machine, though ("DNS
 * rebinding"), and count as its own: then `Host` has that name, which nobody gave this server. Addresses can't be
 * led anywhere else, so any of them will do.
 *
 * @param names those that the server has besides `localhost` and the machine's
 * @returns a check, which says why a request gets no answer
 */
export function createHostCheck(
  names: readonly string[],
): (headers: IncomingHttpHeaders) => string | undefined {
  const known = new Set(["localhost", hostname(), ...names].map((name) => name.toLowerCase()));
  let latest = ""; // most ask under the same name as the one before
  return ({ host = "", origin }) => {
    if (host === latest && host !== "" && origin === undefined) return undefined;
    const [, address = "", name = ""] = /^(?:\[(.*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? [];
    if (isIP(address || name) === 0 && !known.has(name.replace(/\.$/, "")))
      return `Cannot answer under the name ${quoted(host, 64)}: start this server with --allow-host and that name`;
    if (origin !== undefined && hostOf(origin) !== hostOf(`http://${host}`))
      return `Cannot answer a page of ${quoted(origin, 64)}: only this server's own page may ask`;
    latest = host;
    return undefined;
  };
}

/** Name and port, as a browser writes them. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
