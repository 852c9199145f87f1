/**
 * Both wires as the tests speak them, and what they start in their own process: in the clear, or, when the file of a group
 * is in the environment (`npm run test:secure`), as a member of that group. Tests take these in place of the originals.
 */
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import { Readable } from "node:stream";
import * as tls from "node:tls";
import * as client from "../client.ts";
import * as discovery from "../discovery.ts";
import * as api from "../lib/discovery_api.ts";
import * as monitor from "../monitor.ts";
import { readGroupFile } from "../plumbing/group_file.ts";
import { tlsOptions } from "../plumbing/handshakes.ts";
import * as httpServer from "../plumbing/http_server.ts";
import * as receiver from "../receiver.ts";
import * as toMonitor from "../trace/to_monitor.ts";

const files = process.env.ACK_CLIENT_GROUP_FILE;
export const groupFile = files ? readGroupFile(files) : undefined;
const serverOptions = groupFile && tlsOptions(groupFile);

export const startDiscovery: typeof discovery.startDiscovery = (options, ...rest) =>
  discovery.startDiscovery({ groupFile, ...options }, ...rest);
export const startMonitor: typeof monitor.startMonitor = (options, log) =>
  monitor.startMonitor({ groupFile, ...options }, log);
export const startReceiver: typeof receiver.startReceiver = (options) =>
  receiver.startReceiver({ groupFile, ...options });
export const serve: typeof httpServer.serve = (app, options, ...rest) =>
  httpServer.serve(app, { groupFile, ...options }, ...rest);
export const createDiscoveryApi: typeof api.createDiscoveryApi = (urls, given) =>
  api.createDiscoveryApi(urls, { groupFile, ...given });
export const createClient: typeof client.createClient = (given) =>
  client.createClient({ groupFile, ...given });
export const openMonitor: typeof toMonitor.openMonitor = (url, options) =>
  toMonitor.openMonitor(url, { groupFile, ...options });

export function connect(to: net.TcpNetConnectOpts): net.Socket {
  return groupFile ? tls.connect({ ...to, ...groupFile }) : net.connect(to);
}

/** Closes it at once, with what the peer has sent. */
export function reset(socket: net.Socket): void {
  if (groupFile) socket.destroy();
  else socket.resetAndDestroy();
}

/** When it can carry something. */
export async function opened(socket: net.Socket): Promise<void> {
  await once(socket, groupFile ? "secureConnect" : "connect");
}

export function createServer(serveOne: (socket: net.Socket) => void): net.Server {
  return serverOptions ? tls.createServer(serverOptions, serveOne) : net.createServer(serveOne);
}

export function createHttpServer(answer: http.RequestListener): http.Server {
  return serverOptions ? https.createServer(serverOptions, answer) : http.createServer(answer);
}

export function request(
  { agent = false, ...how }: http.RequestOptions,
  take: (answer: http.IncomingMessage) => void,
): http.ClientRequest {
  return groupFile
    ? https.request({ ...how, agent, ...groupFile }, take)
    : http.request({ ...how, agent }, take);
}

/** What keeps connections for `request`. */
export const createAgent = (options: http.AgentOptions) =>
  groupFile ? new https.Agent(options) : new http.Agent(options);

/** As the browser's: what the tests need of it. */
export function fetch(url: string, init: RequestInit = {}): Promise<Response> {
  if (!groupFile) return globalThis.fetch(url, init);
  const { method = "GET", body, headers, signal } = init;
  const { hostname, port, pathname, search } = new URL(url);
  const where = { host: hostname, port, path: `${pathname}${search}`, method };
  const more = { ...(headers && { headers: headers as Record<string, string> }), ...(signal && { signal }) };
  return new Promise((resolve, reject) => {
    const asking = request({ ...where, ...more }, (answer) => {
      const { statusCode: status = 0, headers } = answer;
      const hasBody = ![204, 304].includes(status);
      const stream = hasBody ? (Readable.toWeb(answer) as ReadableStream) : null;
      if (!hasBody) answer.resume();
      resolve(new Response(stream, { status, headers: headers as Record<string, string> }));
    });
    asking.on("error", reject).end(body as string | Buffer | undefined);
  });
}
