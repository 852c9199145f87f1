/**
 * Several discoveries on an etcd of three nodes, in containers, as docs/MACHINES.md starts them: which of them may die.
 *
 *     npm run test:docker
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { BUILD_TIMEOUT_MS, openProject } from "./docker_commands.ts";
import { until } from "./helpers.ts";

const FILES = ["etcd", "discovery", "receiver", "client"];
const NODES = ["etcd-1", "etcd-2", "etcd-3"];
const BACK_WITHIN_MS = 30_000;
const RECEIVERS = 3;

const { docker, compose, containersOf } = openProject(FILES, {
  STORE: NODES.map((node) => `http://${node}:2379`).join(","),
  DISCOVERY_PORT: "0",
  RECEIVER_TTL: "10s",
  HEARTBEAT_EVERY: "1s",
  FAULT_RATE: "0",
  ATTEMPTS: "5",
});

/** The ids that a discovery lists; the port that Docker picked for it is another one each time that it starts. */
async function idsAt(discovery: string): Promise<string[]> {
  const [address] = (await docker("port", discovery, "5000")).split("\n");
  const { receivers } = await createDiscoveryApi(`http://${address}`).list();
  return receivers.map(({ id }) => id).sort();
}

async function sendToAll(): Promise<string> {
  const [client = ""] = await containersOf("client");
  const said = await docker("exec", client, "tsx", "client.ts", "--to", "all");
  return said.match(/^group .*?(?=;)/m)?.[0] ?? said;
}

describe("three discoveries on an etcd of three nodes", { timeout: BUILD_TIMEOUT_MS + 300_000 }, () => {
  let members: string[];

  before(async () => {
    await compose(["build"], BUILD_TIMEOUT_MS);
    const scale = ["--scale", "discovery_server=3", "--scale", `receiver=${RECEIVERS}`];
    await compose(["up", "-d", ...scale], 120_000);
  });

  after(() => compose(["down", "--rmi", "all", "--volumes", "--timeout", "2"], 120_000));

  test("are one: each lists the whole group", async () => {
    for (const discovery of await containersOf("discovery_server")) {
      const list = async () => {
        members = await idsAt(discovery).catch(() => []);
        return members.length === RECEIVERS;
      };
      await until(() => `all receivers are listed, there are ${members.length}`, list, BACK_WITHIN_MS);
    }
    for (const discovery of await containersOf("discovery_server"))
      assert.deepEqual(await idsAt(discovery), members);
  });

  for (const node of NODES)
    test(`${node} dies: all that is sent is acked, and nobody has to register again`, async () => {
      const [id = ""] = await containersOf(node);
      await docker("kill", id);
      assert.equal(await sendToAll(), "group acked: 3 acked, 3 needed");
      await docker("start", id);
      const isBack = () =>
        docker("exec", id, "etcdctl", "endpoint", "health").then(
          () => true,
          () => false,
        );
      await until(`${node} is back`, isBack, BACK_WITHIN_MS);
      const [discovery = ""] = await containersOf("discovery_server");
      assert.deepEqual(await idsAt(discovery), members);
    });

  test("each discovery dies in turn: the same", async () => {
    for (const discovery of await containersOf("discovery_server")) {
      await docker("kill", discovery);
      assert.equal(await sendToAll(), "group acked: 3 acked, 3 needed");
      await docker("start", discovery);
      const ids = () => idsAt(discovery).catch(() => undefined);
      assert.deepEqual(await until("it is back", ids, BACK_WITHIN_MS), members);
    }
  });
});
