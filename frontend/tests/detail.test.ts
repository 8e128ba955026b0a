import { expect, test } from "vitest";
import type { MapRecord } from "../src/api/maps";
import { Detail } from "../src/explorer/detail.svelte";
import type { Stage } from "../src/explorer/stage.svelte";
import type { Found } from "../src/map/pick";

const at = (ordinal: number): Found => ({ ordinal, x: 0.5, y: 0.5 });
const RECORDS = [{ caption: "a ripe pear" }, { caption: "", source: "plum.png" }] as MapRecord[];

/** The second record is selected, the answer for the first comes late. */
function walking(): { detail: Detail; late: () => void } {
  let late!: () => void;
  const first = new Promise<MapRecord>((resolve) => (late = () => resolve(RECORDS[0]!)));
  const stage = {
    view: { flags: { isSelected: (ordinal: number) => ordinal === 1 } },
    records: { get: (ordinal: number) => (ordinal === 0 ? first : Promise.resolve(RECORDS[1])) },
    attempt: <T>(work: Promise<T>) => work,
  };
  return { detail: new Detail(stage as unknown as Stage), late };
}

test("the record that the keys lead to is read out, and that there is none further", async () => {
  const { detail, late } = walking();
  late();
  await detail.walk(at(0));
  expect(detail.reached).toBe("a ripe pear");
  await detail.walk(at(1));
  expect(detail.reached).toBe("plum.png, selected");
  await detail.walk(null);
  expect(detail.reached).toBe("Nothing further in this direction.");
});

test("a record that comes late is not read out after the next", async () => {
  const { detail, late } = walking();
  const first = detail.walk(at(0));
  await detail.walk(at(1));
  late();
  await first;
  expect(detail.reached).toBe("plum.png, selected");
});
