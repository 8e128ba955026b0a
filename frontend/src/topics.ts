/** The tree of topics as a list of rows: what a tree widget shows. */

import type { Topic } from "./map/manifest";

export interface TopicRow {
  topic: Topic;
  /** From 1. */
  depth: number;
  /** Whether its children are shown; null = it has none. */
  open: boolean | null;
  parent: number | null;
}

export class TopicTree {
  private readonly children = new Map<number | null, Topic[]>();

  constructor(private readonly topics: Topic[]) {
    for (const topic of topics) {
      const siblings = this.children.get(topic.parent);
      if (siblings) siblings.push(topic);
      else this.children.set(topic.parent, [topic]);
    }
    for (const siblings of this.children.values()) siblings.sort((a, b) => b.count - a.count);
  }

  /** With words only topics whose names hold them, from all levels; else the roots and what is below those in `open`. */
  rows(open: ReadonlySet<number>, words = ""): TopicRow[] {
    const wanted = words.trim().toLocaleLowerCase();
    if (!wanted) return this.below(null, 1, open);
    const named = this.topics.filter((topic) => !this.repeats(topic) && topic.name.toLocaleLowerCase().includes(wanted));
    return named.sort((a, b) => b.count - a.count).map((topic) => ({ topic, depth: 1, open: null, parent: null }));
  }

  private below(parent: number | null, depth: number, open: ReadonlySet<number>): TopicRow[] {
    return (this.children.get(parent) ?? []).flatMap((topic) => {
      const inside = this.parts(topic.id).length > 0;
      const row = { topic, depth, open: inside ? open.has(topic.id) : null, parent };
      return inside && open.has(topic.id) ? [row, ...this.nested(topic.id, depth, open)] : [row];
    });
  }

  private nested(id: number, depth: number, open: ReadonlySet<number>): TopicRow[] {
    const only = this.onlyChild(id);
    if (only !== null) return this.nested(only, depth, open).map((row) => (row.parent === only ? { ...row, parent: id } : row));
    return this.below(id, depth + 1, open);
  }

  /** What a topic consists of. An only child is its mother once more: its parts count. */
  private parts(id: number): Topic[] {
    const only = this.onlyChild(id);
    return only === null ? (this.children.get(id) ?? []) : this.parts(only);
  }

  private onlyChild(id: number): number | null {
    const children = this.children.get(id) ?? [];
    return children.length === 1 ? children[0]!.id : null;
  }

  private repeats({ id, parent }: Topic): boolean {
    return parent !== null && this.onlyChild(parent) === id;
  }
}
