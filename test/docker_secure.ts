/**
 * A group with its own file in containers, brought up as docs/SECURITY.md says: its members talk as ever, nobody on the way
 * can read it, and who has no file gets nowhere. The tests are one story and run in order.
 *
 *     npm run test:docker
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { BUILD_TIMEOUT_MS, copyProject, openProject, ROLES, ROOT, runToEnd } from "./docker_commands.ts";
import { until } from "./helpers.ts";

const PAGE = readFileSync(join(ROOT, "docs/SECURITY.md"), "utf8");
const BODY = "nobody on the way reads this";
const OVERHEARD = "this went in the clear"; // a stranger's words: the tap does hear
const WITHIN_MS = 30_000;

/** Stands between a client and a receiver: hands on what comes to port 6000, and prints every byte. */
const TAP = `require("net").createServer((near) => {
  const far = require("net").connect(6000, process.argv[1]);
  for (const [from, to] of [[near, far], [far, near]])
    from.on("data", (bytes) => process.stdout.write(bytes)).on("error", () => to.destroy()).pipe(to);
}).listen(6000)`;

const PYTHON = `import ssl, sys, urllib.request
urllib.request.urlopen(sys.argv[1], context=ssl._create_unverified_context())`;

const folder = copyProject(); // as the page's commands write the file of the group into the project's folder
const group = { FAULT_RATE: "0", HEARTBEAT_EVERY: "1s", DISCOVERY_PORT: "0", MONITOR_PORT: "0" };
const { name, env, docker, compose, containersOf } = openProject(ROLES, group, folder);
const [tap, tapped] = [`${name}-tap`, `${name}-tapped`];
const strangers: string[] = []; // containers that go on

interface Said {
  stdout: string;
  stderr: string;
}

/** Runs a command to its end, whatever that is. */
function attempt(command: string, ...args: string[]): Promise<Said> {
  return new Promise((resolve) =>
    execFile(command, args, { cwd: folder, env, timeout: WITHIN_MS }, (_error, stdout, stderr) =>
      resolve({ stdout, stderr }),
    ),
  );
}

/** How a container is run in the network of the group that has not its file. */
const asStranger = (role: string, how: string[], ...command: string[]) => [
  ...["run", ...how, "--network", `${name}_default`, `ackgroup/${role}:${name}`, ...command],
];

async function startStranger(called: string, role: string, ...command: string[]): Promise<void> {
  strangers.push(called);
  await docker(...asStranger(role, ["-d", "--name", called], ...command));
}

async function logOf(container: string): Promise<string> {
  const { stdout, stderr } = await attempt("docker", "logs", container);
  return stdout + stderr;
}

describe("a group with its file in containers", { timeout: BUILD_TIMEOUT_MS + 120_000 }, () => {
  const ids: Record<string, string> = {}; // of the containers of each service, one
  const addressOf = async (service: string, port: string) =>
    (await docker("port", ids[service] ?? "", port)).replace(/^.*:/, "localhost:");

  before(async () => {
    const [, commands = ""] = PAGE.match(/```sh\n(npm run group-file\nexport GROUP_FILE=.*?)```/s) ?? [];
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    env.GROUP_FILE = (await runToEnd("bash", ["-ec", `${commands} echo $GROUP_FILE`], { cwd: folder, env }))
      .split("\n")
      .at(-1);
    chmodSync(join(folder, "group.pem"), 0o644); // in the containers another user reads it
    await compose(["build"], BUILD_TIMEOUT_MS);
    await compose(["up", "-d", "--scale", "receiver=2"]);
    for (const service of ["discovery_server", "receiver", "client", "monitor"])
      [ids[service] = ""] = await containersOf(service);
    await startStranger(tap, "client", "node", "-e", TAP, tapped);
    const behindTap = ["node", "receiver.ts", "--advertise-host", tap];
    await compose(["run", "-d", "--name", tapped, "receiver", ...behindTap]);
  });

  after(async () => {
    for (const container of [...strangers, tapped]) await attempt("docker", "rm", "-f", container);
    await compose(["down", "--rmi", "all", "--volumes", "--timeout", "2"], 120_000);
    rmSync(folder, { recursive: true });
  });

  const listByCurl = async () => {
    const [line = ""] = PAGE.match(/^curl --cert .*$/m) ?? [];
    const address = await addressOf("discovery_server", "5000");
    const { stdout } = await attempt("bash", "-c", line.replace("localhost:5000", address));
    return stdout && JSON.parse(stdout);
  };

  test("the members find each other, and so does the page's curl line", async () => {
    await until("three receivers", async () => (await listByCurl()).length === 3, WITHIN_MS);
  });

  test("a send to all is acked by all, and nobody on the way can read it", async () => {
    const send = ["tsx", "client.ts", "--to", "all", "--message", BODY];
    const said = await docker("exec", ids.client ?? "", ...send);
    assert.match(said, /^group acked: 3 acked, 3 needed/m);
    assert.match(await logOf(tapped), new RegExp(`processed "${BODY}"`));
    const heard = await logOf(tap);
    assert.ok(heard.length > BODY.length, "it went through the tap");
    assert.ok(!heard.includes(BODY), heard);
  });

  /** Comes until the log of whom he asks names him: it names one stranger a second. */
  async function comes(asked: string, reason: string, command: string, ...args: string[]): Promise<Said> {
    const named = async () =>
      (await logOf(asked)).split(`not let in: `).filter((line) => line.includes(reason));
    const { length } = await named();
    let said: Said | undefined;
    const isNamed = async () => {
      said = await attempt(command, ...args);
      return (await named()).length > length && said;
    };
    const heard = await until(`the log says: ${reason}`, isNamed, WITHIN_MS);
    assert.equal(heard.stdout, "");
    return heard;
  }
  const IN_THE_CLEAR = "it speaks in the clear, without a group file";
  const NO_FILE = "it has no group file";
  const inContainer = (line: string) => asStranger("client", ["--rm"], "bash", "-c", line);

  test("nc without the file gets nothing, though the tap hears it", async () => {
    const frame = JSON.stringify({ type: "message", id: "by-hand", body: OVERHEARD });
    const line = `echo '${frame}' | nc -w 2 ${tap} 6000`;
    await comes(tapped, IN_THE_CLEAR, "docker", ...inContainer(line));
    assert.ok((await logOf(tap)).includes(OVERHEARD));
    assert.ok(!(await logOf(tapped)).includes(OVERHEARD));
  });

  test("curl without the file gets nothing, in the clear or not", async () => {
    const plain = inContainer("curl -sS http://discovery_server:5000/receivers");
    const secure = inContainer("curl -ksS https://discovery_server:5000/receivers");
    const discovery = ids.discovery_server ?? "";
    assert.match((await comes(discovery, IN_THE_CLEAR, "docker", ...plain)).stderr, /Empty reply|reset/);
    assert.match((await comes(discovery, NO_FILE, "docker", ...secure)).stderr, /certificate required/);
  });

  test("a Python script without the file gets nothing, in the clear or not", async () => {
    const address = await addressOf("discovery_server", "5000");
    const ask = (scheme: string) => ["-c", PYTHON, `${scheme}://${address}/receivers`];
    const discovery = ids.discovery_server ?? "";
    assert.match((await comes(discovery, IN_THE_CLEAR, "python3", ...ask("http"))).stderr, /Remote|Reset/);
    assert.match(
      (await comes(discovery, NO_FILE, "python3", ...ask("https"))).stderr,
      /CERTIFICATE_REQUIRED/,
    );
  });

  test("a client and a receiver without the file wait, are told why, and nobody lists them", async () => {
    for (const role of ["client", "receiver"]) {
      const more = role === "client" ? ["--to", "all"] : [];
      const discovery = ["--discovery", "http://discovery_server:5000"];
      await startStranger(`${name}-${role}`, role, "node", `${role}.ts`, ...discovery, ...more);
    }
    const isTold = async (role: string) =>
      /waiting .* only one .* the group file\?/.test(await logOf(`${name}-${role}`));
    for (const role of ["client", "receiver"])
      await until(`the ${role} says it`, () => isTold(role), WITHIN_MS);
    assert.equal((await listByCurl()).length, 3);
  });

  test("a browser elsewhere sees the monitor's page by the address that its log has, and by no other", async () => {
    const log = await logOf(ids.monitor ?? "");
    const [, token = ""] = log.match(/\/\?token=(\S+)/) ?? [];
    const page = `https://${await addressOf("monitor", "5001")}/`;
    const open = async (url: string) => (await attempt("curl", "-ksSL", "--cookie", "", url)).stdout;
    assert.match(await open(page), /open the address that the monitor printed/);
    assert.match(await open(`${page}?token=${token}`), /<canvas/);
  });
});
