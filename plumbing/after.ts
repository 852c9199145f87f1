/** Goes on after a wait, if there is one. receiver.ts goes on with its messages by it. */

export type Wait = Promise<void> | undefined;

/** Without a wait it is at once: a promise or two for each message would be a tenth of its cost. */
export function after(wait: Wait, next: () => Wait): Wait {
  return wait ? wait.then(next) : next();
}
