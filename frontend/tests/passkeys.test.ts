import { expect, test } from "vitest";

import { base64url, bytes } from "../src/site/passkeys";

test("bytes survive the way to base64url and back", () => {
  const all = Uint8Array.from({ length: 257 }, (_, place) => place % 256);
  const text = base64url(all.buffer);
  expect(text).toMatch(/^[\w-]+$/);
  expect(bytes(text)).toEqual(all);
});

test("the two letters that differ from base64 are read", () => {
  expect(bytes("-_8")).toEqual(Uint8Array.from([0xfb, 0xff]));
});
