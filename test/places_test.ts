/** Where the processes stand in the picture of the group, in sections of several sizes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Process } from "../monitor/model.js";
import { areaOf, placeAll } from "../monitor/places.js";

const LEAST_WITH_ID = 15; // the radius of a receiver

for (const [what, size] of [
  ["alone", { width: 546, height: 270 }],
  ["beside an open story in a window of 1366×650", { width: 546, height: 130 }],
  ["beside an open story in a window of 1280×600", { width: 510, height: 98 }],
] as const) {
  test(`three receivers are large enough for their ids, and nothing is over anything: ${what}`, () => {
    const [client, discovery, ...receivers] = Array.from({ length: 5 }, () => ({}) as Process);
    const shown = { clients: [client as Process], moreClients: 0, discovery, receivers };
    const places = placeAll(shown, size);
    const placeOf = (process?: Process) => places.get(process as Process) ?? assert.fail("it has no place");
    const [box, above, below] = [areaOf(size), placeOf(discovery), placeOf(client)];
    for (const { x, y, r } of receivers.map(placeOf)) {
      assert.ok(r >= LEAST_WITH_ID, `${r}`);
      assert.ok(x - r > box.x && x + r < box.x + box.width && y - r > box.y && y + r < box.y + box.height);
    }
    assert.ok(below.x + below.r < box.x && below.y + below.r < size.height);
    const isBeside = above.x + 76 <= box.x + 1 && above.y + 26 <= below.y - below.r;
    assert.ok(above.y + 26 < box.y || isBeside, "discovery is a trapezoid of 152×52");
  });
}
