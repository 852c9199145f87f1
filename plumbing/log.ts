/** Logs: one event a line, on stderr, because stdout is for what the user asked for. */
import winston from "winston";
import { printable } from "./printable.ts";

const FORMATTED = Symbol.for("message");
const MAX_UNREAD_BYTES = 1024 * 1024; // of the log

export type Log = winston.Logger;

export interface LogOptions {
  /** @default "info" */
  logLevel?: "error" | "warn" | "info" | "debug";
  /** @default "text" */
  logFormat?: "text" | "json";
  /** Takes each line, without its newline. @default writes it to stderr, as long as that is read */
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
  { logLevel = "info", logFormat = "text", writeLine }: LogOptions = {},
): Log {
  const text = winston.format.printf(
    ({ level, message }) => `${clockTime()} ${name} ${level}: ${printable(String(message))}`,
  );
  const json = winston.format.printf(({ level, message }) =>
    printable(JSON.stringify({ time: new Date().toISOString(), name, level, message })),
  );
  const log: Log = winston.createLogger({
    level: logLevel,
    format: logFormat === "json" ? json : text,
    transports: writeTo(writeLine ?? createWriter(() => log)),
  });
  return log;
}

function clockTime(): string {
  return new Date().toTimeString().slice(0, 8);
}

/** Who reads our log more slowly than we write it must not fill our memory, nor keep us waiting. */
function createWriter(log: () => Log): (line: string) => void {
  let lost = 0;
  return (line) => {
    if (process.stderr.writableLength > MAX_UNREAD_BYTES) {
      lost += 1;
      return;
    }
    process.stderr.write(`${line}\n`);
    if (lost === 0) return;
    const message = `${lost} lines of this log were lost before the last one: they were not read in time`;
    lost = 0;
    log().warn(message);
  };
}

/** At once: winston's own way keeps each line until all that the system has for us is read, however many they are. */
function writeTo(writeLine: (line: string) => void) {
  const transport = new winston.transports.Stream({ stream: process.stderr });
  transport.log = (info, done) => {
    writeLine(info[FORMATTED]);
    done();
  };
  return transport;
}
