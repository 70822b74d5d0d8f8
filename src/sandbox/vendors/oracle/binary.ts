// Reading an attachment (C29): as its own type or as a FHIR Binary, whichever Accept names; anything else is refused.

import type { JsonObject } from '../../../json.ts';
import { refusal } from '../../engine/outcome.ts';
import { attachmentOf, binaryPrefix, type Oracle } from './show.ts';

export interface Attachment {
  /** Undefined: as JSON. */
  bytes?: Uint8Array;
  contentType: string;
  resource: JsonObject;
}

/** @returns undefined where Accept names another type; @throws Refusal 404 */
export function readBinary(
  { engine, settings }: Oracle,
  id: string,
  accept: string | undefined,
): Attachment | undefined {
  const stored = engine.store.newest('Binary', id)?.resource;
  const document = id.startsWith(binaryPrefix)
    ? engine.store.newest('DocumentReference', id.slice(binaryPrefix.length))?.resource
    : undefined;
  const { contentType, data } = attachmentOf(document) ?? stored ?? {};
  if (typeof contentType !== 'string' || typeof data !== 'string') throw refusal(404, 'not-found', 'Not Found');
  const resource = { resourceType: 'Binary', id, contentType, data };
  const wanted = (accept ?? '*/*').split(',').map((part) => mediaType(part));
  if (wanted.includes(mediaType(contentType))) {
    return { contentType, resource, bytes: Buffer.from(data, 'base64') };
  }
  const isJson = wanted.some((type) => type === 'application/fhir+json' || type === 'application/json+fhir');
  return isJson || !settings.checkBinaryAccept ? { contentType, resource } : undefined;
}

function mediaType(text: string): string {
  return text.split(';')[0]?.trim().toLowerCase() ?? '';
}
