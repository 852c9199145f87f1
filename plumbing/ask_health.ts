/**
 * Asks a server of this machine whether it is well; the exit code says it. The containers run it every 10 s:
 *
 *     node plumbing/ask_health.ts discovery 5000
 */
import { get as getClear, type IncomingMessage } from "node:http";
import { get } from "node:https";
import { readGroupFile } from "./group_file.ts";

const [role = "", port = ""] = process.argv.slice(2);
const file = process.env[`ACK_${role.toUpperCase()}_GROUP_FILE`];
const where = { host: "127.0.0.1", port, path: "/health" };
const end = ({ statusCode }: IncomingMessage) => process.exit(statusCode === 200 ? 0 : 1);
const asking = file ? get({ ...where, ...readGroupFile(file) }, end) : getClear(where, end);
asking.on("error", () => process.exit(1));
