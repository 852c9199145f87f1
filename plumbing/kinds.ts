/** Kinds of option values: how each is read from text, and what a right one looks like. */
import ms from "ms";

/** One kind of value. */
export interface Kind<T> {
  /** A right one, as in `it takes a duration such as 250ms, 5s or 2m`. */
  right: string;
  /** @returns undefined for what can't be read */
  parse(text: string): T | undefined;
}

/** A duration such as `5s` or `250ms`; its value is in milliseconds. */
export const duration: Kind<number> = {
  right: "a duration such as 250ms, 5s or 2m",
  parse: parseDuration,
};

/** The same, up to that many seconds. */
export function durationUpTo(seconds: number): Kind<number> {
  return {
    right: `a duration of at most ${seconds}s, such as 250ms`,
    parse(text) {
      const value = parseDuration(text);
      return value !== undefined && value <= seconds * 1000 ? value : undefined;
    },
  };
}

/** The same, but not zero: for what is repeated. */
export const interval: Kind<number> = {
  right: "a duration of 1ms or more, such as 5s",
  parse(text) {
    const value = parseDuration(text);
    return value !== undefined && value >= 1 ? value : undefined;
  },
};

/**
 * Reads a duration, a number and its unit, up to 24 days (the longest that a timer takes).
 *
 * @returns milliseconds, or undefined for what can't be read
 */
export function parseDuration(text: string): number | undefined {
  // ms also reads "5" (as milliseconds), "-5s" and "1.5 years"; a class is better served by less.
  if (!/^\d+(\.\d+)?(ms|s|m|h)$/.test(text)) return undefined;
  const value = ms(text as ms.StringValue);
  return value <= 2 ** 31 - 1 ? value : undefined;
}

/** A port to listen on; 0 is one that the system picks. */
export const port: Kind<number> = {
  right: "a port from 0 to 65535, such as 6000",
  parse: (text) => parseWhole(text, 0, 65535),
};

/** A whole number from `min` to `max`. */
export function whole(min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> {
  const most = max === Number.MAX_SAFE_INTEGER ? "or more" : `to ${max}`;
  return {
    right: `a whole number of ${min} ${most}, such as ${min + 3}`,
    parse: (text) => parseWhole(text, min, max),
  };
}

/** The same, or one of some words. */
export function wholeOr<const W extends string>(min: number, words: readonly W[]): Kind<number | W> {
  return {
    right: `a number of ${min} or more, ${words.join(" or ")}`,
    parse: (text) => words.find((word) => word === text) ?? parseWhole(text, min),
  };
}

function parseWhole(text: string, min: number, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && value >= min && value <= max ? value : undefined;
}

/** A chance, from 0 to 1. */
export const chance: Kind<number> = {
  right: "a number from 0 (never) to 1 (always), such as 0.5",
  parse(text) {
    const value = Number(text);
    return /^(\d+\.?\d*|\.\d+)$/.test(text) && value <= 1 ? value : undefined;
  },
};

/** One word of a list. */
export function wordOf<const W extends string>(allowed: readonly W[]): Kind<W> {
  return { right: `one of ${allowed.join(", ")}`, parse: (text) => allowed.find((word) => word === text) };
}

/** Several words of a list, comma separated. */
export function wordsOf<W extends string>(allowed: readonly W[]): Kind<W[]> {
  return {
    right: `one or several of ${allowed.join(", ")}, comma separated`,
    parse(text) {
      const given = text.split(",").map((word) => word.trim());
      return given.every((word): word is W => allowed.some((known) => known === word)) ? given : undefined;
    },
  };
}

/** Any text but an empty one. */
export const text: Kind<string> = {
  right: "a text that is not empty",
  parse: (given) => given || undefined,
};

/** What something is called. */
export const label: Kind<string> = {
  right: "a name of at most 64 letters, digits, and . _ -, such as receiver-1",
  parse: (given) => (/^[\w.-]{1,64}$/.test(given) ? given : undefined),
};

/** Names of machines, comma separated. */
export const hostNames: Kind<string[]> = {
  right: "one or several names of machines, comma separated, such as discovery_server",
  parse(text) {
    const names = text.split(",").map((name) => name.trim());
    return names.every((name) => /^[\w.-]{1,253}$/.test(name)) ? names : undefined;
  },
};

/** The address of an HTTP server. A name and a password in it would be in every log. */
export const url: Kind<string> = {
  right: "an address such as http://localhost:5000",
  parse: (given) => (/^https?:\/\/[^@?#]+$/.test(given) && URL.canParse(given) ? given : undefined),
};

const MAX_URLS = 8; // a call goes to each of them before it fails

/** The addresses of HTTP servers that stand for one another, comma separated. */
export const urls: Kind<string[]> = {
  right: `one to ${MAX_URLS} different addresses, comma separated, such as http://localhost:5000`,
  parse(text) {
    const given = text.split(",").map((one) => url.parse(one.trim()));
    const right = given.filter((one) => one !== undefined);
    const different = new Set(right.map((one) => new URL(one).href));
    return different.size === given.length && given.length <= MAX_URLS ? right : undefined;
  },
};

/** The same of an etcd's nodes. */
export const etcdUrls: Kind<string[]> = {
  right: `one to ${MAX_URLS} different addresses of an etcd, comma separated, such as http://localhost:2379`,
  parse(text) {
    const given = urls.parse(text);
    return given?.every((one) => one.startsWith("http://")) ? given : undefined;
  },
};
