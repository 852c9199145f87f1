/**
 * What a page shows, taken at once, for the tests of what it draws: shapes with their places, names above the lanes, all
 * that can be read.
 */
import type { Browser, Page } from "playwright-core";
import type { Arrow, Lane, Mark, Shape } from "../monitor/layout.js";
import type { Name } from "../monitor/paint_axes.js";
import { visit } from "./browser_helpers.ts";
import { until } from "./helpers.ts";

export const WIDTHS = [390, 1280, 1920];
export const LOCALES = ["en-US", "pt-BR"] as const;
export type Locale = (typeof LOCALES)[number];
/** What is to be read, in words of the class. */
export const WORDS = {
  "en-US": {
    ...{ lostTo: "lost on the way to", ackLostTo: "ack lost on the way to", omission: "no answer" },
    ...{ crashed: "crashed", left: "left", expired: "expired", replaced: "replaced", ended: "ended" },
    ...{ was: "was", majority: "done: 2 acks were enough", notNeeded: "no longer needed" },
    ...{ movesOn: "moves on to", late: "late", seam: "10 min without a message", acked: "acked" },
    twice: "If both got it, two have processed it.",
    legend: {
      ...{ lost: "lost on the way", omission: "omission: alive, no answer", expired: "lease expired" },
      ...{ crash: "crash: the process is gone", left: "left", replaced: "replaced by a new entry" },
    },
  },
  "pt-BR": {
    ...{ lostTo: "perdida a caminho de", ackLostTo: "ack perdido a caminho de", omission: "sem resposta" },
    ...{ crashed: "caiu", left: "saiu", expired: "expirou", replaced: "substituído", ended: "encerrou" },
    ...{ was: "era", majority: "pronto: bastavam 2 acks", notNeeded: "não precisa mais" },
    ...{ movesOn: "passa para", late: "atrasado", seam: "10 min sem mensagens", acked: "confirmada" },
    twice: "Se os dois a receberam, foi processada duas vezes.",
    legend: {
      ...{ lost: "perda no caminho", omission: "omissão: vivo, sem resposta", expired: "concessão expirada" },
      ...{ crash: "queda: o processo morreu", left: "saiu", replaced: "substituído por novo registro" },
    },
  },
};
const HIGH_ENOUGH = 1500; // pixels: all of it is in view

/** The state of a page that isn't exported: modules are loaded once, so this is the page's own. */
export function ofPage<T>(page: Page, code: string): Promise<T> {
  return page.evaluate(`import("/page.js").then(({ page }) => (${code}))`);
}

/** A page in a browser of its own; what goes wrong in it is kept in `problems`. */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, locale = "en-US", problems = [] as string[] },
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 720 }, locale });
  const page = await context.newPage();
  await visit(page, url, problems);
  await until(
    () => `the page at ${width} px is connected`,
    () => ofPage<boolean>(page, "page.isConnected"),
    30_000,
  );
  return page;
}

/** Until what was asked for has been painted: what takes long is painted less often. */
export async function nextFrame(page: Page): Promise<void> {
  await ofPage(
    page,
    `new Promise((done) => {
      const { notBefore } = page.diagram;
      requestAnimationFrame(function wait() {
        if (performance.now() < notBefore) requestAnimationFrame(wait);
        else requestAnimationFrame(() => requestAnimationFrame(done));
      });
    }).then(() => undefined)`,
  );
}

export interface Seen {
  shapes: Shape[];
  arrows: Arrow[];
  marks: Mark[];
  lanes: Lane[];
  /** Of the lane with this title. */
  xOf(title: string): number;
  names: Name[];
  /** All that can be read in the picture. */
  texts: string[];
  gap: number;
  legend: { names: string[]; words: string };
  inView: string[];
}

const LEGEND_NAMES = `[...document.querySelectorAll("#legend > span")].map((name) => name.className.slice(5)).sort()`;

/** What the diagram shows now. */
export async function look(page: Page): Promise<Seen> {
  await nextFrame(page);
  // The legend is shown four times a second: until then it is that of another picture.
  const isShown = `String(${LEGEND_NAMES}) === String([...page.diagram.marks].sort())`;
  await until("the legend is that of the picture", () => ofPage<boolean>(page, isShown));
  const seen = await ofPage<Pick<Seen, "shapes" | "names" | "gap" | "inView" | "legend"> & { svg: string }>(
    page,
    `import("/diagram.js").then(({ exportSvg }) => ({
      ...{ shapes: page.diagram.shapes, names: page.diagram.frame.names, gap: page.diagram.frame.gap },
      ...{ svg: exportSvg(page.diagram), inView: [...page.diagram.marks].sort() },
      legend: {
        names: ${LEGEND_NAMES},
        words: document.getElementById("legend").textContent,
      },
    }))`,
  );
  const { shapes, names, svg } = seen;
  return {
    ...seen,
    arrows: shapes.filter((shape): shape is Arrow => shape.kind === "arrow"),
    marks: shapes.filter((shape): shape is Mark => shape.kind === "mark"),
    lanes: shapes.filter((shape): shape is Lane => shape.kind === "lane"),
    texts: [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) => text),
    xOf(title) {
      const name = names.find((each) => each.title === title);
      if (!name) throw new Error(`no lane is called ${title}: ${names.map((each) => each.title)}`);
      return name.x;
    },
  };
}

/** What it shows where there is room for all of it. */
export async function lookAtAll(page: Page): Promise<Seen> {
  const setHeight = async (height: string, isSo: string) => {
    await page.evaluate(`document.getElementById("scroll").style.minHeight = "${height}"`);
    await until("it has its size", () => ofPage<boolean>(page, `page.diagram.size.height ${isSo}`));
  };
  await setHeight(`${HIGH_ENOUGH}px`, `=== ${HIGH_ENOUGH}`);
  const scrollTo = (left: number) => page.evaluate(`document.getElementById("scroll").scrollLeft = ${left}`);
  const seen = await look(page);
  await scrollTo(HIGH_ENOUGH);
  const right = await look(page);
  await scrollTo(0);
  await setHeight("", `< ${HIGH_ENOUGH}`);
  const both = (a: string[], b: string[]) => [...new Set([...a, ...b])].sort();
  const legend = {
    names: both(seen.legend.names, right.legend.names),
    words: seen.legend.words + right.legend.words,
  };
  return { ...seen, legend, texts: both(seen.texts, right.texts), inView: both(seen.inView, right.inView) };
}

/** Where the time is shown: milliseconds since the story began, to the time of the page's handle. */
export async function showTime(page: Page, at: number): Promise<void> {
  await ofPage(
    page,
    `import("/player.js").then(({ timesOf }) => {
      const handle = document.getElementById("time");
      handle.max = timesOf(page).last - timesOf(page).first;
      handle.value = ${at} - timesOf(page).first;
      handle.dispatchEvent(new Event("input"));
    })`,
  );
  await until(
    "that time is shown",
    async () => Math.abs((await ofPage<number>(page, "page.player.at")) - at) < 2,
  );
}
