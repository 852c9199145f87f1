/**
 * Time on the page: live from the first event on, folded where nothing happens, as large as is wanted, played again; and
 * the group's own time, with real roles: discovery that dies and returns, a client that waits, two runs recorded.
 *
 *     npm run test:browser
 *
 * Elsewhere: the play bar of a live run, finding, the address (browser_page.ts); the time axis, zoom and panning as
 * numbers (time_axis_test.ts, diagram_test.ts); what is drawn of each fault (browser_truth.ts).
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { findFreePort } from "../plumbing/listen.ts";
import type { TraceEvent } from "../trace/events.ts";
import {
  addressOf,
  countFrames,
  openBrowser,
  startWatchedCrowd,
  type WatchedCrowd,
} from "./browser_helpers.ts";
import { LOCALES, look, nextFrame, ofPage, openPage, type Seen, WIDTHS } from "./browser_look.ts";
import { CLIENT, roundTrips, sent } from "./browser_story.ts";
import { discoveryUrl, type Role, startRole, stopRole, until } from "./helpers.ts";
import { told } from "./page_helpers.ts";
import { fetch } from "./wires.ts";

const HOUR_MS = 3_600_000;
const SEEN_WITHIN_MS = 3000;

const heightOf = (page: Page) => ofPage<number>(page, "page.diagram.size.height - page.diagram.namesHeight");
const isInView = ({ y }: { y: number }, height: number) => y >= 0 && y <= height;
const messagesIn = (seen: Seen, message: string) =>
  seen.arrows.filter((arrow) => arrow.what === "message" && arrow.message === message);

describe("time on the page", () => {
  let browser: Browser;
  let monitor: WatchedCrowd;
  const pages: { page: Page; at: string }[] = [];
  const problems: string[] = [];

  before(async () => {
    [browser, monitor] = await Promise.all([openBrowser(), startWatchedCrowd(5)]);
    for (const width of WIDTHS)
      for (const locale of LOCALES)
        pages.push({
          page: await openPage(browser, monitor.url, { width, locale, problems }),
          at: `${width} px, ${locale}`,
        });
  });
  after(async () => {
    await browser?.close();
    await monitor?.stop();
  });

  /** Of all pages, at each size and in each language. */
  async function onEach(check: (page: Page, at: string) => Promise<unknown>) {
    for (const { page, at } of pages) await check(page, at);
  }
  const isLive = (page: Page) =>
    ofPage<boolean>(
      page,
      `page.player.isLive && page.diagram.follows && document.getElementById("live").ariaPressed === "true"`,
    );
  const group = { message: "m-group", attempt: 1 };
  const c = (event: TraceEvent["event"], details: Partial<TraceEvent>) => {
    clock += 1;
    return { ...told(CLIENT, Date.now(), event, { ...group, ...details }), clock };
  };
  let clock = 10;

  test("is live from the first event on, after a resize too, and shows what comes", async () => {
    await onEach(async (page, at) => assert.ok(await isLive(page), `fresh, ${at}`));
    for (const [n, message] of ["m-first", "m-second"].entries()) {
      await monitor.tell([{ ...sent(Date.now(), message, "id-3", 5000), clock: n + 1 }]);
      await onEach(async (page, at) => {
        await until(`${message}, ${at}`, async () => messagesIn(await look(page), message).length === 1);
        const [arrow] = messagesIn(await look(page), message);
        assert.ok(arrow && isInView(arrow.from, await heightOf(page)), at);
        const { width = 0, height = 0 } = page.viewportSize() ?? {};
        await page.setViewportSize({ width: width - 40, height: height + (n === 0 ? 150 : -150) });
        await nextFrame(page);
        assert.ok(await isLive(page), `resized, ${at}`);
        await page.setViewportSize({ width, height });
      });
    }
  });

  test("says that a group has it when it has it, not when the rest are given up", async () => {
    const ids = ["id-0", "id-1", "id-2"];
    await monitor.tell([
      ...ids.map((receiver) => c("sent", { receiver, timeout: 60_000 })),
      ...ids.slice(1).map((receiver) => c("ack received", { receiver, heard: 1 })),
      c("group acked", { need: 2, ackedBy: ids.slice(1), attempt: undefined }),
    ]);
    const said = async (page: Page) => {
      const { marks, shapes } = await look(page);
      const bars = shapes.filter((shape) => shape.kind === "bar" && shape.notNeeded);
      return `${marks.filter(({ mark }) => mark === "majority").length} ${bars.length}`;
    };
    await onEach((page, at) => until(`it has it, ${at}`, async () => (await said(page)) === "1 0"));
    await monitor.tell([c("gave up", { receiver: "id-0", outcome: "unknown", note: "enough" })]);
    await onEach((page, at) => until(`not needed, ${at}`, async () => (await said(page)) === "1 1"));
  });

  test("of 3 ms shows each arrow of a send to five, with a scale, when the message is asked for", async () => {
    const startedAt = Date.now() - 5;
    const thereMs = { "id-0": 2, "id-1": 1, "id-2": 2, "id-3": 1, "id-4": 2 };
    await monitor.tell(roundTrips(startedAt, "m-fast", thereMs));
    await onEach(async (page, at) => {
      await until(`it came, ${at}`, async () => (await page.locator('[data-message="m-fast"]').count()) > 0);
      await page.getByRole("searchbox").fill("m-fast");
      await page.getByRole("searchbox").press("Enter");
      await page.locator("#story").waitFor();
      await page.locator("#zoom-fit").press("Enter");
      const seen = await look(page);
      assert.equal(await ofPage(page, "page.diagram.pxPerMs"), 10, at);
      const height = await heightOf(page);
      const arrows = seen.arrows.filter(({ message }) => message === "m-fast");
      assert.equal(arrows.length, 10, at);
      for (const { what, receiver, from, to } of arrows) {
        assert.ok(isInView(from, height) && isInView(to, height), at);
        const ms = what === "ack" ? 1 : (thereMs[receiver as keyof typeof thereMs] ?? 0);
        assert.ok(
          to.y - from.y >= 10 * ms - 0.5 && to.y - from.y <= 24,
          `${ms} ms: ${to.y - from.y} px, ${at}`,
        );
      }
      const ends = new Set(arrows.map(({ what, from, to }) => (what === "ack" ? from.x : to.x)));
      assert.equal(ends.size, 5, "each at its own lane");
      assert.ok(seen.texts.includes("2 ms"), `the scale: ${seen.texts}, ${at}`);
      await page.getByRole("searchbox").fill("");
    });
  });

  test("is zoomed to an hour and back by keys, by buttons and by the wheel", async () => {
    await onEach(async (page, at) => {
      const pxPerMs = () => ofPage<number>(page, "page.diagram.pxPerMs");
      await page.locator("#scroll").focus();
      for (let times = 0; times < 40; times++) await page.keyboard.press("-");
      assert.equal(Math.round((await heightOf(page)) / (await pxPerMs())), HOUR_MS, at);
      await page.keyboard.press("+");
      await page.locator("#zoom-in").press("Enter");
      assert.equal(Math.round((HOUR_MS * (await pxPerMs())) / (await heightOf(page)) / 1.5 ** 2), 1, at);
      const before = await pxPerMs();
      await page.locator("#canvas").hover();
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, -300);
      await page.keyboard.up("Control");
      await until(`the wheel zooms, ${at}`, async () => (await pxPerMs()) > 2 * before);
      await page.locator("#zoom-reset").press("Enter");
      assert.equal((await pxPerMs()).toFixed(4), "0.0400", at);
    });
  });

  test("has all of it reached by the Tab key, and is panned and followed by keys alone", async () => {
    await onEach(async (page, at) => {
      await page.evaluate("document.activeElement.blur()");
      const reached = new Set<string>();
      for (let times = 0; times < 120; times++) {
        await page.keyboard.press("Tab");
        const id = await page.evaluate<string>(`(() => {
          const { id, tagName, textContent } = document.activeElement;
          return id || tagName + " " + textContent;
        })()`);
        if (reached.has(id) && id !== "BODY" && times > 20 && !id.startsWith("BUTTON")) break;
        reached.add(id);
      }
      for (const id of CONTROLS) assert.ok(reached.has(id), `${id}, ${at}; reached: ${[...reached]}`);
      assert.ok(
        [...reached].some((id) => id.startsWith("BUTTON m-")),
        "the messages",
      );
      await page.locator("#scroll").focus();
      await page.keyboard.press("Home");
      await nextFrame(page);
      assert.equal(await ofPage(page, "page.diagram.follows"), false, at);
      assert.equal(await ofPage(page, "page.player.isLive"), true, "panning doesn't stop time");
      await page.keyboard.press("End");
      await until(`it follows again, ${at}`, () => isLive(page));
    });
  });

  test("has nothing for axe to find with story, legend and play bar in use", async () => {
    await onEach(async (page, at) => {
      await page.locator('#rows button[data-message="m-fast"]').first().press("Enter");
      await page.locator("#play").press("Enter");
      await page.locator("#step-back").press("Enter");
      await until("the legend is there", async () => (await page.locator("#legend > span").count()) > 0);
      await page.evaluate(axe.source);
      const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults;
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html).join(" ")}`),
        [],
        at,
      );
      await page.locator("#live").press("Enter");
    });
  });

  test("costs nothing while nothing happens", async () => {
    const { page } = pages[2] as (typeof pages)[number];
    // What was sent last has timed out, or will only in a minute.
    await monitor.tell([c("gave up", { receiver: "id-0", outcome: "unknown", note: "enough" })]);
    await page.locator("#scroll").press("End");
    const paints = () => ofPage<number>(page, "page.diagram.paints");
    const grownIn = async (seconds: number) => {
      const before = await paints();
      const frames = (await countFrames(page, seconds)) * seconds;
      return { grown: (await paints()) - before, frames };
    };
    await until("the last of it is over", async () => (await grownIn(1)).grown <= 2, 20_000);
    const { grown, frames } = await grownIn(4);
    assert.ok(frames > 20, `${frames} frames`);
    assert.ok(grown <= 5, `painted ${grown} times in 4 s`);
  });

  test("had no error", () => {
    assert.deepEqual(problems, []);
  });
});

const CONTROLS = [
  ...["clear", "client-only", "heartbeats", "language", "zoom-out", "zoom-in", "zoom-reset", "zoom-fit"],
  ...["save-svg", "save-png", "open-mermaid", "scroll", "step-back", "play", "step-forward", "time", "speed"],
  ...["live", "legend", "find", "close-story"],
];

describe("the group's time, with real roles", () => {
  const folder = mkdtempSync(join(tmpdir(), "browser-time-"));
  const roles: Role[] = [];
  const records: string[] = [];
  const problems: string[] = [];
  const pages: { page: Page; at: string; pt: boolean }[] = [];
  let browser: Browser;
  let discovery: Role;
  let [url, api, discoveryPort] = ["", "", ""];
  const ids: Record<string, string> = {};

  function start(file: string, ...args: string[]): Role {
    const role = startRole(file, args);
    roles.push(role);
    return role;
  }
  /** A role that is watched, and recorded. */
  function startWatched(file: string, ...args: string[]): Role {
    const record = join(folder, `${records.length}.jsonl`);
    records.push(record);
    return start(
      file,
      "--discovery",
      api,
      "--monitor",
      url,
      "--record",
      record,
      "--log-level",
      "warn",
      ...args,
    );
  }
  async function startDiscovery() {
    const local = ["--host", "127.0.0.1", "--port", discoveryPort, "--monitor", url];
    discovery = start("discovery.ts", ...local);
    api = await discoveryUrl(discovery);
  }

  before(async () => {
    const port = String(await findFreePort());
    url = `http://127.0.0.1:${port}`;
    discoveryPort = String(await findFreePort());
    await startDiscovery();
    const monitor = start("monitor.ts", "--host", "127.0.0.1", "--port", port, "--discovery", api);
    [browser] = await Promise.all([openBrowser(), monitor.says(/listening/)]);
    for (const fault of ["lost", "lost-ack"]) {
      const own = ["--name", `r-${fault}`, "--advertise-host", "127.0.0.1", "--heartbeat-every", "1s"];
      startWatched("receiver.ts", ...own, "--fault", fault, "--fault-rate", "1");
    }
    const listed = () =>
      fetch(`${api}/receivers`).then((answer) => answer.json()) as Promise<{ id: string }[]>;
    await until("two receivers", async () => (await listed()).length === 2);
    for (const width of WIDTHS)
      for (const locale of LOCALES) {
        const page = await openPage(browser, url, { width, locale, problems });
        pages.push({ page, at: `${width} px, ${locale}`, pt: locale === "pt-BR" });
      }
    const { page } = pages[0] as (typeof pages)[number];
    for (const name of ["r-lost", "r-lost-ack"])
      ids[name] = await until(name, () =>
        ofPage<string | undefined>(page, `page.model.byName.get("${name}")?.id`),
      );
  });
  after(async () => {
    await browser?.close();
    await Promise.all(roles.reverse().map((role) => stopRole(role, "SIGKILL")));
    rmSync(folder, { recursive: true });
  });

  async function onEach(check: (page: Page, at: string, pt: boolean) => Promise<void>) {
    for (const { page, at, pt } of pages) await check(page, at, pt);
  }
  async function eventsOf(): Promise<TraceEvent[]> {
    const text = await (await fetch(`${url}/events.jsonl`)).text();
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  test("a lost message and a lost ack are one picture to the client", async () => {
    for (const name of ["r-lost", "r-lost-ack"]) {
      const once = ["--to", ids[name] ?? "", "--attempts", "1", "--ack-timeout", "500ms"];
      await startWatched("client.ts", ...once).exitCode();
    }
    await onEach(async (page, at) => {
      await until(
        at,
        async () =>
          (await page.locator("#rows [data-state=timedOut], #rows [data-state=gaveUp]").count()) === 2,
      );
      const looks = async () => {
        const { arrows, gap } = await look(page);
        const of = (name: string) =>
          arrows
            .filter(({ receiver }) => receiver === ids[name])
            .map(({ what, head, dashed, late, label, mark, words, from, to }) => {
              const beside = ((to.x - from.x) / gap) % 1;
              return [
                what,
                head,
                dashed,
                late,
                label,
                mark,
                words,
                beside.toFixed(2),
                Math.round(to.y - from.y),
              ];
            });
        return { lost: of("r-lost"), ack: of("r-lost-ack") };
      };
      const known = await looks();
      assert.notDeepEqual(known.lost, known.ack, at);
      assert.deepEqual([known.lost.length, known.ack.length], [1, 2], at);
      await page.locator("#client-only").check();
      const { lost, ack } = await looks();
      assert.equal(lost.length, 1, at);
      assert.deepEqual(lost, ack, at);
      await page.locator("#client-only").uncheck();
    });
  });

  test("a client is there while it waits at its prompt for an hour", async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, locale: "en-US" });
    await page.clock.install();
    await page.goto(addressOf(url));
    const waiting = startWatched("client.ts");
    const name = await until("it has started", async () => {
      const running = (await eventsOf()).filter(({ event }) => event === "started" || event === "stopped");
      const last = running.findLast(({ process }) => process.startsWith("client-"));
      return last?.event === "started" && last.process;
    });
    const isThere = async () => {
      const lane = `page.diagram.frame?.names.filter(({ gone, color }) => !gone && color === "#f28c28").length === 1`;
      return (
        (await page.locator(`.client[data-process="${name}"]:not(.gone)`).count()) === 1 &&
        (await ofPage(page, lane))
      );
    };
    await until("it is there", async () => Boolean(await isThere()));
    await page.clock.fastForward(HOUR_MS);
    for (let times = 0; times < 2; times++) await page.waitForResponse(/\/group$/);
    await until("it is still there", async () => Boolean(await isThere()), 5000);
    await stopRole(waiting);
    // Its page is an hour ahead; the others have the time that it is.
    const [now] = pages as [(typeof pages)[number]];
    await now.page.locator(`.client.stopped[data-process="${name}"]`).waitFor();
    await page.close();
  });

  test("discovery's death is seen within 3 s, in its shape, its lane and the status; so is its return", async () => {
    for (const [dies, returns] of [
      [() => discovery.child.kill("SIGSTOP"), () => discovery.child.kill("SIGCONT")],
      [() => stopRole(discovery, "SIGKILL"), startDiscovery],
    ] as const) {
      const diedAt = Date.now();
      await dies();
      await seen("unreachable", { since: diedAt, from: diedAt });
      await onEach((page, at, pt) => isAway(page, at, pt));
      const returnedAt = Date.now();
      await returns();
      await seen("reachable", { since: returnedAt, from: Date.now() }); // its start takes its own time
      await onEach((page, at) => isBack(page, at));
    }
  });

  /** The monitor says so; a page shows it with its next frame. */
  async function seen(event: TraceEvent["event"], { since, from }: { since: number; from: number }) {
    const last = await until(event, async () =>
      (await eventsOf()).findLast(
        (each) => each.event === event && each.from === "discovery" && each.at >= since,
      ),
    );
    assert.ok(last.at - from <= SEEN_WITHIN_MS, `${event} after ${last.at - from} ms`);
  }
  async function isAway(page: Page, at: string, pt: boolean) {
    const words = pt ? "não responde" : "does not answer";
    await page.locator(".discovery.gone.unreachable", { hasText: words }).waitFor();
    await page.locator("#status", { hasText: words }).waitFor();
    await until(`its lane is dashed, ${at}`, async () => (await laneOf(page)).at(-1)?.broken === true);
    const { marks, names } = await look(page);
    const x = names.find(({ color }) => color === "#8e5bd0")?.x;
    assert.equal(marks.findLast(({ mark }) => mark === "unreachable")?.label, words, at);
    assert.equal(marks.findLast(({ mark }) => mark === "unreachable")?.x, x, at);
  }
  async function isBack(page: Page, at: string) {
    await page.locator(".discovery:not(.gone)").waitFor();
    await page.locator("#status.connected").waitFor();
    await until(`its lane is solid, ${at}`, async () => (await laneOf(page)).at(-1)?.broken === false);
  }
  async function laneOf(page: Page) {
    const { lanes, names } = await look(page);
    const x = names.find(({ color }) => color === "#8e5bd0")?.x;
    return lanes.filter((lane) => lane.x === x).sort((a, b) => a.from - b.from);
  }

  test("whoever registered anew with it says which id it had; the old one still finds its messages", async () => {
    await onEach(async (page, at, pt) => {
      const old = ids["r-lost"] ?? "";
      const words = `${pt ? "era" : "was"} ${old.slice(0, 8)}`;
      await until(`a new id, ${at}`, async () =>
        (await look(page)).marks.some(({ label }) => label === words),
      );
      const { marks, xOf } = await look(page);
      const newest = await ofPage<string>(page, `page.model.byName.get("r-lost").id`);
      assert.notEqual(newest, old);
      const mark = marks.find(({ label }) => label === words);
      assert.deepEqual([mark?.mark, mark?.x], ["newId", xOf(newest.slice(0, 8))], at);
      await page.getByRole("searchbox").fill(old.slice(0, 8));
      await until(`it is found, ${at}`, async () => (await page.locator("#rows tr").count()) === 1);
      const said = await page.locator("#found").innerText();
      assert.ok(said.includes(old.slice(0, 8)) && said.includes(newest.slice(0, 8)), `${said}, ${at}`);
      await page.getByRole("searchbox").fill("");
    });
  });

  test("recorded runs are shown and played again by keys; so is what was saved from the page", async () => {
    const [first] = pages as [(typeof pages)[number]];
    const coming = first.page.waitForEvent("download");
    await first.page.getByText("JSONL", { exact: true }).click();
    const saved = join(folder, "saved.jsonl");
    await (await coming).saveAs(saved);
    const runs = [await startReplay(...records), await startReplay(saved)];
    const asDrawn: string[][] = [];
    for (const [index, replay] of runs.entries())
      for (const [n, locale] of LOCALES.entries()) {
        const width = WIDTHS[(2 * index + n) % WIDTHS.length] ?? 0;
        const page = await openPage(browser, replay, { width, locale, problems });
        asDrawn.push(await playAgain(page));
        await page.context().close();
      }
    for (const drawn of asDrawn) assert.deepEqual(drawn, asDrawn[0]);
    assert.equal(asDrawn[0]?.length, 3);
  });

  async function startReplay(...files: string[]): Promise<string> {
    const replay = start("monitor.ts", "--host", "127.0.0.1", "--port", "0", "--replay", ...files);
    const [, port] = await replay.says(/listening on .*port (\d+)/);
    return `http://127.0.0.1:${port}`;
  }

  /** @returns the arrows of the whole run */
  async function playAgain(page: Page): Promise<string[]> {
    const rows = page.locator("#rows tr");
    const at = () => ofPage<number>(page, "page.player.at");
    const isPlaying = () => ofPage<boolean>(page, "page.player.isPlaying");
    await until("it is shown from its end", async () => (await rows.count()) === 2);
    assert.equal(await page.locator("#live").isVisible(), false, "a recorded run has no now");
    const end = await at();
    const time = page.locator("#time");
    await time.press("Home");
    const beginning = await at();
    assert.ok(beginning < end);
    await until("nothing has been sent", async () => (await rows.count()) === 0);
    await page.locator("#step-forward").press("Enter");
    const second = await at();
    assert.ok(second > beginning);
    await page.locator("#step-back").press("Enter");
    assert.equal(await at(), beginning);
    await time.press("PageUp");
    assert.ok((await at()) > beginning, "the handle moves by keys");
    await time.press("Home");
    await page.locator("#speed").selectOption("0.1");
    await page.locator("#play").press("Enter");
    assert.equal(await isPlaying(), true);
    await until("it goes on", async () => (await at()) > beginning);
    await page.locator("#play").press("Enter");
    const paused = await at();
    await nextFrame(page);
    assert.deepEqual([await isPlaying(), await at()], [false, paused]);
    await page.locator("#speed").selectOption("10");
    for (let times = 0; times < 8; times++) await time.press("PageUp");
    await page.locator("#play").press("Enter");
    await until("it has come to its end", async () => !(await isPlaying()), 30_000);
    assert.equal(await at(), end);
    await until("all is there again", async () => (await rows.count()) === 2);
    await page.locator("#scroll").focus();
    for (let times = 0; times < 40; times++) await page.keyboard.press("-");
    const { arrows } = await look(page);
    return arrows.map(({ what, head, message, receiver }) => `${what} ${head} ${message} ${receiver}`);
  }

  test("had no error", () => {
    // While discovery was away nothing else was asked of the monitor that failed.
    assert.deepEqual(problems, []);
  });
});
