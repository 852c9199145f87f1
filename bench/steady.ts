/** A million messages through one receiver: whether the last tenth is as quick as the first. */
import { startDiscovery, startReceivers } from "./ours.ts";
import { startScript } from "./processes.ts";
import { show, table } from "./statistics.ts";

const MESSAGES = { full: 1_000_000, quick: 20_000 };

/** Messages acked a second in each tenth. */
export async function measureSteadiness({ isQuick }: { isQuick: boolean }): Promise<number[]> {
  const discovery = await startDiscovery();
  const receiver = startReceivers(discovery);
  await discovery.untilReceivers(1);
  const messages = isQuick ? MESSAGES.quick : MESSAGES.full;
  const client = startScript("bench/steady_client.ts", [discovery.url, `${messages}`]);
  const tenths = JSON.parse(await client.output());
  await receiver.stop();
  await discovery.stop();
  return tenths;
}

export function showSteadiness(tenths: readonly number[]): string {
  const [first = Number.NaN, last = Number.NaN] = [tenths[0], tenths.at(-1)];
  return [
    "### A million messages through one receiver, 64 in flight",
    table(
      ["tenth", "acked a second"],
      tenths.map((rate, index) => [`${index + 1}`, show(rate)]),
    ),
    `The last tenth is ${show(last / first)} times as quick as the first.`,
  ].join("\n\n");
}
