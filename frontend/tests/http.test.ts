import { afterEach, expect, test, vi } from "vitest";
import { ApiError, bytes, csrfToken, get, send } from "../src/api/http";

afterEach(() => void vi.unstubAllGlobals());

const answering = (answer: () => Response): unknown => vi.stubGlobal("fetch", async () => answer());
const JSON_TYPE = { headers: { "Content-Type": "application/json" } };

/** An answer whose body ends with an error. */
const broken = (error: Error) => () => new Response(new ReadableStream({ start: (stream) => stream.error(error) }), JSON_TYPE);

test("an answer that breaks off or takes too long is said in words", async () => {
  answering(broken(new TypeError("network error")));
  await expect(get("/")).rejects.toThrow("The server's answer broke off.");
  answering(broken(new DOMException("signal timed out", "TimeoutError")));
  await expect(bytes(send("/"))).rejects.toThrow("The server did not answer within 30 seconds.");
});

test("what somebody aborts is told as that", async () => {
  answering(broken(new DOMException("", "AbortError")));
  await expect(get("/")).rejects.toMatchObject({ name: "AbortError" });
});

test("a refusal has its sentence, or its number where it has none", async () => {
  answering(() => Response.json({ detail: "There is no such map." }, { status: 404 }));
  await expect(get("/")).rejects.toEqual(new ApiError(404, "There is no such map."));
  answering(() => Response.json({ detail: [{ msg: "One." }, { msg: "Two." }] }, { status: 422 }));
  await expect(get("/")).rejects.toThrow("One. Two.");
  answering(() => new Response("<html>", { status: 502 }));
  await expect(get("/")).rejects.toThrow(/^The server answered 502\.$/);
  answering(() => new Response("<html>", { status: 502, statusText: "Bad Gateway", ...JSON_TYPE }));
  await expect(get("/")).rejects.toThrow(/^The server answered 502 Bad Gateway\.$/);
});

test("the token of whoever signed in last is sent, and the page's where the cookie cannot be read", () => {
  const meta = { content: "then", dataset: { cookie: "csrftoken_8001" } };
  const cookie = "csrftoken=of-another-copy; csrftoken_8001=now";
  const page = { cookie, querySelector: () => meta };
  vi.stubGlobal("document", page);
  expect(csrfToken()).toBe("now");
  page.cookie = "csrftoken=of-another-copy";
  expect(csrfToken()).toBe("then");
});
