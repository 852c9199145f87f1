/**
 * Makes the file of a group: one self-made certificate that is key, certificate and authority at once. Every role that
 * is started with it (`--group-file`) talks to nobody without it. It never writes over a file that is there.
 *
 *     npx tsx group_file.ts                          writes group.pem, for a year
 *     npx tsx group_file.ts --out new.pem --days 30
 */
import { randomBytes, webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import type * as X509 from "@peculiar/x509";
import { GROUP_NAME } from "./plumbing/group_file.ts";
import * as kind from "./plumbing/kinds.ts";
import { option, parseOptions, UsageError } from "./plumbing/options.ts";
import { TSX } from "./plumbing/printable.ts";
import { runIfMain } from "./plumbing/run.ts";

const OPTIONS = {
  out: option(kind.text, "group.pem", "the file that it writes; one that is there stays as it is"),
  days: option(kind.whole(1, 3650), "365", "how long it lasts"),
};

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 3600 * 1000;
const CLOCKS_DIFFER_MS = 3600 * 1000; // it begins that much earlier

/** @returns the file's text */
export async function makeGroupFile(from: Date, until: Date): Promise<string> {
  const x509 = await loadLibrary();
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // Its own number, so that nobody takes the certificate of another group for this one's authority.
    name: `CN=${GROUP_NAME} ${randomBytes(8).toString("hex")}`,
    notBefore: from,
    notAfter: until,
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      // The last three are for curl and browsers on the same machine, which insist on the name that they ask.
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: GROUP_NAME },
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" },
      ]),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n${certificate.toString("pem")}\n`;
}

/** It is there for developers only: no role needs it, and no image has it. */
async function loadLibrary(): Promise<typeof X509> {
  try {
    await import("reflect-metadata"); // which it needs, and leaves to its user
    return await import("@peculiar/x509");
  } catch (cause) {
    throw new Error("Cannot make a group file: a package is missing; run npm ci first", { cause });
  }
}

async function main(argv: string[]): Promise<number> {
  const { out, days } = parseOptions("group_file", OPTIONS, argv, {
    about: "Makes the file of a group: who has it is a member, who has not gets no answer.",
    example: "group_file.ts --out group.pem",
  });
  const now = Date.now();
  const until = new Date(now + days * DAY_MS);
  const pem = await makeGroupFile(new Date(now - CLOCKS_DIFFER_MS), until);
  try {
    writeFileSync(out, pem, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? "it is there already; name another with --out" : code;
    throw new UsageError(`Cannot write ${out}: ${why}`, { cause });
  }
  process.stdout.write(`wrote ${out}, for you alone to read. It is good until ${until.toISOString().slice(0, 10)}.
Copy it to each machine of the group, by a way that you trust, and start every role with it:
  ${TSX} discovery.ts --group-file ${out}      (or ACK_DISCOVERY_GROUP_FILE, ACK_RECEIVER_GROUP_FILE, …)
Before it ends, or if somebody else may have it, make a new one: docs/SECURITY.md says how the group changes over.
`);
  return 0;
}

await runIfMain(import.meta, main);
