import { expect, test } from "vitest";
import { testId } from "../testing.js";
import { Lobby, type Visitor } from "./lobby.js";

const visitor = (remoteHost: string, digit?: string): Visitor => ({
  remoteHost,
  peer: digit === undefined ? undefined : testId(digit),
});

test("the oldest of the host with the most visitors goes first", () => {
  const lobby = new Lobby<Visitor>({ total: 3, perPeer: 4 });
  const [lone, crowd] = [visitor("1"), visitor("2")];
  expect(lobby.admit(lone)).toBeUndefined();
  expect(lobby.admit(crowd)).toBeUndefined();
  expect(lobby.admit(visitor("2"))).toBeUndefined();
  expect(lobby.admit(visitor("2"))).toBe(crowd); // `lone` is older, but alone
  expect(lobby.size).toBe(3);
});

test("who has left takes no place", () => {
  const lobby = new Lobby<Visitor>({ total: 1, perPeer: 1 });
  const first = visitor("1");
  lobby.admit(first);
  lobby.leave(first);
  expect(lobby.admit(visitor("1"))).toBeUndefined();
});

test("a claimed id has a bound of its own", () => {
  const lobby = new Lobby<Visitor>({ total: 10, perPeer: 2 });
  const [first, second, other, third] = [visitor("1", "a"), visitor("2", "a"), visitor("3", "b"), visitor("4", "a")];
  for (const each of [first, second, other, third]) lobby.admit(each);
  expect(lobby.claimed(other)).toBeUndefined();
  expect(lobby.claimed(third)).toBe(first);
  expect(lobby.claimed(third)).toBeUndefined();
});
