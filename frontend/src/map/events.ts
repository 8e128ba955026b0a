/** A list of listeners for each kind of event, typed by what the event carries. */

export class Events<Kinds> {
  private readonly listeners = new Map<keyof Kinds, Set<(event: never) => void>>();

  on<K extends keyof Kinds>(kind: K, listener: (event: Kinds[K]) => void): () => void {
    const set = this.listeners.get(kind) ?? new Set();
    this.listeners.set(kind, set);
    set.add(listener as (event: never) => void);
    return () => set.delete(listener as (event: never) => void);
  }

  emit<K extends keyof Kinds>(kind: K, event: Kinds[K]): void {
    this.listeners.get(kind)?.forEach((listener) => (listener as (event: Kinds[K]) => void)(event));
  }
}
