/** etcd, as the tests of `--store` start it: one node, or several that agree, each a process on loopback. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "../plumbing/listen.ts";
import { until } from "./helpers.ts";

export interface EtcdNode {
  url: string;
  child: ChildProcess;
  /** Starts it again, with what it has written down. */
  start(): void;
  /** Ends it and waits until it has. */
  kill(): Promise<void>;
  isLeader(): Promise<boolean>;
}

export interface EtcdCluster {
  nodes: EtcdNode[];
  urls: string[];
  /** Waits until it agrees on something. */
  untilUp(): Promise<void>;
  close(): Promise<void>;
}

export async function startEtcd(size: number): Promise<EtcdCluster> {
  const folder = mkdtempSync(join(tmpdir(), "etcd-"));
  const ports: number[] = [];
  for (let n = 0; n < 2 * size; n++) ports.push(await findFreePort());
  const peers = Array.from({ length: size }, (_, n) => `n${n}=http://127.0.0.1:${ports[2 * n]}`).join(",");
  const nodes = Array.from({ length: size }, (_, n) => {
    const [peer, url] = [`http://127.0.0.1:${ports[2 * n]}`, `http://127.0.0.1:${ports[2 * n + 1]}`];
    return createNode(url, [
      ...["--name", `n${n}`, "--data-dir", join(folder, `n${n}`), "--initial-cluster", peers],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
      ...["--listen-client-urls", url, "--advertise-client-urls", url, "--log-level", "error"],
    ]);
  });
  const urls = nodes.map(({ url }) => url);
  const cluster = {
    nodes,
    urls,
    untilUp: async () => void (await until("etcd has a leader", () => agrees(urls))),
    async close() {
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(folder, { recursive: true });
    },
  };
  await cluster.untilUp();
  return cluster;
}

function createNode(url: string, args: string[]): EtcdNode {
  const run = () => spawn("etcd", args, { stdio: "ignore" });
  const node = {
    url,
    child: run(),
    start() {
      node.child = run();
    },
    async kill() {
      const { child } = node;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
    async isLeader() {
      const status = await askEtcd(url, "maintenance/status", {}).catch(() => undefined);
      return status !== undefined && status.leader === status.header.member_id;
    },
  };
  return node;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever etcd says, for a test to look into
export async function askEtcd(url: string, path: string, body: object): Promise<any> {
  const signal = AbortSignal.timeout(1000);
  const answer = await fetch(`${url}/v3/${path}`, { method: "POST", body: JSON.stringify(body), signal });
  return answer.json();
}

/** A read that its nodes must agree on. */
async function agrees(urls: string[]): Promise<boolean> {
  const read = (url: string) => askEtcd(url, "kv/range", { key: "YQ==" }).then(({ header }) => header);
  return Promise.all(urls.map(read)).then(
    (all) => all.every(Boolean),
    () => false,
  );
}

/** Empties etcd: as if it had been started anew. */
export async function emptyEtcd([url = ""]: readonly string[]): Promise<void> {
  const { leases = [] } = await askEtcd(url, "lease/leases", {});
  for (const { ID } of leases) await askEtcd(url, "lease/revoke", { ID });
  await askEtcd(url, "kv/deleterange", { key: "AA==", range_end: "AA==" });
}
