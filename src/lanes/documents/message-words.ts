// What a message says in words; attachments and what it points at say none.

import { type JsonObject, objectsAt, textAt } from '../../json.ts';

/** @param message a Communication, as it is sent or as the server shows it */
export function messageWords(message: JsonObject): string[] {
  return objectsAt(message, 'payload').flatMap((one) => textAt(one, 'contentString') ?? []);
}
