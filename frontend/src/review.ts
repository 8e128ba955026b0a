/** What a person corrects of a description before the import. */

import type { Choices, ColumnType, Description } from "./api/datasets";
import * as text from "./text";

/** The columns in each role as they stand on the page; "" means: no such column. */
export interface Corrections {
  picture: string;
  caption: string;
  id: string;
  vector: string;
  types: Record<string, ColumnType>;
  leaveOut: Record<string, boolean>;
}

/** As it was understood, or corrected before. */
export const correctionsOf = (found: Description, before: Partial<Choices>): Corrections => ({
  picture: before.picture ?? found.picture ?? "",
  caption: (before.captions ?? found.captions)[0] ?? "",
  id: before.id ?? found.id ?? "",
  vector: before.vector ?? found.vector ?? "",
  types: { ...Object.fromEntries(found.columns.map(({ name, type }) => [name, type])), ...before.types },
  leaveOut: Object.fromEntries((before.leave_out ?? []).map((name) => [name, true])),
});

/** Only what was changed: the rest stays as it was understood. */
export function choicesOf(found: Description, { caption, types, leaveOut, ...roles }: Corrections): Partial<Choices> {
  const changed: Partial<Choices> = { types: {}, leave_out: [] };
  for (const role of ["picture", "id", "vector"] as const) if (roles[role] !== (found[role] ?? "")) changed[role] = roles[role];
  if (caption !== (found.captions[0] ?? "")) changed.captions = caption ? [caption, ...found.captions.slice(1).filter((other) => other !== caption)] : [];
  for (const { name, type } of found.columns) {
    if (leaveOut[name]) changed.leave_out!.push(name);
    else if (types[name] && types[name] !== type) changed.types![name] = types[name];
  }
  return changed;
}

/** The first records under the corrections. */
interface Preview {
  columns: string[];
  /** The values in the order of the columns. */
  rows: { caption: string; values: unknown[] }[];
  /** False where the description does not tell all that the corrections ask for. */
  exact: boolean;
}

export function previewOf(found: Description, now: Corrections): Preview {
  const [caption] = found.captions;
  const taken = [now.picture, now.caption, now.id, now.vector];
  // What gave captions or ids and no longer does is a column like the others.
  const known = [caption, found.id, ...found.columns.map(({ name }) => name)].filter((name) => name !== undefined && name !== null);
  const columns = [...new Set(known)].filter((name) => !taken.includes(name) && !now.leaveOut[name]);
  const rows = found.head.map((row) => {
    const cell = (name: string): unknown => (name === caption ? row.captions[0] : name === found.id ? row.id : row.values[name]);
    return { caption: text.value([cell(now.caption)].flat()[0]), values: columns.map(cell) };
  });
  const moved = (["picture", "vector"] as const).some((role) => now[role] !== (found[role] ?? ""));
  const told = now.caption ? known.includes(now.caption) : found.captions.length < 2;
  return { columns, rows, exact: told && !moved };
}
