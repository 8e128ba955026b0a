import { afterEach, expect, test, vi } from "vitest";

/** Stands in for tus: keeps what each upload was given, and what the browser remembers of earlier ones. */
const { made, remembered } = vi.hoisted(() => ({
  made: [] as { options: { fingerprint: (file: File, options: object) => Promise<string>; onSuccess: () => void }; url: string | null; started: boolean; aborted: boolean[] }[],
  remembered: [] as { uploadUrl: string }[],
}));
vi.mock("tus-js-client", () => ({
  DetailedError: class {},
  Upload: class {
    url: string | null = null;
    started = false;
    aborted: boolean[] = [];
    constructor(
      readonly file: File,
      readonly options: never,
    ) {
      made.push(this);
    }
    findPreviousUploads = () => Promise.resolve(remembered);
    resumeFromPreviousUpload = (previous: { uploadUrl: string }) => (this.url = previous.uploadUrl);
    start = () => (this.started = true);
    abort = (deletes: boolean) => {
      this.aborted.push(deletes);
      return Promise.resolve();
    };
  },
}));
import { UploadQueue } from "../src/upload_queue";

vi.stubGlobal("location", { href: "http://atlas.example/new" });
const alike = (path: string) => ({ file: new File(["x"], "front.tif", { lastModified: 1 }), path });
const queueOf = (...paths: string[]) => {
  const queue = new UploadQueue("/uploads", () => {});
  queue.add(paths.map(alike));
  return queue;
};

afterEach(() => {
  made.length = remembered.length = 0;
});

test("files alike in different folders are remembered apart", async () => {
  queueOf("obj1/front.tif", "obj2/front.tif");
  const options = { endpoint: "/uploads" };
  const [one, two] = await Promise.all(made.map((upload) => upload.options.fingerprint(alike("").file, options)));
  expect(one).not.toBe(two);
});

test("what is taken off the list is deleted from the server, a finished upload, too", () => {
  const queue = queueOf("a.tif", "b.tif");
  made[0]!.url = "/uploads/a";
  made[0]!.options.onSuccess();
  queue.remove([...queue.items]);
  expect(made.map(({ aborted }) => aborted)).toEqual([[true], [true]]);
  expect(queue.items).toEqual([]);
});

test("an upload that one file goes on with is left to it", async () => {
  remembered.push({ uploadUrl: "/uploads/a" });
  queueOf("front.tif", "front.tif");
  await vi.waitFor(() => expect(made.map(({ started }) => started)).toEqual([true, true]));
  expect(made.map(({ url }) => url)).toEqual(["/uploads/a", null]);
});
