/** Passkeys (Web Authentication, level 2) between the browser and the program: what is binary there is base64url here. */

import type { SignedIn } from "../api/door.ts";
import { type Answer, json, send } from "../api/request.ts";

/** Whether this browser has passkeys for this address: it must have a name, and be safe from listeners. */
export function canUsePasskeys(): boolean {
  return "PublicKeyCredential" in window && isSecureContext && !/^[\d.]+$|^\[/.test(location.hostname);
}

/** Signs in with a passkey that the reader picks. */
export async function signInByPasskey(): Promise<Answer<SignedIn>> {
  const asked = await post<Options>("/auth/passkey/begin", {});
  if (!asked.ok) return asked;
  const credential = await proved(() => navigator.credentials.get({ publicKey: requestOf(asked.value) }));
  if (!credential) return NOT_PROVED;
  return await post("/auth/passkey/finish", assertionOf(credential));
}

/** The options of Web Authentication in their form for JSON. */
export type Options = Record<string, unknown>;

/** Makes a passkey as the program wants it; `undefined` if the reader does not want to. */
export async function makePasskey(options: Options): Promise<object | undefined> {
  const credential = await proved(() => navigator.credentials.create({ publicKey: creationOf(options) }));
  return credential && attestationOf(credential);
}

async function post<T>(path: string, body: object): Promise<Answer<T>> {
  const headers = { "Content-Type": "application/json" };
  return await send(path, { method: "POST", headers, body: JSON.stringify(body) }, json<T>);
}

async function proved(act: () => Promise<Credential | null>): Promise<PublicKeyCredential | undefined> {
  try {
    const credential = await act();
    return credential instanceof PublicKeyCredential ? credential : undefined;
  } catch {
    // The reader has closed the browser's dialog, or has no passkey here.
    return undefined;
  }
}

function requestOf(options: Options): PublicKeyCredentialRequestOptions {
  const allowed = listed(options["allowCredentials"]);
  return {
    ...(options as unknown as PublicKeyCredentialRequestOptions),
    challenge: bytes(options["challenge"]),
    allowCredentials: allowed,
  };
}

function creationOf(options: Options): PublicKeyCredentialCreationOptions {
  const wanted = options as unknown as PublicKeyCredentialCreationOptions;
  const user = options["user"] as { id: string; name: string; displayName: string };
  return {
    ...wanted,
    challenge: bytes(options["challenge"]),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: listed(options["excludeCredentials"]),
  };
}

function listed(list: unknown): PublicKeyCredentialDescriptor[] {
  const all = Array.isArray(list) ? (list as { id: string; type: "public-key" }[]) : [];
  return all.map(({ id, type }) => ({ type, id: bytes(id) }));
}

function assertionOf(credential: PublicKeyCredential): object {
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    ...commonOf(credential),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      ...(response.userHandle && { userHandle: text(response.userHandle) }),
    },
  };
}

function attestationOf(credential: PublicKeyCredential): object {
  const response = credential.response as AuthenticatorAttestationResponse;
  return {
    ...commonOf(credential),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports(),
    },
  };
}

function commonOf(credential: PublicKeyCredential): object {
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, clientExtensionResults: {} };
}

function bytes(encoded: unknown): ArrayBuffer {
  const plain = atob(String(encoded).replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (character) => character.codePointAt(0) ?? 0).buffer;
}

function text(buffer: ArrayBuffer): string {
  const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCodePoint(byte)).join("");
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

const NOT_PROVED: Answer<never> = { ok: false, problem: { code: "passkey_refused", message: "no passkey was used", status: 401 } };
