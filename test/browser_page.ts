/**
 * The monitor's page around its pictures, in a real browser: the play bar, the story, finding, the address, what is
 * taken away. A monitor without a group is told the events.
 *
 *     npm run test:browser
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import type { TraceEvent } from "../trace/events.ts";
import { addressOf, openBrowser, startWatchedCrowd, visit, type WatchedCrowd } from "./browser_helpers.ts";
import { until } from "./helpers.ts";
import { told } from "./page_helpers.ts";

const WIDTHS = [320, 390, 801, 1280, 1499, 1920, 2560];
const ID = "5f1c2a7e-0000";

describe("the page around its pictures", () => {
  let browser: Browser;
  let monitor: WatchedCrowd;
  let page: Page;
  const problems: string[] = [];

  before(async () => {
    [browser, monitor] = await Promise.all([openBrowser(), startWatchedCrowd(3)]);
    await monitor.tell(conversation(ID, Date.now() - 60_000));
    page = await open();
  });
  after(async () => {
    await browser?.close();
    await monitor?.stop();
  });

  async function open(path = "", width = 1280, locale = "en-US"): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 720 }, locale });
    const opened = await context.newPage();
    await visit(opened, `${monitor.url}/${path}`, problems);
    await opened.locator("#rows tr").first().waitFor();
    return opened;
  }
  const rows = (on: Page) => on.locator("#rows tr").count();
  const isLive = (on: Page) => on.locator("#live").getAttribute("aria-pressed");

  for (const width of WIDTHS) {
    for (const locale of ["en-US", "pt-BR"]) {
      test(`is live, fits, and has its story beside the diagram at ${width} px, ${locale}`, async () => {
        const opened = await open("", width, locale);
        assert.equal(await isLive(opened), "true");
        await opened.locator("#rows button").first().click();
        await opened.locator("#story").waitFor({ state: "visible" });
        await opened.setViewportSize({ width, height: 900 });
        assert.equal(await opened.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
        assert.equal(await opened.evaluate(OVERLAP), false);
        assert.equal(await isLive(opened), "true");
        await opened.evaluate(axe.source);
        const { violations } = (await opened.evaluate("axe.run()")) as axe.AxeResults;
        assert.deepEqual(
          violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html).join(" ")}`),
          [],
        );
        await opened.context().close();
      });
    }
  }

  test("shows the past, loses nothing of what comes meanwhile, and is live again", async () => {
    await page.getByRole("button", { name: "Pause" }).click();
    const before = await rows(page);
    await monitor.tell(conversation("meanwhile", Date.now()));
    await page.getByRole("button", { name: "Live +6" }).waitFor();
    assert.equal(await rows(page), before);
    await page.getByText("shows what is past").waitFor();
    await page.getByRole("button", { name: "Live +6" }).press("Enter");
    await until("it is there", async () => (await rows(page)) === before + 1);
    assert.equal(await isLive(page), "true");
  });

  test("is moved by keyboard from event to event, and to any time", async () => {
    const time = page.getByRole("slider", { name: "Time" });
    await time.press("Home");
    assert.equal(await isLive(page), "false");
    const first = await time.getAttribute("aria-valuetext");
    assert.match(first ?? "", /^\d\d:\d\d:\d\d\.\d{3}$/);
    await until("only the first event", async () => (await rows(page)) === 1);
    await page.getByRole("button", { name: "On to the next event" }).press("Enter");
    assert.notEqual(await time.getAttribute("aria-valuetext"), first);
    await page.getByRole("button", { name: "Back to the event before" }).press("Enter");
    assert.equal(await time.getAttribute("aria-valuetext"), first);
    await page.getByRole("combobox", { name: "Speed" }).selectOption("10");
    await page.getByRole("button", { name: "Play" }).press("Enter");
    await until("it is live again", async () => (await isLive(page)) === "true");
  });

  test("finds a message by the beginning of its id; the address names it, and opens it again", async () => {
    await page.getByRole("searchbox").fill("5f1c2");
    await until("one is found", async () => (await page.locator("#found").innerText()) === "Attempts: 1");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "The story of message 5f1c2a7e" }).waitFor();
    const address = new URL(page.url());
    assert.equal(address.search, `?lang=en&message=${ID}`);
    const again = await open(address.search, 1280, "pt-BR");
    await again.getByRole("heading", { name: "The story of message 5f1c2a7e" }).waitFor();
    await again.getByRole("button", { name: "Close" }).click();
    assert.equal(new URL(again.url()).search, "?lang=en");
    await again.getByRole("button", { name: "Português" }).click();
    await again.goto(addressOf(monitor.url));
    await again.getByRole("heading", { name: "Mensagens" }).waitFor();
    await again.context().close();
    await page.keyboard.press("Escape");
  });

  test("trusts nothing in its address", async () => {
    const opened = await open("?lang=<b>&message=<img src=x onerror=document.title='run'>");
    await opened.getByRole("heading", { name: "Messages" }).waitFor();
    assert.notEqual(await opened.title(), "run");
    await opened.context().close();
  });

  test("gives away the diagram as SVG and PNG, the Mermaid text, and the events", async () => {
    for (const [name, beginning] of [
      ["SVG", "<svg"],
      ["PNG", "\x89PNG"],
      ["JSONL", "{"],
    ] as const) {
      const coming = page.waitForEvent("download");
      await page.getByText(name, { exact: true }).click();
      const file = await (await coming).path();
      assert.ok((await readFile(file, "latin1")).startsWith(beginning), name);
    }
    await page.getByRole("button", { name: "Mermaid" }).click();
    await until("the text is there", async () =>
      (await page.locator("#mermaid-text").inputValue()).startsWith("sequenceDiagram"),
    );
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Selected: copy it with Ctrl+C.").waitFor();
    assert.match(String(await page.evaluate("getSelection().toString()")), /^sequenceDiagram/);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#mermaid").isVisible(), false);
  });

  test("had no error", () => {
    assert.deepEqual(problems, []);
  });
});

/** Runs in the page. */
const OVERLAP = `(() => {
  const [a, b] = ["story", "diagram"].map((id) => document.getElementById(id).getBoundingClientRect());
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
})()`;

/** Six events, a tenth of a second apart. */
function conversation(message: string, at: number): TraceEvent[] {
  const about = { message, attempt: 1, receiver: "id-1" };
  const from = { ...about, from: "client-1" };
  const events = [
    told("client-1", at, "sent", { ...about, timeout: 5000 }),
    told("receiver-1", at + 100, "received", from),
    told("receiver-1", at + 200, "processed", { ...from, note: "hello" }),
    told("receiver-1", at + 300, "acked", about),
    told("client-1", at + 400, "ack received", about),
    told("client-1", at + 500, "listed"),
  ];
  return events.map((event) => ({ ...event, clock: event.at }));
}
