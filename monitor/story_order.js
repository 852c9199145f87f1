/**
 * In which order the lines of a story stand. By their times alone an effect could stand before its cause: the clocks of
 * client and receiver differ, and a millisecond has room for a whole attempt. story.js calls it.
 *
 * @typedef {{ at: number, step: number, attempt: number, tell: () => string }} Untold its words are only made when it is shown: they take longest
 * @typedef {Untold & { since: number }} Placed `since`: the time by which it is ordered, never before that of its cause
 */

/** What happens to an attempt. Each is caused by those before it, up to the answer; its end may come at any time. */
export const STEPS = {
  ...{ sent: 0, received: 1, fault: 2, processed: 3, ackLost: 4, acked: 5, failed: 6, answered: 7 },
  ...{ ended: 8, gaveUp: 9 },
  ...{ groupAcked: 10, notNeeded: 11 },
};

/**
 * The lines of one attempt, each with the time by which it is ordered.
 * @param {Untold[]} lines @returns {Placed[]}
 */
export function placeAttempt(lines) {
  let reached = 0;
  return lines
    .toSorted((a, b) => a.step - b.step)
    .map((line) => {
      if (line.step > STEPS.answered) return { ...line, since: line.at };
      reached = Math.max(reached, line.at);
      return { ...line, since: reached };
    });
}

/**
 * The group has its acks after they came, and needs no others after that.
 * @param {Placed[]} lines of all attempts @param {Untold} group @returns {Placed[]}
 */
export function placeGroup(lines, group) {
  const acks = lines.filter(({ step, at }) => step === STEPS.answered && at <= group.at);
  const since = acks.reduce((last, ack) => Math.max(last, ack.since), group.at);
  const placed = lines.map((line) =>
    line.step === STEPS.notNeeded ? { ...line, since: Math.max(since, line.at) } : line,
  );
  return [...placed, { ...group, since }];
}

/** At the same time, what comes of the whole group is last; before it, an attempt comes after the one before it. @param {Placed} a @param {Placed} b */
export function byTime(a, b) {
  const isGroup = Number(a.step >= STEPS.groupAcked) - Number(b.step >= STEPS.groupAcked);
  return a.since - b.since || isGroup || a.attempt - b.attempt || a.step - b.step;
}
