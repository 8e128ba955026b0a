/** `form[data-asks="question"]` is sent only after a yes: for what nobody can take back. */

export function wireQuestions(): void {
  document.addEventListener("submit", (event) => {
    const question = event.target instanceof HTMLFormElement ? event.target.dataset["asks"] : undefined;
    if (question && !confirm(question)) event.preventDefault();
  });
}
