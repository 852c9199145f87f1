/**
 * What the page draws is true, and can be read: one story in which all goes wrong that can, ten minutes ago, at three
 * widths and in both languages. Each test looks at where the shapes stand and what is written.
 *
 *     npm run test:browser
 *
 * Elsewhere: live after a resize, the story beside the diagram, address, export, copying (browser_page.ts); every
 * attempt an arrow, times as bars, clicks (browser.ts); any width of the layout alone (diagram_test.ts).
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { Arrow, Shape } from "../monitor/layout.js";
import { openBrowser, startWatchedCrowd, type WatchedCrowd } from "./browser_helpers.ts";
import {
  LOCALES,
  type Locale,
  look,
  lookAtAll,
  ofPage,
  openPage,
  type Seen,
  showTime,
  WIDTHS,
  WORDS,
} from "./browser_look.ts";
import { STORY_MS, storyAt } from "./browser_story.ts";
import { until } from "./helpers.ts";

const SILENCE_MS = 600_000;
const LOST_WITHIN_PX = 15;
/** What one page shows, at one size and in one language. */
interface View {
  width: number;
  locale: Locale;
  words: (typeof WORDS)[Locale];
  asItOpens: Seen & { follows: boolean; pressed: string | null; height: number; named: string };
  all: Seen;
  asTheClientKnows: Seen;
  /** Of a receiver in the picture of the group, when it had not answered, and when it was gone. */
  silent: { cls: string; text: string; ring: string; color: number[] };
  crashed: { cls: string; text: string; ring: string };
  rows: string[];
  story: string[];
}

describe("what the page draws", () => {
  let browser: Browser;
  let monitor: WatchedCrowd;
  const views: View[] = [];
  const problems: string[] = [];

  before(async () => {
    [browser, monitor] = await Promise.all([openBrowser(), startWatchedCrowd(0)]);
    const startedAt = Date.now() - STORY_MS - SILENCE_MS - 1000;
    await monitor.tell(storyAt(startedAt));
    const all = WIDTHS.flatMap((width) => LOCALES.map((locale) => view(width, locale, startedAt)));
    views.push(...(await Promise.all(all)));
  });
  after(async () => {
    await browser?.close();
    await monitor?.stop();
  });

  async function view(width: number, locale: Locale, startedAt: number): Promise<View> {
    const page = await openPage(browser, monitor.url, { width, locale, problems });
    // Whoever has been gone for long was forgotten when the group was asked for.
    for (let times = 0; times < 2; times++) await page.waitForResponse(/\/group$/);
    const asItOpens = await lookAsItOpens(page);
    const all = await lookAtAll(page);
    await page.locator("#client-only").check();
    const asTheClientKnows = await lookAtAll(page);
    await page.locator("#client-only").uncheck();
    const rows = await page.locator("#rows tr").allInnerTexts();
    await page.locator('#rows button[data-message="m-any"]').first().click();
    const story = await page.locator("#story-lines li").allInnerTexts();
    await showTime(page, startedAt + 8500);
    await page.locator('.silent[data-id="id-amber"]').waitFor();
    const silent = await receiver(page, "id-amber");
    await showTime(page, startedAt + 10_500);
    await page.locator('.gone[data-id="id-denim"]').waitFor();
    const crashed = await receiver(page, "id-denim");
    await page.context().close();
    const words = WORDS[locale];
    return { width, locale, words, asItOpens, all, asTheClientKnows, silent, crashed, rows, story };
  }

  async function lookAsItOpens(page: Page) {
    const isThere = () => ofPage<boolean>(page, "page.diagram.marks.has('seam')");
    await until("the silence is in view", isThere);
    const [follows, height] = await Promise.all([
      ofPage<boolean>(page, "page.diagram.follows"),
      ofPage<number>(page, "page.diagram.size.height - page.diagram.namesHeight"),
    ]);
    const pressed = await page.locator("#live").getAttribute("aria-pressed");
    const named = await page.locator("#group-words").innerHTML();
    return { ...(await look(page)), follows, height, pressed, named };
  }

  function receiver(page: Page, id: string): Promise<View["silent"]> {
    return page.evaluate(`(() => {
      const element = document.querySelector('.receiver[data-id="${id}"]');
      const ring = element.querySelector(".ring");
      return {
        cls: element.getAttribute("class"),
        text: element.querySelector(".note").textContent,
        ring: ring.getAttribute("class"),
        color: getComputedStyle(ring).stroke.match(/\\d+/g).map(Number),
      };
    })()`);
  }

  /** The same of every page. */
  function each(check: (view: View) => void): () => void {
    return () => {
      assert.equal(views.length, WIDTHS.length * LOCALES.length);
      for (const seen of views) {
        try {
          check(seen);
        } catch (error) {
          throw new Error(`at ${seen.width} px, ${seen.locale}: ${(error as Error).message}`, {
            cause: error,
          });
        }
      }
    };
  }

  const messageOf = ({ arrows }: Seen, message: string, receiverId?: string) => {
    const found = arrows.find(
      (arrow) =>
        arrow.what === "message" &&
        arrow.message === message &&
        (receiverId === undefined || arrow.receiver === receiverId),
    );
    assert.ok(found, `an arrow for ${message}`);
    return found;
  };
  const ackOf = ({ arrows }: Seen, message: string, receiverId: string) => {
    const found = arrows.find(
      ({ what, ...arrow }) => what === "ack" && arrow.message === message && arrow.receiver === receiverId,
    );
    assert.ok(found, `an ack of ${receiverId} for ${message}`);
    return found;
  };
  /** It ends just before this lane, and at none. */
  function isJustBefore({ from, to }: Arrow, x: number, { names }: Seen) {
    const before = Math.abs(x - to.x);
    assert.ok(before > 0 && before <= LOST_WITHIN_PX, `${before} px before its lane`);
    assert.ok(Math.sign(x - from.x) === Math.sign(x - to.x), "on the side that it came from");
    for (const name of names) assert.ok(Math.abs(name.x - to.x) > 7, `not at ${name.title}`);
  }
  const markOf = ({ marks }: Seen, mark: string, title: string) => {
    const found = marks.filter((each) => each.mark === mark);
    assert.ok(found.length > 0, `a mark ${mark}; there are ${marks.map((each) => each.mark)}`);
    return found.map(({ label, x, y }) => ({ label, x, y, title }));
  };

  test(
    "is live as it opens, and what was sent last can be seen after ten minutes",
    each(({ asItOpens }) => {
      assert.deepEqual([asItOpens.follows, asItOpens.pressed], [true, "true"]);
      const last = messageOf(asItOpens, "m-late");
      assert.ok(last.from.y >= 0 && last.to.y < asItOpens.height, `at ${last.from.y}`);
    }),
  );

  test(
    "folds the silence to a thin seam that says how long it was",
    each(({ asItOpens, words }) => {
      const told = new RegExp(`^${words.seam.replace("10 min", "10 min( \\d+ s)?")}$`);
      const inStory = asItOpens.shapes.filter((shape) => shape.kind === "seam");
      const seam = inStory.find(({ label }) => told.test(label));
      assert.ok(seam, inStory.map(({ label }) => label).join());
      assert.ok(asItOpens.texts.includes(seam.label), "it can be read");
      assert.ok(seam.to - seam.from <= 80, `${seam.to - seam.from} px`);
      assert.ok(seam.from >= 0 && seam.to <= asItOpens.height);
      assert.equal(inStory[0], seam, "nothing before was longer than two seconds");
    }),
  );

  test(
    "ends what is lost just before its target's lane, and names that",
    each(({ all, words }) => {
      for (const [message, id] of [
        ["m-killed", "id-coral"],
        ["m-lost", "id-amber"],
      ] as const) {
        const arrow = messageOf(all, message);
        assert.deepEqual([arrow.head, arrow.words], ["cross", `${words.lostTo} ${id}`]);
        isJustBefore(arrow, all.xOf(id), all);
        assert.ok(all.texts.includes(arrow.words), `it can be read: ${all.texts}`);
      }
      const ack = ackOf(all, "m-lost-ack", "id-beryl");
      assert.deepEqual([ack.head, ack.words], ["cross", `${words.ackLostTo} 1`]);
      const client = all.names.find(({ title }) => ["1", "client-1"].includes(title));
      isJustBefore(ack, client?.x ?? 0, all);
      assert.ok(all.texts.includes(ack.words));
      assert.equal(messageOf(all, "m-lost-ack").to.x, all.xOf("id-beryl"), "the message itself arrived");
    }),
  );

  test(
    "shows crash, omission, loss, leave, expiry and replacement each in its own way, in the class's terms",
    each(({ all, words }) => {
      const kinds = [
        ["omission", "id-amber", words.omission],
        ["crash", "id-denim", words.crashed],
        ["left", "id-ebony", words.left],
        ["expired", "id-coral", words.expired],
        ["replaced", "id-frost", words.replaced],
      ] as const;
      for (const [mark, title, label] of kinds) {
        const here = markOf(all, mark, title).filter(({ x }) => x === all.xOf(title));
        assert.deepEqual(
          here.map((each) => each.label),
          [label],
          `${mark} at ${title}`,
        );
        assert.ok(all.texts.includes(label));
        const [{ y } = { y: 0 }] = here;
        const below = all.lanes.filter(({ x, to }) => x === all.xOf(title) && to > y + 20);
        assert.equal(below.length > 0, mark === "omission" || mark === "replaced", `the lane after ${mark}`);
      }
      for (const [mark, meaning] of Object.entries(words.legend)) {
        assert.ok(all.legend.names.includes(mark));
        assert.ok(all.legend.words.includes(meaning), `${meaning} in ${all.legend.words}`);
      }
    }),
  );

  test(
    "shows in the group that who does not answer lives, with a green ring, and that who crashed is gone",
    each(({ silent, crashed, words }) => {
      assert.equal(silent.cls, "receiver silent");
      assert.ok(silent.text.endsWith(words.omission) || silent.text === "vivo, não responde", silent.text);
      assert.equal(silent.ring, "ring");
      const [red = 0, green = 0, blue = 0] = silent.color;
      assert.ok(green > red && green > blue, `${silent.color}`);
      assert.deepEqual([crashed.cls, crashed.text], ["receiver gone crashed", words.crashed]);
      assert.equal(crashed.ring, "ring none");
    }),
  );

  test(
    "says of who registered anew which id it had, where it did",
    each(({ all, words }) => {
      const [newId] = markOf(all, "newId", "id-frost");
      assert.deepEqual([newId?.label, newId?.x], [`${words.was} id-fawny`, all.xOf("id-frost")]);
      assert.ok(!all.names.some(({ title }) => title === "id-fawny"), "one lane for both");
      assert.ok(all.texts.includes(`${words.was} id-fawny`));
    }),
  );

  test(
    "says that the group has it, at the client's lane when it has it; the rest are no longer needed",
    each(({ all, words, rows }) => {
      const [majority, ...more] = markOf(all, "majority", "client-1");
      assert.deepEqual(more, []);
      assert.equal(majority?.label, words.majority);
      assert.ok(all.texts.includes(words.majority));
      const acks = ["id-amber", "id-beryl"].map((id) => ackOf(all, "m-group", id));
      assert.equal(majority.x, acks[0]?.to.x);
      assert.ok(Math.abs(majority.y - (acks[1]?.to.y ?? 0)) < 3, "when the second ack came");
      const bars = all.shapes.flatMap((shape) =>
        shape.kind === "bar" && shape.message === "m-group" ? [shape] : [],
      );
      const [bar, ...others] = bars.filter(({ notNeeded }) => notNeeded);
      assert.deepEqual([bars.length, others.length], [3, 0]);
      assert.ok((bar?.to ?? 0) > majority.y, "the rest are given up after that");
      const states = rows.filter((row) => row.includes("m-group"));
      assert.ok(states.every((row) => row.includes(words.acked) || row.includes(words.notNeeded)));
      assert.equal(states.filter((row) => row.includes(words.notNeeded)).length, 1, `${states}`);
    }),
  );

  test(
    "says where a send to any moves on to, and that two may have processed it",
    each(({ all, words, story }) => {
      const links = all.shapes.flatMap((shape) => (shape.kind === "link" && shape.label ? [shape] : []));
      assert.deepEqual(
        links.map(({ label, message }) => [label, message]),
        [[`${words.movesOn} id-beryl`, "m-any"]],
      );
      const second = messageOf(all, "m-any", "id-beryl");
      assert.deepEqual([second.label, second.to.x], ["×2", all.xOf("id-beryl")]);
      assert.equal(links[0]?.to.y, second.from.y);
      assert.ok(all.texts.includes(links[0]?.label ?? ""));
      assert.ok(story.some((line) => line.includes(words.twice)));
    }),
  );

  test(
    "shows the client's view without a guess: what it can't know looks unknown, a late ack makes nothing slow",
    each(({ all, asTheClientKnows: known, words }) => {
      const unseen = new Set(["omission", "crash", "left", "expired", "replaced", "newId"]);
      const ofClient = known.marks.filter(({ x }) => x === messageOf(known, "m-late").from.x);
      assert.deepEqual(
        known.marks.filter((mark) => unseen.has(mark.mark) && !ofClient.includes(mark)),
        [],
      );
      const messages = known.arrows.filter(({ what }) => what === "message");
      assert.equal(messages.length, all.arrows.filter(({ what }) => what === "message").length);
      assert.deepEqual(new Set(messages.map(lookOf)), new Set(["question dashed  "]));
      for (const { from, to } of messages) {
        assert.ok(
          Math.abs(to.y - from.y - 6) < 0.01,
          `every message has the same slope, not ${to.y - from.y}`,
        );
        for (const { x, title } of known.names) assert.ok(Math.abs(x - to.x) > 10, `it ends at ${title}`);
      }
      const late = ackOf(known, "m-late", "id-amber");
      assert.ok(late.late && late.dashed && late.to.y - late.from.y < 12);
      assert.ok(late.words.includes(words.late));
      assert.deepEqual(known.legend.names, known.inView);
    }),
  );

  test(
    "shows a late ack as late, when it came",
    each(({ all, words }) => {
      const late = ackOf(all, "m-late", "id-amber");
      assert.deepEqual([late.late, late.dashed, late.words], [true, true, words.late]);
      assert.ok(messageOf(all, "m-late").to.y < late.from.y - 30, "the message came long before");
    }),
  );

  test(
    "shows a client from its start to its end",
    each(({ all, words }) => {
      const { x } = messageOf(all, "m-late").from;
      const lanes = all.lanes.filter((lane) => lane.x === x);
      assert.equal(lanes.length, 1);
      const [ended] = markOf(all, "left", "client-1").filter((mark) => mark.x === x);
      assert.equal(ended?.label, words.ended);
      assert.equal(lanes[0]?.to, ended.y);
      assert.ok((lanes[0]?.from ?? 999) < messageOf(all, "m-killed").from.y - 20, "before it sent anything");
    }),
  );

  test(
    "explains each mark that is in view, and no other",
    each(({ asItOpens, all }) => {
      for (const seen of [asItOpens, all]) assert.deepEqual(seen.legend.names, seen.inView);
      for (const { mark } of all.marks) assert.ok(all.legend.names.includes(mark), mark);
      const isInView = asItOpens.marks.some(({ mark, y }) => mark === "omission" && y >= 0);
      if (!isInView) assert.ok(!asItOpens.legend.names.includes("omission"));
    }),
  );

  test("shows a lost message and a lost ack in the same way, if only what the client knows is shown", () => {
    each(({ all, asTheClientKnows: known }) => {
      const [lost, lostAck] = ["m-lost", "m-lost-ack"].map((message) => shapesOf(known, message));
      assert.deepEqual(lost, lostAck);
      assert.notDeepEqual(shapesOf(all, "m-lost"), shapesOf(all, "m-lost-ack"));
    })();
  });

  test("had no error", () => {
    assert.deepEqual(problems, []);
  });
});

function lookOf({ head, dashed, mark, words }: Arrow): string {
  return `${head} ${dashed ? "dashed" : "solid"} ${mark} ${words}`;
}

/** The shapes of a message as they would be at any time, for any receiver. */
function shapesOf({ shapes, gap }: Seen, message: string) {
  const own = shapes.filter((shape): shape is Shape & { message: string } => "message" in shape);
  return own
    .filter((shape) => shape.message === message)
    .map((shape) => {
      if (shape.kind === "bar")
        return { kind: "bar", px: Math.round(shape.to - shape.from), timedOut: shape.timedOut };
      if (shape.kind !== "arrow") return shape.kind;
      const { what, from, to, head, dashed, late, label, mark, words } = shape;
      const toSide = ((to.x - from.x) / gap) % 1; // how many lanes it crosses depends on its receiver
      const slope = Math.round(to.y - from.y);
      return { ...{ what, head, dashed, late, label, mark, words, slope }, toSide: toSide.toFixed(2) };
    });
}
