import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { wireCopying } from "../src/site/copy";

class Fake {
  dataset: Record<string, string> = {};
  value = "the link";
  className = "";
  textContent = "Copy";
  selected = false;
  label: Fake | null = null;
  closest = () => this;
  querySelector = () => this.label;
  select(): void {
    this.selected = true;
  }
  append = () => undefined;
  remove = () => undefined;
}

const input = new Fake();
const button = new Fake();
let press: (event: { target: unknown }) => void;
const byHand = vi.fn(() => true);
const writeText = vi.fn(() => Promise.resolve());

beforeEach(() => {
  vi.useFakeTimers();
  input.selected = false;
  button.dataset = { copies: "link" };
  button.label = Object.assign(new Fake(), { dataset: { copied: "Copied" } });
  for (const kind of ["Element", "HTMLElement", "HTMLInputElement"]) vi.stubGlobal(kind, Fake);
  vi.stubGlobal("window", { isSecureContext: true });
  vi.stubGlobal("navigator", { clipboard: { writeText } });
  vi.stubGlobal("document", {
    addEventListener: (_: string, listener: typeof press) => (press = listener),
    getElementById: () => input,
    createElement: () => new Fake(),
    execCommand: byHand,
    body: new Fake(),
  });
  wireCopying();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function pressed(): Promise<string> {
  press({ target: button });
  await vi.advanceTimersByTimeAsync(0);
  return button.label!.textContent;
}

test("the button says for a moment that its text was copied, however often it is pressed", async () => {
  expect(await pressed()).toBe("Copied");
  expect(writeText).toHaveBeenCalledWith("the link");
  expect(await pressed()).toBe("Copied");
  await vi.advanceTimersByTimeAsync(5000);
  expect(button.label!.textContent).toBe("Copy");
});

test("without TLS it is copied all the same", async () => {
  vi.stubGlobal("window", { isSecureContext: false });
  expect(await pressed()).toBe("Copied");
  expect(byHand).toHaveBeenCalledWith("copy");
});

test("what the browser refuses to copy stays selected, and nothing says that it was copied", async () => {
  writeText.mockRejectedValueOnce(new Error("NotAllowedError"));
  expect(await pressed()).toBe("Copy");
  expect(input.selected).toBe(true);
});
