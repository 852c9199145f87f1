/** Logs: one event a line, on stderr, because stdout is for what the user asked for. */
import { Writable } from "node:stream";
import winston from "winston";
import { printable } from "./printable.ts";

export type Log = winston.Logger;

export interface LogOptions {
  /** @default "info" */
  logLevel?: "error" | "warn" | "info" | "debug";
  /** @default "text" */
  logFormat?: "text" | "json";
  /** Takes each line, without its newline. @default writes it to stderr */
  writeLine?: (line: string) => void;
}

/**
 * Makes the log of one process.
 *
 * Where a line is logged for each message, ask `log.isLevelEnabled("info")` first: at `warn` nothing
 * should be formatted, as that costs more than the message itself.
 *
 * @param name who logs, as a teacher would call it: `receiver`, `client-4f2a`
 */
export function createLog(
  name: string,
  { logLevel = "info", logFormat = "text", writeLine = writeToStderr }: LogOptions = {},
): Log {
  const text = winston.format.printf(
    ({ level, message }) => `${clockTime()} ${name} ${level}: ${printable(String(message))}`,
  );
  const json = winston.format.printf(({ level, message }) =>
    printable(JSON.stringify({ time: new Date().toISOString(), name, level, message })),
  );
  return winston.createLogger({
    level: logLevel,
    format: logFormat === "json" ? json : text,
    transports: new winston.transports.Stream({ stream: lineStream(writeLine), eol: "" }),
  });
}

function clockTime(): string {
  return new Date().toTimeString().slice(0, 8);
}

function writeToStderr(line: string) {
  process.stderr.write(`${line}\n`);
}

function lineStream(writeLine: (line: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      writeLine(line);
      done();
    },
  });
}
