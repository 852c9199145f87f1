/**
 * The teacher's desk in a real browser: each of its buttons is pressed, and what comes of it is seen in the diagram and in
 * the process. The tests are one story and run in order.
 *
 *     npm run test:browser
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { end, startReceiver, untilInGroup } from "../classroom/processes.ts";
import { type ServersOptions, startServers } from "../classroom/servers.ts";
import type { DeedShape } from "../monitor/deeds.js";
import { openBrowser, visit } from "./browser_helpers.ts";
import { LOCALES, lookAtAll, ofPage, openPage } from "./browser_look.ts";
import { keptLog, until } from "./helpers.ts";
import { fetch, groupFile, startMonitor } from "./wires.ts";

const SIZES = [
  { width: 1280, height: 720 },
  { width: 1920, height: 1080 },
  { width: 390, height: 844 },
];
const RECEIVERS = ["receiver-0", "receiver-1", "receiver-2"];

describe("the teacher's desk", () => {
  const receivers: ServersOptions["receivers"] = new Map();
  const printed: string[] = [];
  const print = (line: string) => void printed.push(line);
  const problems: string[] = [];
  let servers: Awaited<ReturnType<typeof startServers>>;
  let browser: Browser;
  let page: Page;

  before(async () => {
    browser = await openBrowser();
    servers = await startServers(print, { logLevel: "info", groupFile }, { receivers });
    const calm = [...servers.to, "--fault-rate", "0", "--heartbeat-every", "1s"];
    for (const name of RECEIVERS) receivers.set(name, startReceiver(name, calm, print));
    await untilInGroup([...receivers.values()], servers.api, AbortSignal.timeout(20_000));
    page = await open(SIZES[0], "en-US", problems);
  });
  after(async () => {
    await browser?.close();
    await Promise.all([...receivers.values()].map(end));
    await servers?.close();
  });

  async function open(viewport: (typeof SIZES)[number] | undefined, locale: string, into: string[]) {
    const context = await browser.newContext({ locale, ...(viewport && { viewport }) });
    const opened = await context.newPage();
    const [, url = ""] = /open (\S+) in a browser/.exec(printed[0] ?? "") ?? [];
    await visit(opened, url, into);
    await opened.locator("#desk").waitFor({ state: "visible" });
    return opened;
  }
  const press = (what: string) => page.locator(`#desk button[data-do="${what}"]`).click();
  const choose = (list: string, value: string) => page.locator(`#desk-${list}`).selectOption(value);
  const says = (words: string) =>
    until(`the desk says: ${words}`, async () => (await page.locator("#desk-said").textContent()) === words);
  const childOf = (name: string) => receivers.get(name) ?? assert.fail(name);
  const isStopped = (name: string) =>
    /^T/.test(execFileSync("ps", ["-o", "state=", "-p", String(childOf(name).pid)], { encoding: "utf8" }));
  const acked = (count: number) =>
    until(
      `${count} are acked`,
      async () => (await page.locator("#rows [data-state=acked]").count()) === count,
    );

  /** Waits until a mark of the desk stands at the lane of a process, with its word and its line in the legend. */
  async function seesDeed(deed: DeedShape["deed"], label: string, name: string, legend: string) {
    const seen = await until(`${deed} in the diagram`, async () => {
      const all = await lookAtAll(page);
      return all.legend.words.includes(legend) && all;
    });
    const marks = seen.shapes.filter((shape): shape is DeedShape => shape.kind === "deed");
    const title = `page.model.byName.get("${name}").id?.slice(0, 8) ?? "${name}"`;
    const x = seen.xOf(await ofPage<string>(page, title));
    const found = marks.filter((mark) => mark.deed === deed && mark.label === label);
    assert.ok(
      found.some((mark) => mark.x === x),
      `${label} at ${name}`,
    );
    assert.ok(
      seen.texts.some((text) => text.endsWith(` ${label}`)),
      `${label} can be read: ${seen.texts}`,
    );
  }
  async function send(to: string, text: string) {
    await choose("to", to);
    await page.locator("#desk-text").fill(text);
    await page.locator("#desk-text").press("Enter");
    await says(`Sent to ${to}.`);
  }

  test("the key is in the address that was printed, and no longer in the page's", async () => {
    assert.doesNotMatch(page.url(), /desk/);
    await page.reload();
    await page.locator("#desk").waitFor({ state: "visible" });
    assert.equal(await page.locator("#desk-receiver option").count(), 3);
  });

  test("sends to one, to all, and to any", async () => {
    await send("receiver-1", "one");
    await send("all", "everybody");
    await send("any", "anybody");
    await acked(5);
    assert.ok((await lookAtAll(page)).names.some(({ title }) => title === "desk"));
  });

  test("gives a receiver its next fault, and its rate", async () => {
    await choose("receiver", "receiver-0");
    await choose("fault", "lost-ack");
    await press("give fault");
    await says("receiver-0: next: lost-ack");
    await send("receiver-0", "lost");
    await acked(6);
    const { arrows } = await lookAtAll(page);
    assert.equal(arrows.filter(({ what, head }) => what === "ack" && head === "cross").length, 1);
    await seesDeed("givenFault", "next: lost-ack", "receiver-0", "desk: what the next message meets");
    const rate = page.locator("#desk-rate");
    await until("the box has its rate", async () => (await rate.inputValue()) === "0");
    await rate.fill("2");
    await press("give rate");
    await rate.fill("1");
    await press("give rate");
    await says("receiver-0: fault rate 1");
    await choose("receiver", "receiver-1");
    await until("the other's is still as it was", async () => (await rate.inputValue()) === "0");
    await choose("receiver", "receiver-0");
    await until("it has the new one", async () => (await rate.inputValue()) === "1");
    await seesDeed("givenRate", "fault rate 1", "receiver-0", "desk: how often there is a fault");
    await send("receiver-0", "in vain");
    await until("an omission", async () =>
      (await lookAtAll(page)).marks.some(({ mark }) => mark === "omission"),
    );
  });

  test("suspends a receiver, and resumes it", async () => {
    await choose("receiver", "receiver-1");
    await press("suspend");
    await says("receiver-1: suspended");
    assert.ok(isStopped("receiver-1"));
    await seesDeed("suspended", "suspended", "receiver-1", "desk: suspended (SIGSTOP)");
    const inGroup = page.locator('#group-picture [data-process="receiver-1"]');
    await until(
      "the group shows it",
      async () => (await inGroup.getAttribute("class")) === "receiver suspended",
    );
    assert.equal(await inGroup.locator(".note").textContent(), "suspended");
    await send("receiver-1", "asleep");
    await press("resume");
    await says("receiver-1: resumed");
    await acked(7);
    assert.ok(!isStopped("receiver-1"));
    await seesDeed("resumed", "resumed", "receiver-1", "desk: resumed (SIGCONT)");
  });

  test("kills a receiver, with the keyboard alone; its lane ends", async () => {
    await choose("receiver", "receiver-1");
    await page.locator("#desk-receiver").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await says("receiver-1: killed");
    await until("it is dead", () => childOf("receiver-1").signalCode === "SIGKILL");
    await seesDeed("killed", "killed", "receiver-1", "desk: killed (SIGKILL)");
    assert.ok(
      (await lookAtAll(page)).marks.some(({ mark, label }) => mark === "crash" && label === "crashed"),
    );
    const kill = page.locator('#desk button[data-do="kill"]');
    await until(
      "it can't be killed again",
      async () => (await kill.getAttribute("aria-disabled")) === "true",
    );
    assert.equal(await page.evaluate("document.activeElement?.dataset.do"), "kill", "the focus stays");
  });

  test("ends a receiver, and starts one more", async () => {
    await choose("receiver", "receiver-2");
    await press("end");
    await says("receiver-2: told to end");
    await until("it has ended in order", () => childOf("receiver-2").exitCode === 0);
    await seesDeed("toldToEnd", "told to end", "receiver-2", "desk: told to end (SIGTERM)");
    await press("start receiver");
    await says("started");
    await until("it can be chosen", async () => (await page.locator("#desk-receiver option").count()) === 4);
    await until("it has a lane", () => ofPage<boolean>(page, '!!page.model.byName.get("receiver-3")?.id'));
    await seesDeed("launched", "started", "receiver-3", "desk: started");
    assert.equal(childOf("receiver-3").exitCode, null);
  });

  test("stops discovery, says that nothing can be sent then, and starts it", async () => {
    const health = () =>
      fetch(`${servers.discovery}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    await press("stop discovery");
    await says("discovery: told to end");
    assert.equal(await health(), false);
    await seesDeed("toldToEnd", "told to end", "discovery", "desk: told to end (SIGTERM)");
    await page.locator("#send-form button").click();
    await says("Discovery does not answer, so nobody knows who is in the group.");
    await press("start discovery");
    await says("discovery: started");
    assert.equal(await health(), true);
    await seesDeed("launched", "started", "discovery", "desk: started");
  });

  for (const size of SIZES) {
    for (const locale of LOCALES) {
      test(`fits, and has no finding of axe, at ${size.width}×${size.height}, ${locale}`, async () => {
        const problems: string[] = [];
        const opened = await open(size, locale, problems);
        const title = await opened.locator("#desk summary").textContent();
        assert.equal(title, locale === "pt-BR" ? "Mesa do professor" : "Teacher's desk");
        const folder = process.env.SCREENSHOTS;
        if (folder) await opened.screenshot({ path: `${folder}/desk_${size.width}_${locale}.png` });
        assert.equal(await opened.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
        await opened.evaluate(axe.source);
        const { violations } = (await opened.evaluate("axe.run()")) as axe.AxeResults;
        assert.deepEqual(
          violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html)}`),
          [],
        );
        assert.deepEqual(problems, []);
        await opened.context().close();
      });
    }
  }

  test("what was done stands in the replay of the run too, which has no desk", async () => {
    const folder = mkdtempSync(join(tmpdir(), "desk-"));
    const file = join(folder, "events.jsonl");
    writeFileSync(file, await (await fetch(`${new URL("/events.jsonl", page.url())}`)).text());
    const place = { host: "127.0.0.1", port: 0, discovery: servers.discovery, replay: [file] };
    const replay = await startMonitor(place, keptLog().log);
    const replayed = await openPage(browser, `http://127.0.0.1:${replay.port}/#desk=a-key`, {});
    await replayed.locator("#zoom-out").click({ clickCount: 5 });
    const { shapes, legend } = await lookAtAll(replayed);
    const seen = new Set(shapes.flatMap((shape) => (shape.kind === "deed" ? [shape.deed] : [])));
    const all = ["givenFault", "givenRate", "killed", "launched", "resumed", "suspended", "toldToEnd"];
    assert.deepEqual([...seen].sort(), all);
    assert.match(legend.words, /desk: killed \(SIGKILL\)/);
    assert.ok(await replayed.locator("#desk").isHidden());
    replay.close();
    rmSync(folder, { recursive: true });
  });

  test("a page without the key has no desk; one with another key says so", async () => {
    const other = await (await browser.newContext({ locale: "en-US" })).newPage();
    const [, url = ""] = /open (\S+)#desk/.exec(printed[0] ?? "") ?? [];
    await visit(other, url, []);
    await until("it is connected", () => ofPage<boolean>(other, "page.isConnected"));
    assert.ok(await other.locator("#desk").isHidden());
    await visit(other, `${url}#desk=of-yesterday`, []);
    await other.getByText("This desk is of another run").waitFor();
  });

  test("nothing went wrong in the page but what was refused on purpose", () => {
    assert.deepEqual(
      problems.filter((problem) => !problem.includes("409")),
      [],
    );
  });
});
