/**
 * The group's own certificate (`--group-file`): key, certificate and authority at once, in one file. Who has it is a
 * member; who has not gets no answer. group_file.ts makes one, every role takes it and hands it to what connects or listens.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { TSX } from "./printable.ts";

/** The name in the certificate, and by which every member is asked: no address is in it, as a group moves. */
export const GROUP_NAME = "ack-group";
const MAX_BYTES = 64 * 1024; // of a file; it has some 900
const MAX_FILES = 8;

/** How many connections a server has over TLS: one takes some 57 KB, in the clear 4. */
export const MAX_OVER_TLS = 300;

/** What is shown, and who is believed, as node:tls takes both. */
export interface GroupFile {
  /** As it was given, for who starts other processes with it. */
  files: string;
  key: string;
  cert: string;
  ca: string[];
  minVersion: "TLSv1.3";
  servername: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;
const KEY = /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----[^-]+-----END \1?PRIVATE KEY-----/;

/** The option of every role. */
export const GROUP_OPTIONS = {
  "group-file": {
    type: "string" as const,
    requiresArg: true,
    describe: "the group's own certificate: nobody without it gets in [default: whoever reaches a port does]",
    coerce: readGroupFile,
  },
};

/** For who starts others as members. */
export function memberFlags(groupFile?: GroupFile): string[] {
  return groupFile ? ["--group-file", groupFile.files] : [];
}

/**
 * Reads one file or several, comma separated: all are believed, the first is shown.
 *
 * @throws {Error} with what is wrong with a file, and what to do
 */
export function readGroupFile(names: unknown, now = Date.now()): GroupFile {
  if (typeof names !== "string")
    throw new Error("is given more than once; several files have commas between");
  const files = names.split(",").map((name) => name.trim());
  if (files.length > MAX_FILES) throw new Error(`names more than ${MAX_FILES} files`);
  const read = files.map((file) => readOne(file, now));
  const [first] = read as [(typeof read)[number]];
  return {
    files: files.join(),
    ...first,
    ca: read.map(({ cert }) => cert),
    minVersion: "TLSv1.3",
    servername: GROUP_NAME,
  };
}

function readOne(file: string, now: number): { key: string; cert: string } {
  const fail = (why: string) => new Error(`names ${JSON.stringify(file)}, which ${why}`);
  const text = readPem(file, fail);
  const [cert, key] = [text.match(CERTIFICATE)?.[0], text.match(KEY)?.[0]];
  if (!cert || !key) throw fail(`holds no ${cert ? "key" : "certificate"}: ${MAKE_ONE}`);
  const read = parse(cert, key);
  if (!read) throw fail(`is damaged: copy it again from another member, or ${MAKE_ONE}`);
  const { validFrom, validTo } = read;
  if (Date.parse(validTo) < now) throw fail(`has expired (${validTo}): ${MAKE_ONE}, for all members`);
  if (Date.parse(validFrom) > now)
    throw fail(`is not valid before ${validFrom}: is this machine's clock right?`);
  return { key, cert };
}

const MAKE_ONE = `make one with ${TSX} group_file.ts`;

function readPem(file: string, fail: (why: string) => Error): string {
  try {
    const found = statSync(file);
    const { mode, size } = found;
    // To open a pipe would wait for who writes to it, and no signal would end that.
    if (!found.isFile()) throw fail(`is no file: copy it from another member, or ${MAKE_ONE}`);
    if (size > MAX_BYTES) throw fail(`has more than ${MAX_BYTES} bytes: it is no group file`);
    if (mode & 0o077 && process.platform !== "win32" && !isGivenApart(file))
      throw fail(
        `others on this machine can read or change: chmod 600 ${file}, or a new one if they may have`,
      );
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code === "ENOENT") throw fail(`is not there: copy it from another member, or ${MAKE_ONE}`);
    throw fail(`can't be read (${code}): it has to be a file of the user who runs this`);
  }
}

/** A secret that a container was given: a mount of its own, or where Docker and Kubernetes put them. Nobody else is there. */
function isGivenApart(file: string): boolean {
  const path = realpathSync(file);
  return path.startsWith("/run/secrets/") || statSync(path).dev !== statSync(dirname(path)).dev;
}

function parse(cert: string, key: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(cert);
    const own: KeyObject = createPrivateKey(key);
    return certificate.ca && certificate.checkPrivateKey(own) ? certificate : undefined;
  } catch {
    return undefined;
  }
}
