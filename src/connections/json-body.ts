// The body of an answer as JSON. Strict: what is not whole, valid UTF-8 and JSON is refused, so that nothing half-read is written back.

import type { Json } from '../json.ts';

const jsonTypes = ['application/json', 'application/fhir+json', 'application/json+fhir'];

export type JsonBody = { readonly value: Json | undefined } | { readonly found: string; readonly isBroken?: true };

/** The value (undefined: empty body), or what was found instead: a kind, never content. */
export function readJsonBody(bytes: Uint8Array, contentType: string | undefined): JsonBody {
  if (bytes.length === 0) {
    return { value: undefined };
  }
  const mediaType = contentType?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== undefined && !jsonTypes.includes(mediaType)) {
    return { found: /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(mediaType) ? mediaType : 'an unreadable content type' };
  }
  try {
    const value: Json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return { value };
  } catch {
    // The parser's message quotes the body, which may hold a patient's data.
    return { found: 'JSON that is cut or broken', isBroken: true };
  }
}
