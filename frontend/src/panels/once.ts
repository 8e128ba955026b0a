/** What a form does when it is sent: nothing anew before the last time is done with. */
export function once(send: () => Promise<unknown>): (event: SubmitEvent) => Promise<void> {
  let busy = false;
  return async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    await send().finally(() => (busy = false));
  };
}
