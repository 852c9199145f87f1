/** How an attacker gets a connection: as a member of the group, if it has a file, or as a stranger to it. */
import * as net from "node:net";
import * as tls from "node:tls";
import { readGroupFile } from "../plumbing/group_file.ts";
import { writeGroupFile } from "./group_files.ts";

export type Connect = (to: net.TcpNetConnectOpts) => net.Socket;

/** Strangers come in the clear, with no file, and with another group's, by turns; they believe whoever answers. */
export async function createStrangers(): Promise<Connect> {
  const other = readGroupFile(await writeGroupFile("other.pem"));
  const ways: Connect[] = [
    (to) => net.connect(to),
    (to) => tls.connect({ ...to, rejectUnauthorized: false }),
    (to) => tls.connect({ ...to, ...other, rejectUnauthorized: false }),
  ];
  let turn = 0;
  return (to) => (ways[turn++ % ways.length] as Connect)(to);
}
