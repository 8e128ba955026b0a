import { expect, test, vi } from "vitest";
import { once } from "../src/panels/once";

test("a form that is sent twice does its work once, and the next time when that is done", async () => {
  let done!: () => void;
  const send = vi.fn(() => new Promise<void>((resolve) => (done = resolve)));
  const submit = once(send);
  const event = { preventDefault: vi.fn() } as unknown as SubmitEvent;
  const first = submit(event);
  await submit(event);
  expect([send.mock.calls.length, vi.mocked(event.preventDefault).mock.calls.length]).toEqual([1, 2]);
  done();
  await first;
  void submit(event);
  expect(send).toHaveBeenCalledTimes(2);
});
