import { expect, test } from "vitest";
import { value } from "../src/text";

test("a day is shown without its midnight, a moment to the second, and words as they are", () => {
  expect(value("1992-12-25T00:00:00+00:00")).toBe("1992-12-25");
  expect(value("1992-12-25T14:30:05.250000+00:00")).toBe("1992-12-25 14:30:05 UTC");
  expect(value("on 1992-12-25T00:00:00+00:00")).toBe("on 1992-12-25T00:00:00+00:00");
});
