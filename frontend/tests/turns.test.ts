import { expect, test } from "vitest";
import { Turns } from "../src/turns";

test("an answer that was asked for before the one that is shown is no news", () => {
  const turns = new Turns();
  const [first, second, third] = [turns.next(), turns.next(), turns.next()];
  expect(second()).toBe(true);
  expect(first()).toBe(false);
  expect(third()).toBe(true);
});
