/**
 * What a passkey has to prove.
 *
 *   GET {address}  -> {request_options}, WebAuthn's own names
 */

import { ApiError, json, send } from "./http";

export async function requestOptions<Options>(address: string): Promise<Options> {
  const answer = await json<{ request_options: Options }>(send(address, { headers: { Accept: "application/json" } })).catch((error: unknown) => {
    const many = error instanceof ApiError && error.status === 429;
    throw new Error(many ? "Those were many tries. Wait a minute." : "The server does not answer as it should. Try again.");
  });
  return answer.request_options;
}
