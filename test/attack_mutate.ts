/** Valid frames and requests made from the schemas, and then broken: with fast-check, which repeats them by seed. */
import fc, { type Arbitrary } from "fast-check";

/** As much of a valibot schema as is looked at here. */
interface Shape {
  type: string;
  entries?: Record<string, Shape>;
  item?: Shape;
  wrapped?: Shape;
  literal?: unknown;
  options?: unknown[];
  pipe?: { type: string; requirement?: unknown }[];
}

const LONGEST = 2 * 1024 * 1024; // of a text that is too long, twice what a frame may have
const DEEPEST = 200_000; // brackets in one another

/** Values that a schema takes. */
export function validFor(schema: object): Arbitrary<unknown> {
  const { type, entries, item, wrapped, literal, options, pipe = [] } = schema as Shape;
  const rule = (name: string) => pipe.find((each) => each.type === name)?.requirement;
  const least = Number(rule("min_value") ?? -1e9);
  const most = Number(rule("max_value") ?? Number.MAX_SAFE_INTEGER);
  const pattern = rule("regex") as RegExp | undefined;
  const isWhole = pipe.some((each) => /integer/.test(each.type));
  if (type === "object" || type === "strict_object" || type === "loose_object")
    return validObject(entries ?? {});
  if (type === "array") return fc.array(validFor(item ?? { type: "string" }), { maxLength: 5 });
  if (type === "optional" && wrapped) return validFor(wrapped);
  if (type === "literal") return fc.constant(literal);
  if (type === "picklist") return fc.constantFrom(...(options ?? []));
  if (type === "boolean") return fc.boolean();
  if (type === "number" && isWhole)
    return fc.integer({ min: Math.ceil(least), max: Math.min(most, 2 ** 31) });
  if (type === "number") return fc.double({ min: least, max: most, noNaN: true });
  if (pattern) return fc.stringMatching(pattern);
  const [minLength, maxLength] = [
    Number(rule("min_length") ?? 0),
    Math.min(Number(rule("max_length") ?? 50), 300),
  ];
  return fc.string({ minLength, maxLength, size: "max" });
}

/** An optional field is there or not. */
function validObject(entries: Record<string, Shape>): Arbitrary<object> {
  const fields = Object.entries(entries);
  const requiredKeys = fields.filter(([, { type }]) => type !== "optional").map(([key]) => key);
  const model = Object.fromEntries(fields.map(([key, shape]) => [key, validFor(shape)]));
  return fc.record(model, { requiredKeys }) as Arbitrary<object>;
}

/** JSON texts, valid for the schema and then broken in one way or in several. */
export function mutatedJson(schema: object): Arbitrary<Buffer> {
  const valid = validFor(schema) as Arbitrary<Record<string, unknown>>;
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 1e308, 2 ** 53, "", null, [], {}), deep(), long());
  const change = fc.tuple(valid, fc.nat(), odd).map(([value, number, other]) => {
    const keys = Object.keys(value);
    return JSON.stringify({ ...value, [keys[number % keys.length] ?? "id"]: other });
  });
  const drop = fc.tuple(valid, fc.nat()).map(([value, number]) => {
    const keys = Object.keys(value);
    return JSON.stringify({ ...value, [keys[number % keys.length] ?? ""]: undefined });
  });
  const whole = valid.map((value) => JSON.stringify(value));
  const glued = fc.tuple(whole, whole).map((both) => both.join(""));
  const polluted = valid.map((value) =>
    JSON.stringify(value).replace("{", '{"__proto__":{"id":1},"constructor":1,'),
  );
  const text = fc.oneof(whole, change, change, drop, glued, polluted, deepText(), fc.json());
  return fc.oneof(
    text.map((each) => Buffer.from(each)),
    text.chain(cut),
    text.chain(spoil),
  );
}

const long = () => fc.integer({ min: 100, max: LONGEST }).map((length) => "x".repeat(length));
const deep = () => fc.integer({ min: 10, max: 2000 }).map(nest);
const deepText = () =>
  fc.integer({ min: 1000, max: DEEPEST }).map((depth) => "[".repeat(depth) + "]".repeat(depth));

function nest(depth: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

/** Ends at any byte. */
function cut(text: string): Arbitrary<Buffer> {
  return fc.nat().map((at) => Buffer.from(text).subarray(0, at % (text.length + 1)));
}

/** Has a few bytes of any kind somewhere, which is no UTF-8 most of the time. */
function spoil(text: string): Arbitrary<Buffer> {
  return fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 })).map(([at, bytes]) => {
    const whole = Buffer.from(text);
    return Buffer.concat([
      whole.subarray(0, at % (whole.length + 1)),
      bytes,
      whole.subarray(at % (whole.length + 1)),
    ]);
  });
}

/** Frames: with their newline, without, or with several. */
export function mutatedFrames(schema: object): Arbitrary<Buffer> {
  const end = fc.constantFrom("\n", "\n", "\n", "\r\n", "\n\n", "");
  return fc
    .tuple(mutatedJson(schema), end)
    .map(([frame, newline]) => Buffer.concat([frame, Buffer.from(newline)]));
}

const METHODS = "GET GET POST POST POST DELETE PUT PATCH HEAD OPTIONS TRACE CONNECT get G\u0000T".split(" ");
const HOSTS = ["localhost", "localhost", "evil.example", "", "localhost:1", "[::1]", "a b", "x".repeat(9000)];
const TYPES = [
  "application/json",
  "application/json",
  "text/plain",
  "application/json; charset=utf-16",
  "",
  "a/b;;=",
];
const ODD_PATHS = [
  "//evil.example/",
  "/%00",
  "/%E0%A4%A",
  `/${"x".repeat(8000)}`,
  "http://evil.example/",
  "/../..",
  "*",
];
type Framing = "length" | "too long" | "too short" | "chunked" | "stops" | "both" | "none";
const FRAMINGS: Framing[] = [
  "length",
  "length",
  "length",
  "too long",
  "too short",
  "chunked",
  "stops",
  "both",
  "none",
];

/** HTTP requests to some paths: odd in their head, their body, how that is framed, and how often they come at once. */
export function oddRequests(schema: object, paths: readonly string[]): Arbitrary<Buffer> {
  const parts = {
    method: fc.constantFrom(...METHODS),
    path: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...paths) }, fc.constantFrom(...ODD_PATHS)),
    host: fc.constantFrom(...HOSTS),
    origin: fc.constantFrom("", "", "null", "http://evil.example", "http://localhost:5000"),
    type: fc.constantFrom(...TYPES),
    encoding: fc.constantFrom("", "", "gzip", "br", "x"),
    framing: fc.constantFrom(...FRAMINGS),
    body: mutatedJson(schema),
    times: fc.constantFrom(1, 1, 1, 2, 20),
  };
  return fc.record(parts).map(({ times, body, framing, method, path, host, ...headers }) => {
    const { origin, type, encoding } = headers;
    const named = { Host: host, Origin: origin, "Content-Type": type, "Content-Encoding": encoding };
    const lines = Object.entries(named).flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
    const [framed, bytes] = frame(framing, body);
    const head = [`${method} ${path} HTTP/1.1`, ...lines, ...framed, "", ""].join("\r\n");
    const once = Buffer.concat([Buffer.from(head), bytes]);
    return once.length < 64 * 1024 ? Buffer.concat(Array(times).fill(once)) : once;
  });
}

function frame(framing: Framing, body: Buffer): [string[], Buffer] {
  const chunked = "Transfer-Encoding: chunked";
  const chunk = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")]);
  if (framing === "chunked") return [[chunked], Buffer.concat([chunk, Buffer.from("0\r\n\r\n")])];
  if (framing === "stops") return [[chunked], chunk.subarray(0, chunk.length / 2)];
  if (framing === "both") return [[chunked, `Content-Length: ${body.length}`], chunk];
  if (framing === "none") return [[], body];
  const said =
    framing === "too long" ? body.length * 2 + 1 : framing === "too short" ? body.length >> 1 : body.length;
  return [[`Content-Length: ${said}`], body];
}
