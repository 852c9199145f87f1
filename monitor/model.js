/**
 * What the page knows: the processes, and each attempt to get a message acked, put together from the
 * events. Events of different processes may come in any order, so each fills in what it can.
 *
 * @typedef {import("../trace/trace.ts").TraceEvent} TraceEvent
 *
 * @typedef {object} Process
 * @property {string} name
 * @property {"client" | "discovery" | "receiver"} role
 * @property {string} [id] a receiver's, the newest
 * @property {string | undefined} [address]
 * @property {number} firstAt
 * @property {number} lastAt when it was heard of last, in milliseconds since 1970
 * @property {number} [joinedAt]
 * @property {number} [leaseFrom] when its lease was renewed last
 * @property {number} lease how long that lasts
 * @property {boolean} [listed] whether discovery has it in its list
 * @property {{ at: number, how: "left" | "expired" | "replaced" }} [gone]
 *
 * @typedef {object} Ack
 * @property {Attempt} [attempt] the one that it answers
 * @property {number} [at] when it left the receiver
 * @property {number} [receivedAt]
 * @property {boolean} [duplicate]
 * @property {boolean} [ignored] nobody waited for it any more
 *
 * @typedef {object} Attempt
 * @property {string} key
 * @property {string} message
 * @property {number} attempt
 * @property {string} receiver an id
 * @property {string} client
 * @property {number} at when it was sent, as far as is known
 * @property {boolean} sent whether its sending was told; if not, only its arrival
 * @property {number} timeout
 * @property {number} [receivedAt]
 * @property {boolean} [duplicate]
 * @property {string} [fault]
 * @property {number} [faultAt]
 * @property {number} [processedAt]
 * @property {string} [body]
 * @property {number} [timedOutAt]
 * @property {number} [failedAt]
 * @property {string} [why]
 * @property {{ at: number, why: string, outcome: string }} [gaveUp]
 * @property {number} [ackedAt] when its client had its ack, or that of an attempt before it, come late
 * @property {Ack[]} acks those that answer it
 * @property {Ack[]} came those that came while it was the last one: its client can't tell which they answer
 */

const MAX_ATTEMPTS = 6000;
const MAX_HEARTBEATS = 4000;
const FORGET_AFTER_MS = 60_000; // a process that is gone

/** @typedef {ReturnType<typeof createModel>} Model */
export function createModel() {
  /** @type {Map<string, Process>} */
  const byName = new Map();
  /** @type {Map<string, Process>} */
  const byId = new Map();
  /** @type {Attempt[]} */
  let attempts = [];
  /** @type {Map<string, Attempt>} */
  const byKey = new Map();
  /** @type {Map<string, Attempt[]>} */
  const byMessage = new Map();
  /** @type {Map<string, Ack>} */
  const acks = new Map();
  /** @type {{ at: number, receiver: string }[]} */
  let heartbeats = [];

  /** @param {string} name @param {Process["role"]} role @param {number} at */
  function processNamed(name, role, at) {
    let process = byName.get(name);
    if (!process) {
      process = { name, role, firstAt: at, lastAt: at, lease: 30_000 };
      byName.set(name, process);
    }
    process.firstAt = Math.min(process.firstAt, at);
    process.lastAt = Math.max(process.lastAt, at);
    return process;
  }

  /** The receiver with an id; its own name may be learned later. @param {string} id @param {number} at */
  function receiverWith(id, at) {
    let process = byId.get(id);
    if (!process) {
      process = { name: id, role: "receiver", id, firstAt: at, lastAt: at, lease: 30_000 };
      byId.set(id, process);
    }
    return process;
  }

  /** Says that the receiver with this id is that process. @param {TraceEvent} event */
  function identify({ process: name, receiver: id, at }) {
    const process = processNamed(name, "receiver", at);
    if (!id || id === process.id || byId.get(id) === process) return process;
    const before = byId.get(id);
    process.leaseFrom = before?.leaseFrom ?? at;
    process.lease = before?.lease ?? process.lease;
    process.address ??= before?.address;
    process.listed = before?.listed ?? false;
    if (before?.gone) process.gone = before.gone;
    else delete process.gone;
    process.id = id;
    byId.set(id, process);
    return process;
  }

  /** @param {string} message @param {number} number @param {string} receiver @param {number} at */
  function attemptOf(message, number, receiver, at) {
    const key = `${message} ${number} ${receiver}`;
    let attempt = byKey.get(key);
    if (!attempt) {
      attempt = {
        key,
        message,
        attempt: number,
        receiver,
        client: "?",
        at,
        sent: false,
        timeout: 5000,
        acks: [],
        came: [],
      };
      byKey.set(key, attempt);
      attempts.push(attempt);
      byMessage.set(message, [...(byMessage.get(message) ?? []), attempt]);
      if (attempts.length > MAX_ATTEMPTS * 1.2) forgetOld();
    }
    return attempt;
  }

  function forgetOld() {
    for (const attempt of attempts.slice(0, -MAX_ATTEMPTS)) {
      byKey.delete(attempt.key);
      byMessage.delete(attempt.message);
    }
    attempts = attempts.slice(-MAX_ATTEMPTS);
    for (const [key, ack] of acks) if (!ack.attempt || !byKey.has(ack.attempt.key)) acks.delete(key);
  }

  /** An ack is known by its receiver and the Lamport time of its sending. @param {string} key */
  function ackWith(key) {
    let ack = acks.get(key);
    if (!ack) {
      ack = {};
      acks.set(key, ack);
    }
    return ack;
  }

  /** @param {Ack} ack @param {Attempt} attempt */
  function attach(ack, attempt) {
    if (ack.attempt) ack.attempt.acks = ack.attempt.acks.filter((other) => other !== ack);
    ack.attempt = attempt;
    attempt.acks.push(ack);
  }

  /**
   * An ack has come. It says which message it answers, not which attempt; the receiver's own event tells.
   * @param {TraceEvent} event
   */
  function applyAck({ event, at, message = "?", attempt, receiver = "?", heard, duplicate = false }) {
    const ignored = event === "ack ignored";
    const ack = ackWith(`${receiver} ${heard ?? `${message} ${attempt}`}`);
    Object.assign(ack, { receivedAt: at, ignored, duplicate });
    const last =
      attempt === undefined
        ? byMessage.get(message)?.findLast((other) => other.receiver === receiver)
        : attemptOf(message, attempt, receiver, at);
    if (!last) return; // its sending is forgotten already
    if (!ignored && attempt !== undefined) last.ackedAt = at;
    last.came.push(ack);
    if (!ack.attempt) attach(ack, last);
  }

  /** @param {TraceEvent} event */
  function applyToAttempt(event) {
    const { at, message = "?", receiver = "?", clock } = event;
    const mine = event.event === "acked" || event.event === "received";
    if (event.event === "ack received" || event.event === "ack ignored") return applyAck(event);
    const attempt = attemptOf(message, event.attempt ?? 1, receiver, at);
    if (mine) attempt.client = event.from ?? attempt.client;
    switch (event.event) {
      case "sent":
      case "retried":
        attempt.client = event.process;
        attempt.at = at;
        attempt.sent = true;
        attempt.timeout = event.timeout ?? attempt.timeout;
        break;
      case "received":
        attempt.receivedAt = at;
        attempt.duplicate = event.duplicate ?? false;
        break;
      case "fault":
        attempt.fault = event.fault ?? "?";
        attempt.faultAt = at;
        break;
      case "processed":
        attempt.processedAt = at;
        attempt.body = event.note ?? "";
        break;
      case "acked": {
        const ack = ackWith(`${receiver} ${clock}`);
        attach(ack, attempt);
        ack.at = at;
        ack.duplicate = event.duplicate ?? false;
        break;
      }
      case "timed out":
        attempt.timedOutAt = at;
        break;
      case "connection failed":
        attempt.failedAt = at;
        attempt.why = event.note ?? "";
        break;
      case "gave up":
        attempt.gaveUp = { at, why: event.note ?? "", outcome: event.outcome ?? "unknown" };
        break;
    }
  }

  /** @param {TraceEvent} event */
  function applyToGroup(event) {
    const { at, receiver, note } = event;
    const process = event.process === "discovery" && receiver ? receiverWith(receiver, at) : identify(event);
    process.lastAt = Math.max(process.lastAt, at);
    switch (event.event) {
      case "joined":
      case "registered":
        process.joinedAt = at;
        process.address = note ?? process.address;
        process.lease = event.lease ?? process.lease;
        process.leaseFrom = Math.max(at, process.leaseFrom ?? 0);
        if (process.gone && process.gone.at <= at) delete process.gone;
        break;
      case "heartbeat":
        process.leaseFrom = Math.max(at, process.leaseFrom ?? 0);
        process.lease = event.lease ?? process.lease;
        heartbeats.push({ at, receiver: receiver ?? "" });
        if (heartbeats.length > MAX_HEARTBEATS * 1.2) heartbeats = heartbeats.slice(-MAX_HEARTBEATS);
        break;
      case "left":
      case "expired":
      case "replaced":
        // An old id of a process that is back with a new one says nothing about the process.
        // What the list only let us guess, the event knows.
        if (process.id === receiver) process.gone = { at: process.gone?.at ?? at, how: event.event };
        break;
    }
  }

  return {
    /** @param {TraceEvent} event */
    apply(event) {
      const { event: name, process, at } = event;
      if (process === "discovery") processNamed(process, "discovery", at);
      else if (CLIENT_EVENTS.has(name)) processNamed(process, "client", at);
      else identify(event);
      if (event.message !== undefined && name !== "group acked") applyToAttempt(event);
      else if (GROUP_EVENTS.has(name)) applyToGroup(event);
    },

    /**
     * Takes discovery's own list, for those who send no events.
     * @param {{ id: string, host: string, port: number, last_seen: number }[]} list @param {number} now
     */
    applyList(list, now) {
      const here = new Set();
      for (const { id, host, port, last_seen } of list) {
        const process = receiverWith(id, last_seen * 1000);
        here.add(process);
        process.address = `${host}:${port}`;
        process.leaseFrom = Math.max(process.leaseFrom ?? 0, last_seen * 1000);
        process.listed = true;
        delete process.gone;
      }
      for (const process of byId.values()) {
        const isOver = now - (process.leaseFrom ?? 0) >= process.lease;
        if (process.listed && !here.has(process))
          process.gone ??= { at: now, how: isOver ? "expired" : "left" };
        process.listed = here.has(process);
      }
    },

    /** Forgets processes that have been gone for a while. @param {number} now */
    forgetGone(now) {
      const isOld = (/** @type {Process} */ { gone }) =>
        gone !== undefined && now - gone.at > FORGET_AFTER_MS * 5;
      for (const [id, process] of byId) if (isOld(process)) byId.delete(id);
      for (const [name, process] of byName) {
        const silent = process.role === "client" && now - process.lastAt > FORGET_AFTER_MS * 5;
        if (silent || isOld(process)) byName.delete(name);
      }
    },

    /** @param {number} at */
    clear(at) {
      attempts = [];
      heartbeats = [];
      byKey.clear();
      byMessage.clear();
      acks.clear();
      for (const [id, process] of byId) if (process.gone) byId.delete(id);
      for (const [name, { gone, role }] of byName) if (gone || role === "client") byName.delete(name);
      for (const process of byName.values()) process.firstAt = Math.max(process.firstAt, at);
    },

    /** Every process, once; those of a kind in the order in which they were seen first. */
    processes() {
      const all = [...new Set([...byName.values(), ...byId.values()])];
      const isStale = (/** @type {Process} */ p) =>
        p.role === "receiver" && p.id !== undefined && byId.get(p.id) !== p;
      return all.filter((process) => !isStale(process));
    },
    /** @param {string} id */
    receiver: (id) => byId.get(id),
    /** @param {string} name */
    named: (name) => byName.get(name),
    attempts: () => attempts,
    /** @param {string} message */
    attemptsOf: (message) => byMessage.get(message) ?? [],
    heartbeats: () => heartbeats,
  };
}

const CLIENT_EVENTS = new Set([
  "listed",
  "sent",
  "retried",
  "ack received",
  "ack ignored",
  "timed out",
  "connection failed",
  "gave up",
  "group acked",
]);
const GROUP_EVENTS = new Set(["joined", "left", "registered", "heartbeat", "expired", "replaced"]);

/** When the attempt was over for its client; undefined while it waits. @param {Attempt} attempt */
export function settledAt({ timedOutAt, failedAt, gaveUp, ackedAt, acks, at, timeout }) {
  const acked = acks.flatMap(({ receivedAt, ignored }) => (receivedAt && !ignored ? [receivedAt] : []));
  const ends = [timedOutAt, failedAt, gaveUp?.at, ackedAt, ...acked].filter((end) => end !== undefined);
  return ends.length > 0 ? Math.min(...ends, at + timeout) : undefined;
}

/** What the client makes of it. @param {Attempt} attempt */
export function stateOf({ ackedAt, acks, timedOutAt, failedAt, gaveUp }) {
  if (ackedAt !== undefined) return "acked";
  if (acks.some(({ receivedAt, ignored }) => receivedAt !== undefined && !ignored)) return "acked";
  if (failedAt !== undefined) return "failed";
  if (timedOutAt !== undefined) return "timedOut";
  return gaveUp ? "gaveUp" : "waiting";
}

/** Whether an ack came after the timeout of an attempt. @param {Ack} ack @param {Attempt} attempt */
export function isLate({ receivedAt }, { timedOutAt, at, timeout }) {
  return receivedAt !== undefined && receivedAt > (timedOutAt ?? at + timeout);
}

/** Ids are long; eight characters are enough to tell them apart. @param {string} id */
export function short(id) {
  return id.slice(0, 8);
}

/** Of a name such as client-4f2a, what tells it from the others. @param {string} name */
export function shortName(name) {
  return name.replace(/^client-/, "").slice(0, 8);
}
