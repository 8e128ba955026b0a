import { render } from "svelte/server";
import { expect, test } from "vitest";
import Linked from "../src/panels/Linked.svelte";

const links = (words: string): string[] => [...render(Linked, { props: { words } }).body.matchAll(/<a href="([^"]*)"/g)].map(([, href]) => href!);

test.each([
  ["https://example.org/objects/7", ["https://example.org/objects/7"]],
  ["© X, CC BY 4.0, see HTTP://Example.org/a?b=1#c.", ["HTTP://Example.org/a?b=1#c"]],
  ["https://a.example/1, https://a.example/2", ["https://a.example/1", "https://a.example/2"]],
  ["(https://a.example/x) or https://a.example/Leda_(Correggio)!", ["https://a.example/x", "https://a.example/Leda_(Correggio)"]],
  ['"https://a.example/x"<b>', ["https://a.example/x"]],
])("addresses of the web become links: %s", (words, found) => {
  expect(links(words)).toEqual(found);
});

test.each(["javascript:alert(1)", "data:text/html,x", "javascript://https:alert(1)", "ftp://a.example", "xhttps://a.example", "https://", "https://[", "//a.example"])("nothing else does: %s", (words) => {
  expect(links(words)).toEqual([]);
});

test("what is beside an address stays as it is, and is text", () => {
  const { body } = render(Linked, { props: { words: "see <b>https://a.example/x</b>, please" } });
  expect(body).toContain("see &lt;b>");
  expect(body).toContain("&lt;/b>, please");
  expect(body).toContain('rel="noopener nofollow ugc"');
});
