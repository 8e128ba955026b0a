import { afterEach, expect, test, vi } from "vitest";
import { wireQuestions } from "../src/site/questions";

class Form {
  constructor(readonly dataset: Record<string, string>) {}
}

afterEach(() => vi.unstubAllGlobals());

test("a form with a question is sent after a yes only, any other at once", () => {
  let send!: (event: { target: unknown; preventDefault: () => void }) => void;
  const asked = vi.fn<(question: string) => boolean>();
  vi.stubGlobal("HTMLFormElement", Form);
  vi.stubGlobal("confirm", asked);
  vi.stubGlobal("document", { addEventListener: (_: string, listener: typeof send) => (send = listener) });
  wireQuestions();
  const isSent = (form: Form): boolean => {
    const preventDefault = vi.fn();
    send({ target: form, preventDefault });
    return preventDefault.mock.calls.length === 0;
  };
  const form = new Form({ asks: "Revoke “The jury” for good?" });
  asked.mockReturnValueOnce(false).mockReturnValueOnce(true);
  expect([isSent(form), isSent(form), isSent(new Form({}))]).toEqual([false, true, true]);
  expect(asked.mock.calls).toEqual([["Revoke “The jury” for good?"], ["Revoke “The jury” for good?"]]);
});
