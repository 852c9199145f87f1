/** What a Swarm and Kubernetes are told of the group: right by Kubernetes' own schemas, and alike what Compose is told. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { Service } from "kubernetes-models/v1/Service";
import { parse, parseAllDocuments } from "yaml";

const MODELS: Record<string, { prototype: { validate(): void } }> = { Deployment, Service };
const SERVICES = {
  discovery: "discovery_server",
  receiver: "receiver",
  client: "client",
  monitor: "monitor",
};

const read = (file: string) => readFileSync(`${import.meta.dirname}/../${file}`, "utf8");
const readYaml = (file: string) => parse(read(file), { merge: true });
const documents = parseAllDocuments(read("kubernetes.yml")).map((document) => document.toJS());

/** The same, but it writes down which of its fields are looked at, and of what is in them. */
function watched(value: unknown, looked: Set<string>, path = ""): unknown {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      looked.add(`${path}/${String(key)}`);
      return watched(Reflect.get(target, key), looked, `${path}/${String(key)}`);
    },
  });
}

function pathsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    `${path}/${key}`,
    ...pathsOf(each, `${path}/${key}`),
  ]);
}

/** The schemas let pass what they don't know, and so a slip of the pen; but they never look at it. */
function problemsOf(document: { kind: string }): string[] {
  const model = MODELS[document.kind];
  if (!model) return [`there is no schema for ${document.kind}`];
  const looked = new Set<string>();
  try {
    model.prototype.validate.call(watched(document, looked));
  } catch (error) {
    return [(error as Error).message];
  }
  return pathsOf(document).flatMap((path) => (looked.has(path) ? [] : `${path} is unknown`));
}

test("kubernetes.yml is right by the schemas of Kubernetes", () => {
  assert.equal(documents.length, 6);
  assert.deepEqual(documents.flatMap(problemsOf), []);
});

test("a wrong type, a field that is missing and one that doesn't exist are found", () => {
  const change = (how: (pod: Record<string, unknown>) => void) => {
    const deployment = structuredClone(documents.find(({ kind }) => kind === "Deployment"));
    how(deployment.spec.template.spec);
    return problemsOf(deployment);
  };
  assert.deepEqual(
    change((pod) => Object.assign(pod, { enableServiceLinks: "no" })),
    ["data/spec/template/spec/enableServiceLinks must be boolean"],
  );
  assert.deepEqual(
    change((pod) => delete pod.containers),
    ["data/spec/template/spec must have required property containers"],
  );
  assert.deepEqual(
    change((pod) => Object.assign(pod, { serviceLinks: false })),
    ["/spec/template/spec/serviceLinks is unknown"],
  );
});

test("each Deployment and each Service of kubernetes.yml finds its pods", () => {
  const deployments = documents.filter(({ kind }) => kind === "Deployment");
  const labels = deployments.map(({ spec }) => spec.template.metadata.labels);
  assert.deepEqual(
    deployments.map(({ spec }) => spec.selector.matchLabels),
    labels,
  );
  for (const { metadata, spec } of documents.filter(({ kind }) => kind === "Service")) {
    const pods = deployments.filter((each) => each.spec.template.metadata.labels.app === spec.selector.app);
    const ports = pods.flatMap((each) => each.spec.template.spec.containers[0].ports);
    assert.deepEqual(
      ports.map(({ containerPort }) => containerPort),
      [spec.ports[0].port],
      metadata.name,
    );
  }
});

for (const [role, name] of Object.entries(SERVICES)) {
  test(`a ${role} has the image, the memory, V8's part of it and the group's file wherever it runs`, () => {
    const compose = readYaml(`docker-compose.${role}.yml`).services[name];
    const inStack = readYaml("docker-stack.yml").services[name];
    const [pod] = documents.filter(({ kind, metadata }) => kind === "Deployment" && metadata.name === role);
    const [container] = pod.spec.template.spec.containers;
    assert.equal(compose.image, `ackgroup/${role}:\${TAG:-latest}`);
    assert.equal(inStack.image, `\${REGISTRY:-}${compose.image}`);
    assert.equal(container.image, `ackgroup/${role}:latest`);
    const mebibytes = compose.mem_limit.replace("m", "");
    assert.equal(inStack.deploy.resources.limits.memory, `${mebibytes}M`);
    assert.equal(container.resources.limits.memory, `${mebibytes}Mi`);
    const env = Object.fromEntries(
      container.env.map((each: { name: string; value: string }) => [each.name, each.value]),
    );
    assert.equal(inStack.environment.NODE_OPTIONS, compose.environment.NODE_OPTIONS);
    assert.equal(env.NODE_OPTIONS, compose.environment.NODE_OPTIONS);

    const variable = `ACK_${role.toUpperCase()}_GROUP_FILE`;
    const secret = readYaml("docker-stack.group.yml").services[name];
    assert.equal(compose.environment[variable], `\${GROUP_FILE:-}`);
    assert.deepEqual(compose.secrets, [{ source: "group_file", target: "/app/group.pem" }]);
    assert.deepEqual(secret.environment, { [variable]: `/run/secrets/${secret.secrets}` });
  });
}
