/** Ctrl-Z at a prompt, which is a key like others there; the screen calls this. */

/** Stops all that the shell started with us, as npm and tsx do; `fg` brings it back, and then `redraw` is called. */
export function suspend(input: NodeJS.ReadStream | undefined, redraw: () => void): void {
  input?.setRawMode?.(false);
  process.once("SIGCONT", () => {
    input?.setRawMode?.(true);
    redraw();
  });
  process.kill(0, "SIGTSTP");
}
