/**
 * Saved views: what the explorer shows, under a name.
 *
 *   POST /api/datasets/{id}/views         {name, hash, shared} -> View
 *   GET  /api/datasets/{id}/views/{view}  -> View
 */

import { get, post } from "./http";

export interface View {
  id: string;
  name: string;
  /** The explorer's state, as after the "#" of its address. */
  hash: string;
  shared: boolean;
  created_by: string;
  mine: boolean;
}

export const saveView = (dataset: string, name: string, hash: string): Promise<View> =>
  post(`/api/datasets/${dataset}/views`, { name, hash, shared: true });

export const savedView = (dataset: string, view: string): Promise<View> => get(`/api/datasets/${dataset}/views/${view}`);
