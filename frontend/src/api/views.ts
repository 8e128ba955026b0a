/**
 * Saved views: what the explorer shows, under a name.
 *
 *   GET    /api/datasets/{id}/views         -> {views: [View]}, the shared ones and one's own
 *   POST   /api/datasets/{id}/views         {name, hash, shared} -> View
 *   GET    /api/datasets/{id}/views/{view}  -> View
 *   PATCH  /api/datasets/{id}/views/{view}  {name} -> View
 *   DELETE /api/datasets/{id}/views/{view}
 */

import { change, get, json, post } from "./http";

/** What somebody keeps under a name. */
export interface Saved {
  id: string;
  name: string;
  /** With all who may see the dataset. */
  shared: boolean;
  created_by: string;
  mine: boolean;
}

export interface View extends Saved {
  /** The explorer's state, as after the "#" of its address. */
  hash: string;
}

export const viewsOf = async (dataset: string): Promise<View[]> => (await get<{ views: View[] }>(`/api/datasets/${dataset}/views`)).views;

export const saveView = (dataset: string, view: { name: string; hash: string; shared: boolean }): Promise<View> =>
  post(`/api/datasets/${dataset}/views`, view);

export const savedView = (dataset: string, view: string): Promise<View> => get(`/api/datasets/${dataset}/views/${view}`);

export const renameView = (dataset: string, view: string, name: string): Promise<View> => json(change("PATCH", `/api/datasets/${dataset}/views/${view}`, { name }));

export async function removeView(dataset: string, view: string): Promise<void> {
  await change("DELETE", `/api/datasets/${dataset}/views/${view}`);
}
