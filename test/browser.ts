/**
 * The monitor's page in a real browser, with a real group: five receivers, each with its own fault, and
 * a client that sends to all of them. The tests are one story and run in order.
 *
 *     npm run test:browser                                 needs Chromium: apt install chromium
 *     SCREENSHOT=docs/monitor.png npm run test:browser     makes the picture of the readme too
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import type { Arrow, Bar, Shape } from "../monitor/layout.js";
import type { TraceEvent } from "../trace/events.ts";
import {
  addressOf,
  countFrames,
  heapOf,
  openBrowser,
  startWatchedCrowd,
  startWatchedGroup,
  visit,
  type WatchedCrowd,
  type WatchedGroup,
} from "./browser_helpers.ts";
import { until } from "./helpers.ts";
import { fetch } from "./wires.ts";

const SIZES = [
  { width: 1280, height: 720 },
  { width: 390, height: 844 },
];
const BODY = "<script>document.title = 'run'</script><b>oi</b>";
const FAULTS = ["silent", "lost-ack", "late-ack", "disconnect", "silent,lost-ack,late-ack"];

describe("the monitor's page", () => {
  let browser: Browser;
  let group: WatchedGroup;
  let page: Page;
  const problems: string[] = [];

  before(async () => {
    [browser, group] = await Promise.all([openBrowser(), startWatchedGroup(["--receiver-ttl", "6s"])]);
    for (const [index, fault] of FAULTS.entries()) {
      const faults = ["--fault", fault, "--fault-rate", "0.6", "--seed", `${index + 1}`, "--late-by", "3s"];
      const member = ["--name", `receiver-${index + 1}`, "--advertise-host", "127.0.0.1"];
      group.start("receiver.ts", [...member, "--heartbeat-every", "2s", ...faults]);
    }
    page = await open({ width: 1280, height: 720 }, "en-US");
    await until("five receivers", async () => (await page.locator(".receiver").count()) === 5);
    const sending = ["--to", "all", "--count", "3", "--ack-timeout", "2s", "--message", BODY];
    const client = group.start("client.ts", sending);
    await delayedScreenshot();
    assert.equal(await client.exitCode(), 0, client.stderr());
    // What the client wrote is on its way here in batches.
    await until("the last ack", async () => (await page.locator("#rows [data-state=waiting]").count()) === 0);
  });
  after(async () => {
    await browser?.close();
    await group?.stop();
  });

  async function open(viewport: { width: number; height: number }, locale: string): Promise<Page> {
    const context = await browser.newContext({ viewport, locale });
    const opened = await context.newPage();
    await visit(opened, group.url, problems);
    await opened.locator(".receiver").first().waitFor();
    return opened;
  }

  async function delayedScreenshot() {
    if (!process.env.SCREENSHOT) return;
    await until("many attempts", async () => (await page.locator("#rows tr").count()) > 24);
    await page.screenshot({ path: process.env.SCREENSHOT });
  }

  /** What is in view in the diagram. Modules are loaded once, so this is the page's own. */
  function shapesOf(on: Page): Promise<Shape[]> {
    // A text, as this runs in the browser and not here.
    return on.evaluate('import("/page.js").then(({ page }) => page.diagram.shapes)');
  }

  async function arrowsOf(on: Page): Promise<Arrow[]> {
    return (await shapesOf(on)).filter((shape) => shape.kind === "arrow");
  }

  test("shows every member, with a ring that shrinks and snaps back at a heartbeat", async () => {
    assert.equal(await page.locator(".client").count(), 1);
    assert.equal(await page.locator(".discovery").count(), 1);
    const ring = page.locator(".receiver .ring").first();
    const left = async () => Number(await ring.getAttribute("data-left"));
    const seen: number[] = [];
    await until(
      () => `the ring shrinks and snaps back; it was ${seen}`,
      async () => {
        seen.push(await left());
        const lowest = Math.min(...seen);
        return lowest < 0.8 && (seen.at(-1) ?? 0) > lowest + 0.15;
      },
    );
  });

  test("draws what the events say: each attempt an arrow, with its id and number", async () => {
    const text = await (await fetch(`${group.url}/events.jsonl`)).text();
    const events = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const wanted = events
      .filter(({ event }) => event === "sent" || event === "retried")
      .map(({ message, attempt, receiver }) => `${message} ${attempt} ${receiver}`);
    const seen = new Set<string>();
    // It is more than fits in view: the whole diagram is panned through, and it follows again at the end.
    const follows = () => page.evaluate('import("/page.js").then(({ page }) => page.diagram.follows)');
    await page.locator("#scroll").focus();
    await page.keyboard.press("Home");
    assert.equal(await follows(), false);
    const read = async () => {
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      for (const { what, message, attempt, receiver, label } of await arrowsOf(page)) {
        if (what !== "message") continue;
        seen.add(`${message} ${attempt} ${receiver}`);
        assert.equal(label, attempt === 1 ? "1" : `×${attempt}`);
      }
    };
    await read();
    for (let pages = 0; pages < 100 && !(await follows()); pages++) {
      await page.keyboard.press("PageDown");
      await read();
    }
    assert.deepEqual([...seen].sort(), [...new Set(wanted)].sort());
  });

  test("draws timeouts as bars, duplicates with hollow heads, late acks dashed, lost ones with a cross", async () => {
    const shapes = await allShapes(page);
    const arrows = shapes.filter((shape): shape is Arrow => shape.kind === "arrow");
    const bars = shapes.filter((shape): shape is Bar => shape.kind === "bar" && shape.timedOut);
    assert.ok(bars.length > 0, "a bar for each timeout");
    for (const { from, to } of bars)
      assert.ok(
        Math.abs(to - from - 80) <= 36,
        `2 s are 80 px, less what its start is drawn late: ${to - from}`,
      );
    assert.ok(arrows.some(({ head, mark }) => head === "hollow" && mark === "dup"));
    assert.ok(arrows.some(({ what, dashed }) => what === "ack" && dashed));
    assert.ok(arrows.some(({ what, head }) => what === "ack" && head === "cross"));
    assert.ok(shapes.some((shape) => shape.kind === "mark" && shape.mark === "omission"));
    assert.ok(shapes.some(({ kind }) => kind === "link"));
  });

  /** The whole diagram at once, as on a very high screen. */
  async function allShapes(on: Page): Promise<Shape[]> {
    await on.setViewportSize({ width: 1280, height: 4000 });
    await on.evaluate("new Promise((done) => setTimeout(done, 300))");
    const shapes = await shapesOf(on);
    await on.setViewportSize({ width: 1280, height: 720 });
    return shapes;
  }

  test("hides what the client can't know: all that was lost looks the same", async () => {
    await page.getByLabel("What the client knows").check();
    const shapes = await allShapes(page);
    const arrows = shapes.filter((shape): shape is Arrow => shape.kind === "arrow");
    const unanswered = arrows.filter(({ head, what }) => what === "message" && head === "question");
    assert.ok(unanswered.length > 0);
    assert.deepEqual(new Set(unanswered.map(({ dashed, mark }) => `${dashed} ${mark}`)).size, 1);
    const unseen = (shape: Shape) => shape.kind === "mark" && shape.mark === "omission";
    assert.ok(!shapes.some(unseen), "no omission is seen");
    await until("no ring", async () => (await page.locator(".receiver .ring:not(.none)").count()) === 0);
    await page.getByLabel("What the client knows").uncheck();
  });

  test("tells the story of a message, whose text is never run", async () => {
    await page.locator('#rows tr[data-state="timedOut"] button').first().click();
    const story = page.locator("#story");
    await story.getByText("in time").first().waitFor();
    assert.match(await story.innerText(), /<script>document\.title/);
    assert.equal(await page.locator("#story script, #story b").count(), 0);
    assert.notEqual(await page.title(), "run");
    await page.keyboard.press("Escape");
    assert.equal(await story.isVisible(), false);
  });

  test("opens a story by a click on an arrow, and by the keyboard", async () => {
    const box = await page.locator("#canvas").boundingBox();
    assert.ok(box);
    const [arrow] = (await arrowsOf(page)).filter(({ what, from }) => what === "message" && from.y > 20);
    assert.ok(arrow, "an arrow is in view");
    const names = Number(
      await page.evaluate('import("/page.js").then(({ page }) => page.diagram.namesHeight)'),
    );
    const middle = { x: (arrow.from.x + arrow.to.x) / 2, y: (arrow.from.y + arrow.to.y) / 2 };
    await page.mouse.click(box.x + middle.x, box.y + names + middle.y);
    await page.locator("#story").waitFor({ state: "visible" });
    await page.keyboard.press("Escape");
    await page.locator("#rows button").first().focus();
    await page.keyboard.press("Enter");
    await page.locator("#story").waitFor({ state: "visible" });
    await page.keyboard.press("Escape");
  });

  test("goes on, and clears", async () => {
    await page.getByRole("button", { name: "Clear" }).click();
    await until("the list is empty", async () => (await page.locator("#rows tr").count()) === 0);
    assert.deepEqual(await arrowsOf(page), []);
    assert.equal(await page.locator(".receiver").count(), 5);
  });

  test("speaks the browser's language, and the other one", async () => {
    const portuguese = await open({ width: 1280, height: 720 }, "pt-BR");
    await portuguese.getByRole("heading", { name: "Diagrama espaço-tempo" }).waitFor();
    assert.equal(await portuguese.locator("html").getAttribute("lang"), "pt-BR");
    await until("a page that is opened late sees what was before", async () => {
      return (await portuguese.locator("#rows tr").count()) > 5;
    });
    await portuguese.getByRole("button", { name: "English" }).click();
    await portuguese.getByRole("heading", { name: "Space-time diagram" }).waitFor();
    await portuguese.context().close();
  });

  for (const size of SIZES) {
    for (const locale of ["en-US", "pt-BR"]) {
      test(`has no finding of axe, and nothing wider than the page, at ${size.width}×${size.height}, ${locale}`, async () => {
        const opened = await open(size, locale);
        await opened.locator("#rows button").first().click();
        await opened.evaluate(axe.source);
        const { violations } = (await opened.evaluate("axe.run()")) as axe.AxeResults;
        assert.deepEqual(
          violations.map(
            ({ id, impact, nodes }) => `${impact}: ${id} ${nodes.map(({ html }) => html).join(" ")}`,
          ),
          [],
        );
        const overflow = await opened.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert.equal(overflow, 0);
        await opened.context().close();
      });
    }
  }

  test("shows a receiver that died as expired, for a while", async () => {
    const dying = group.start("receiver.ts", ["--advertise-host", "127.0.0.1", "--heartbeat-every", "1s"]);
    await until("six receivers", async () => (await page.locator(".receiver").count()) === 6);
    dying.child.kill("SIGKILL");
    await page.locator(".receiver.gone", { hasText: "expired" }).waitFor();
  });

  test("had no error, and no file from elsewhere", () => {
    assert.deepEqual(problems, []);
  });
});

describe("the monitor's page, with 100,000 names", { timeout: 180_000 }, () => {
  const MANY = 100_000;
  const LEAST_FRAMES = 20; // a second
  const MOST_HEAP_MIB = 40;
  let browser: Browser;
  let crowd: WatchedCrowd;
  let page: Page;

  before(async () => {
    [browser, crowd] = await Promise.all([openBrowser(), startWatchedCrowd(MANY)]);
    page = await browser.newPage({ viewport: { width: 1280, height: 720 }, locale: "en-US" });
    await page.goto(addressOf(crowd.url));
  });
  after(async () => {
    await browser?.close();
    await crowd?.stop();
  });

  let clock = 0;
  function sent(process: string, receiver: string): TraceEvent {
    clock += 1;
    const [at, message] = [Date.now(), `message-${clock}`];
    return { event: "sent", process, clock, at, message, attempt: 1, timeout: 5000, receiver };
  }

  async function isBorne() {
    const frames = await countFrames(page, 5);
    assert.ok(frames >= LEAST_FRAMES, `${frames.toFixed(1)} frames a second`);
    const heap = await heapOf(page);
    assert.ok(heap <= MOST_HEAP_MIB, `${heap.toFixed(1)} MiB`);
  }
  const lanes = () =>
    page.evaluate(
      'import("/page.js").then(({ page }) => page.diagram.shapes.filter(({ kind }) => kind === "lane").length)',
    );

  test("in discovery's list, shows a hundred, and says how many more there are", async () => {
    const title = page.locator(".box-title");
    await until("the list is there", async () => /more/.test((await title.textContent()) ?? ""), 60_000);
    await isBorne();
    assert.equal(await title.textContent(), "receivers … and 99,900 more");
    assert.equal(await page.locator(".receiver").count(), 100);
    assert.ok(Number(await lanes()) <= 100);
    await page.getByText("100000 receivers in the group").waitFor({ state: "attached" });
  });

  test("shows the receiver that a message goes to, whatever its place in the list", async () => {
    await crowd.tell([sent("client-1", "id-99999")]);
    await page.locator('.receiver[data-id="id-99999"]').waitFor();
    await page.locator('.client[data-process="client-1"]').waitFor();
  });

  test("of clients that come all the time, shows those who send, and counts the others", async () => {
    await page.locator("#rows button").first().click();
    const coming = tellOfClients();
    await isBorne();
    await coming;
    await page.getByText(`${MANY + 1} clients`).waitFor({ state: "attached" });
    const more = page.locator("#group-picture > .note");
    assert.match((await more.textContent()) ?? "", /^… and 99,99\d more$/);
    await page.locator('.client[data-process="client-1"]').waitFor();
    await isBorne();
    assert.match(await page.locator("#more").innerText(), /^… and 199,90\d more$/);
  });

  /** 10,000 a second: not more than the monitor itself bears on two processors. */
  async function tellOfClients() {
    const startedAt = performance.now();
    for (let n = 0; n < MANY; n += 500) {
      await delay(startedAt + n / 10 - performance.now());
      await crowd.tell(Array.from({ length: 500 }, (_, index) => sent(`other-${n + index}`, `id-${n}`)));
    }
  }

  test("in Portuguese too, and on a telephone, with nothing wider than the page", async () => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Português" }).click();
    await page.getByText("receptores … e mais 99.900").waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    assert.equal(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
  });

  test("shows what could turn or hide the text around it as its code", async () => {
    await crowd.tell([sent("a\u202eb\x1b[2Jc\ud800", "id-\u2066")]);
    const row = page.locator("#rows tr", { hasText: "id-\\u206" });
    await row.waitFor();
    assert.match((await row.textContent()) ?? "", /a\\u202eb\\x1b\[2Jc\\ud800/);
  });
});
