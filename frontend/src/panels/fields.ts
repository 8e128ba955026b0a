import type { MapRecord } from "../api/maps";

/** A record's own columns that hold something. */
export const fields = (record: MapRecord): [string, unknown][] =>
  Object.entries(record.values).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0));
