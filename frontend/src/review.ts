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

export const asUnderstood = (found: Description): Corrections => ({
  picture: found.picture ?? "",
  caption: found.captions[0] ?? "",
  id: found.id ?? "",
  vector: found.vector ?? "",
  types: Object.fromEntries(found.columns.map(({ name, type }) => [name, type])),
  leaveOut: {},
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
