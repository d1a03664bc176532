/** Passkeys (Web Authentication, level 2) between the browser and the program: what is binary there is base64url here. */

import type { SignedIn } from "../api/door.ts";
import { type Answer, json, send } from "../api/request.ts";

/** Whether this browser has passkeys for this address: it must have a name, and be safe from listeners. */
export function canUsePasskeys(): boolean {
  return "PublicKeyCredential" in window && isSecureContext && !/^[\d.]+$|^\[/.test(location.hostname);
}

/**
 * Waits for a passkey that the reader picks among what the browser offers in the field of the user name, without being asked
 * for one. Ends with nothing when `signal` says so, or where the browser cannot do that.
 */
export async function signInByOfferedPasskey(signal: AbortSignal): Promise<Answer<SignedIn> | undefined> {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return undefined;
  const asked = await post<Options>("/auth/passkey/begin", {});
  if (!asked.ok || signal.aborted) return undefined;
  const publicKey = requestOf(asked.value);
  const credential = await proved(() => navigator.credentials.get({ publicKey, mediation: "conditional", signal }));
  return credential && !signal.aborted ? await post("/auth/passkey/finish", assertionOf(credential)) : undefined;
}

/** Lets somebody in for the first time with a passkey that is made now: by the code of a first start, or by an invitation. */
export async function comeInWithPasskey(kind: "setup" | "invitation", wanted: Wanted, label: string): Promise<Answer<SignedIn>> {
  const asked = await post<Options>(`/auth/${kind}/passkey`, wanted);
  if (!asked.ok) return asked;
  const response = await makePasskey(asked.value);
  return response ? await post(`/auth/${kind}`, { ...wanted, passkey: { label, response } }) : NOT_MADE;
}

/** What is asked for besides the passkey. */
type Wanted = { code: string; user_name?: string; name?: string };

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

const NOT_MADE: Answer<never> = { ok: false, problem: { code: "passkey_not_made", message: "no passkey was made", status: 401 } };

const NOT_PROVED: Answer<never> = { ok: false, problem: { code: "passkey_refused", message: "no passkey was used", status: 401 } };
