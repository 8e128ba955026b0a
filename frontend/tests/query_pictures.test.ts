import { expect, test } from "vitest";
import { copiedPicture } from "../src/query_pictures";

const PICTURE = new File(["…"], "image.png", { type: "image/png" });

const copied = (words: string, ...files: File[]) => copiedPicture({ files: files as unknown as FileList, getData: (kind) => (kind === "text/plain" ? words : "") });

test("a picture alone is one, and so is a file, whose name is copied with it", () => {
  expect(copied("", PICTURE)).toBe(PICTURE);
  expect(copied("image.png", PICTURE)).toBe(PICTURE);
  expect(copied("/home/rosa/image.png\n", PICTURE)).toBe(PICTURE);
});

test("cells of a table are words, though they come with their picture", () => {
  expect(copied("red\tfruit\n", PICTURE)).toBeNull();
});

test("other files are no picture", () => {
  expect(copied("", new File(["…"], "notes.txt", { type: "text/plain" }))).toBeNull();
  expect(copiedPicture(null)).toBeNull();
});
