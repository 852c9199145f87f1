/**
 * Does a piece of work with each item, `lanes` of them at a time. Once one fails, no further item is begun; this
 * rejects when all that were under way have ended, so that nothing goes on behind the back of who waits.
 */
export async function inLanes<T>(
  lanes: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let hasFailed = false;
  async function workOnRest() {
    try {
      for (let next = rest.next(); !next.done && !hasFailed; next = rest.next()) await work(next.value);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: lanes }, workOnRest));
  const failed = ends.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
