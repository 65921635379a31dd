import { expect, test } from "vitest";
import { chooseConnection, type Path } from "./route.js";

const path = (name: string, confirmed = false): Path & { name: string } => ({ name, confirmed });
const none = { accepted: undefined, dialled: undefined, claimed: undefined, probationOver: false };

test("the connection the peer dialled is preferred once ours is confirmed, gone, or was given its chance", () => {
  const [accepted, dialled] = [path("accepted"), path("dialled")];
  expect(chooseConnection({ ...none, accepted }, false)).toBe(accepted);
  expect(chooseConnection({ ...none, accepted, dialled }, false)).toBe(dialled);
  expect(chooseConnection({ ...none, accepted, dialled, probationOver: true }, false)).toBe(accepted);
  expect(chooseConnection({ ...none, accepted, dialled: path("dialled", true) }, false)).toBe(accepted);
});

test("a connection that has proven nothing is used only when there is no other", () => {
  const [claimed, dialled] = [path("claimed", true), path("dialled")];
  expect(chooseConnection({ ...none, claimed }, false)).toBe(claimed);
  expect(chooseConnection({ ...none, claimed, dialled }, false)).toBe(dialled);
  expect(chooseConnection({ ...none, claimed, dialled, probationOver: true }, false)).toBe(dialled);
  expect(chooseConnection({ ...none, claimed, accepted: path("accepted") }, false)?.name).toBe("accepted");
});

test("a large frame takes only a confirmed connection, and never a claimed one beside another", () => {
  const [accepted, dialled, claimed] = [path("accepted", true), path("dialled", true), path("claimed", true)];
  expect(chooseConnection({ ...none, accepted, dialled, claimed }, true)).toBe(accepted);
  expect(chooseConnection({ ...none, accepted: path("accepted"), dialled }, true)).toBe(dialled);
  expect(chooseConnection({ ...none, dialled: path("dialled"), claimed }, true)).toBeUndefined();
  expect(chooseConnection({ ...none, claimed }, true)).toBe(claimed);
  expect(chooseConnection({ ...none, claimed: path("claimed") }, true)).toBeUndefined();
});
