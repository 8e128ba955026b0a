/**
 * Comments, for those who may comment.
 *
 *   GET    /api/datasets/{id}/comments?state=open|resolved     -> {comments: [Comment]}, oldest first
 *   POST   /api/datasets/{id}/comments                         {text, pin, name} -> Comment
 *   POST   /api/datasets/{id}/comments/{id}/replies            {text, name} -> Reply
 *   PATCH  /api/datasets/{id}/comments/{id}                    {resolved?, text?} -> Comment; the text of a reply, too
 *   DELETE /api/datasets/{id}/comments/{id}                    of a comment or a reply
 */

import type { Filter, OnMap } from "../filters";
import { change, get, post } from "./http";

/** What a comment is about. */
export type Pin = { row: number } | PlacePin | RegionPin | { filter: Filter };

interface PlacePin extends OnMap {
  x: number;
  y: number;
}

interface RegionPin extends OnMap {
  region: [number, number][];
}

export interface Reply {
  id: string;
  text: string;
  author: string;
  /** False: the name is only what a visitor by link said, or that of an account which is gone. */
  account: boolean;
  created_at: string;
  /** When its author changed what it says. */
  edited_at: string | null;
  mine: boolean;
}

export interface Comment extends Reply {
  resolved: boolean;
  pin: Pin;
  replies: Reply[];
}

export type CommentState = "open" | "resolved";

export const commentsOf = async (dataset: string, state: CommentState): Promise<Comment[]> =>
  (await get<{ comments: Comment[] }>(`/api/datasets/${dataset}/comments?state=${state}`)).comments;

/** `name`: what somebody who is not signed in is called. */
export const writeComment = (dataset: string, pin: Pin, text: string, name: string): Promise<Comment> =>
  post(`/api/datasets/${dataset}/comments`, { pin, text, name });

export const writeReply = (dataset: string, comment: string, text: string, name: string): Promise<Reply> =>
  post(`/api/datasets/${dataset}/comments/${comment}/replies`, { text, name });

export async function resolveComment(dataset: string, comment: string, resolved: boolean): Promise<void> {
  await change("PATCH", `/api/datasets/${dataset}/comments/${comment}`, { resolved });
}

/** Of a comment or a reply; only its author may. */
export async function rewriteComment(dataset: string, comment: string, text: string): Promise<true> {
  await change("PATCH", `/api/datasets/${dataset}/comments/${comment}`, { text });
  return true;
}

export async function removeComment(dataset: string, comment: string): Promise<void> {
  await change("DELETE", `/api/datasets/${dataset}/comments/${comment}`);
}
