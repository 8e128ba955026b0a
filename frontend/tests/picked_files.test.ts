import { expect, test } from "vitest";
import { fromInput, refusal, suggestedName } from "../src/picked_files";
import { bytes, duration, number, value } from "../src/text";

const file = (name: string, path = ""): File => Object.defineProperty(new File([], name), "webkitRelativePath", { value: path });

test("what systems hide in folders is left out", () => {
  const picked = fromInput([file("a.jpg", "set/a.jpg"), file(".DS_Store", "set/.DS_Store"), file("x", "set/__MACOSX/x"), file("Thumbs.db", "set/Thumbs.db"), file("b.zip")]);
  expect(picked.map(({ file: { name }, path }) => path || name)).toEqual(["set/a.jpg", "b.zip"]);
});

test("a dataset is called after its file or folder", () => {
  const named = (name: string, path = "") => suggestedName({ file: file(name), path });
  expect(named("fruit_2024.tar.gz")).toBe("Fruit 2024");
  expect(named("1.jpg", "street-photos/a/1.jpg")).toBe("Street photos");
  expect(named("captions.v2.csv")).toBe("Captions.v2");
  for (const name of ["train.json", "train.jsonl.gz", "train.tab", "train.pq", "train.feather", "train.xlsx"]) expect(named(name)).toBe("Train");
});

test("archives that are not opened are refused before they are sent", () => {
  const why = (name: string, path = "") => refusal({ file: file(name), path });
  for (const name of ["x.z01", "my.photos.ZIP.001", "x.7z.002", "x.tar.gz.ab", "x.zip.part"]) expect(why(name)).toContain(`${name} is one part`);
  for (const name of ["x.7z", "x.RAR", "x.part2.rar", "x.tar.xz", "t.csv.bz2", "t.jsonl.zst"]) expect(why(name)).toContain(`${name} is packed`);
  for (const name of ["x.zip", "x.tar.gz", "x.tgz", "t.csv.gz", "1.jpg", "partz.tar"]) expect(why(name)).toBeNull();
  expect(why("x.7z", "set/x.7z")).toBeNull();
});

test("sizes, times, numbers and values read well", () => {
  expect([0, 999, 1500, 3_400_000_000].map(bytes)).toEqual(["0 B", "999 B", "1.5 KB", "3.4 GB"]);
  expect([0.2, 59, 90, 7300].map(duration)).toEqual(["1 s", "59 s", "2 min", "2 h 2 min"]);
  expect([number(1987, 500), number(0.12345, 1), number(123456, 1e6)]).toEqual(["1987", "0.12", "123,456"]);
  expect([value(["a", 1]), value(null), value({ a: 1 }), value(true)]).toEqual(["a, 1", "", '{"a":1}', "true"]);
});
