/**
 * Forms of passkeys, `form[data-passkey]`: "create" makes one, "use" proves one, "login" proves one without a
 * name before. Their button runs the browser's ceremony; what it gives goes into the field `credential`.
 */

import { requestOptions } from "../api/passkeys";

type Json = Record<string, unknown>;

/** What the server sends for the browser's call: WebAuthn's own names, bytes as base64url. */
interface Options {
  publicKey: Json & {
    challenge: string;
    user?: Json & { id: string };
    excludeCredentials?: (Json & { id: string })[];
    allowCredentials?: (Json & { id: string })[];
    authenticatorSelection?: Json;
  };
}

export function wirePasskeys(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      tell(form, "");
      ceremony(form).then(
        (credential) => {
          credentialField(form).value = JSON.stringify(credential);
          form.submit();
        },
        (error: unknown) => tell(form, problem(error)),
      );
    });
  }
}

async function ceremony(form: HTMLFormElement): Promise<Json> {
  if (!("credentials" in navigator)) throw new Error("Passkeys work over https only.");
  const options = form.dataset["passkey"] === "login" ? await requestOptions<Options>(form.action) : optionsIn(form);
  const publicKey = decoded(options.publicKey);
  if (form.dataset["passkey"] !== "create") {
    return encoded(await navigator.credentials.get({ publicKey: publicKey as unknown as PublicKeyCredentialRequestOptions }));
  }
  const alone = form.querySelector<HTMLInputElement>("[name=passwordless]")?.checked ?? false;
  const selection = { ...options.publicKey.authenticatorSelection, residentKey: alone ? "required" : "discouraged", requireResidentKey: alone };
  const verified = alone ? { ...selection, userVerification: "required" } : selection;
  const creation = { ...publicKey, authenticatorSelection: verified } as unknown as PublicKeyCredentialCreationOptions;
  return encoded(await navigator.credentials.create({ publicKey: creation }));
}

function optionsIn(form: HTMLFormElement): Options {
  const text = document.getElementById(form.dataset["options"] ?? "")?.textContent ?? "";
  const data = JSON.parse(text) as { creation_options?: Options; request_options?: Options };
  const options = data.creation_options ?? data.request_options;
  if (!options) throw new Error("The page is incomplete. Reload it.");
  return options;
}

function decoded(publicKey: Options["publicKey"]): Json {
  const keys = (list: (Json & { id: string })[] | undefined) => list?.map((key) => ({ ...key, id: bytes(key.id) }));
  return {
    ...publicKey,
    challenge: bytes(publicKey.challenge),
    ...(publicKey.user && { user: { ...publicKey.user, id: bytes(publicKey.user.id) } }),
    ...(publicKey.excludeCredentials && { excludeCredentials: keys(publicKey.excludeCredentials) }),
    ...(publicKey.allowCredentials && { allowCredentials: keys(publicKey.allowCredentials) }),
  };
}

function encoded(credential: Credential | null): Json {
  if (!(credential instanceof PublicKeyCredential)) throw new Error("The browser gave no passkey.");
  const { response } = credential;
  const parts =
    response instanceof AuthenticatorAttestationResponse
      ? { attestationObject: base64url(response.attestationObject), transports: response.getTransports() }
      : usedParts(response as AuthenticatorAssertionResponse);
  return {
    id: credential.id,
    rawId: base64url(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { clientDataJSON: base64url(response.clientDataJSON), ...parts },
  };
}

function usedParts(response: AuthenticatorAssertionResponse): Json {
  return {
    authenticatorData: base64url(response.authenticatorData),
    signature: base64url(response.signature),
    userHandle: response.userHandle && base64url(response.userHandle),
  };
}

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

export function base64url(buffer: ArrayBuffer): string {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function problem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "NotAllowedError") return "No passkey was used: it was cancelled, or took too long.";
  if (error.name === "InvalidStateError") return "This device has a passkey for your account already.";
  // An IP address has no passkeys, only a name has.
  if (error.name === "SecurityError") return `Passkeys do not work at ${location.hostname}. Open the site by its name, on your own machine http://localhost:${location.port}.`;
  return error.message;
}

function credentialField(form: HTMLFormElement): HTMLInputElement {
  return form.elements.namedItem("credential") as HTMLInputElement;
}

function tell(form: HTMLFormElement, text: string): void {
  const place = form.querySelector<HTMLElement>("[data-passkey-problem]");
  if (!place) return;
  place.textContent = text;
  place.hidden = !text;
}
