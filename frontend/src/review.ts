/** What a person corrects of a description before the import. */

import type { Choices, ColumnType, Description } from "./api/datasets";

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
