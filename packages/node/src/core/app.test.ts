import { Store } from "@sealane/kv";
import { utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineApp, findRoute, parseTarget } from "./app.js";
import { RequestError } from "./errors.js";

const app = defineApp({
  name: "test",
  reads: { "GET /things/:id": (_reader, { params }) => ({ body: { id: params.id } }) },
  writes: {
    "PUT /things/:id": { body: z.strictObject({ n: z.int() }), handler: (_tx, { body }) => ({ body: { n: body.n } }) },
    "DELETE /things/:id": { handler: () => ({ body: {} }) },
  },
});

const refusal = (code: string) => expect.objectContaining({ name: "RequestError", code });
const caught = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe("routes", () => {
  it("match method and path, and decode parameters", () => {
    expect(findRoute(app.routes, "GET", "/things/a%20b").params).toEqual({ id: "a b" });
    expect(caught(() => findRoute(app.routes, "GET", "/things"))).toEqual(refusal("not-found"));
    expect(caught(() => findRoute(app.routes, "GET", "/things/a/b"))).toEqual(refusal("not-found"));
    expect(caught(() => findRoute(app.routes, "POST", "/things/a"))).toEqual(refusal("method-not-allowed"));
    expect(caught(() => findRoute(app.routes, "GET", "/things/%"))).toEqual(refusal("malformed"));
  });

  it("take the query apart", () => {
    expect(parseTarget("/a?x=1&y=%26&z")).toEqual({ path: "/a", query: { x: "1", y: "&", z: "" } });
    expect(parseTarget("/a")).toEqual({ path: "/a", query: {} });
  });
});

describe("bodies", () => {
  const put = (body: string) => {
    const { route } = findRoute(app.routes, "PUT", "/things/a");
    if (route.type !== "write") throw new Error("PUT writes");
    return caught(() => route.run(new Store().begin(), { params: {}, query: {}, body: utf8(body) }, 0));
  };

  it("are parsed by the endpoint's schema", () => expect(put('{"n":1}')).toEqual({ body: { n: 1 } }));

  it.each(["", "{", "[]", '{"n":1.5}', '{"n":1,"m":2}', "null"])("refuse %s", (body) => {
    expect(put(body)).toEqual(refusal("malformed"));
  });

  it("are refused where none is expected", () => {
    const { route } = findRoute(app.routes, "DELETE", "/things/a");
    if (route.type !== "write") throw new Error("DELETE writes");
    expect(caught(() => route.run(new Store().begin(), { params: {}, query: {}, body: utf8("{}") }, 0))).toEqual(
      refusal("malformed"),
    );
  });
});

describe("defineApp", () => {
  it.each(["PUT /things", "GET things", "GET  /things", "get /things", "GET /node/state", "GET /tx/1"])(
    "refuses a read at %s",
    (key) => {
      expect(() => defineApp({ name: "bad", reads: { [key]: () => ({ body: {} }) }, writes: {} })).toThrow(TypeError);
    },
  );
});

describe("RequestError", () => {
  it("answers with its code and whether to try again", () => {
    expect(new RequestError("no-quorum", "None.").answer).toEqual({
      error: { code: "no-quorum", message: "None.", retryable: true },
    });
  });
});
