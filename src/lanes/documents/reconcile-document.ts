// Finds a document or message whose filing has an unknown outcome: no server looks them up by our identifier, so each of the patient (of documents
// those from about that time) is read and told by the marker in its last line (lanes.md 12).

import { isOffered, isWholeSearch, readLocation } from '../../connections/connections.ts';
import { findMarker } from '../../documents/documents.ts';
import { reason } from '../../errors.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { LaneConnection } from '../lane-connection.ts';
import { readOne } from '../look/read-one.ts';
import { type Failure, failureOf, finalSearchFailure, type Refused } from '../look/search-failure.ts';
import type { EditionPlan } from './document.ts';
import { messageWords } from './message-words.ts';

/** Clocks of two systems, and a server that keeps its own time of filing. */
const windowMs = 24 * 3_600_000;

export type DocumentsFound = JsonObject[] | Unclear;

type Unclear = Failure | Refused;

/** The documents or messages that carry the marker and number of this edition, the oldest first; or why that cannot be told now. */
export async function searchEdition(
  connection: LaneConnection,
  resourceType: string,
  edition: EditionPlan,
): Promise<DocumentsFound> {
  const query = queryFor(connection, resourceType, edition);
  if (query === undefined) return [];
  const result = await connection.client.searchAll(resourceType, query);
  if (!isWholeSearch(result)) return finalSearchFailure(connection, result);
  const found: JsonObject[] = [];
  let unreadable: Refused | undefined;
  for (const document of result.resources) {
    const holds = await holdsEdition(connection, document, edition);
    if (holds === true) found.push(document);
    else if (holds !== false && holds.kind !== 'parked') return holds;
    else if (holds !== false) unreadable ??= holds;
  }
  // Where one is ours for certain, nothing is filed again, whatever the others are.
  if (found.length === 0 && unreadable !== undefined) return unreadable;
  return found.sort((a, b) => (madeAt(a) < madeAt(b) ? -1 : 1));
}

function madeAt({ date, sent }: JsonObject): string {
  return String(date ?? sent);
}

/** Messages about a patient are few; of documents those from about the time are read. Undefined: the server has none of the kind. */
function queryFor({ vendor }: LaneConnection, resourceType: string, { asOf, patientId, type }: EditionPlan) {
  const { documents, messages, queries } = vendor;
  if (resourceType === 'Communication') return isOffered(messages) ? messages.search(patientId) : undefined;
  if (!isOffered(documents)) return undefined;
  const at = Date.parse(asOf);
  return queries.documents({
    patientId,
    type: type ?? documents.type.code,
    from: new Date(at - windowMs),
    to: new Date(at + windowMs),
  });
}

/** Whether this document carries the edition now. */
export async function holdsEdition(
  connection: LaneConnection,
  document: JsonObject,
  { marker, number }: EditionPlan,
): Promise<boolean | Unclear> {
  const texts = messageWords(document);
  let unreadable: Refused | undefined;
  for (const attachment of attachments(document.content)) {
    const text = await textOf(connection, attachment);
    if (typeof text === 'string') texts.push(text);
    else if (text.kind !== 'parked') return text;
    else unreadable ??= text;
  }
  const printed = findMarker(texts.join('\n'));
  if (printed !== undefined) return printed.marker === marker && printed.edition === number;
  return unreadable ?? false;
}

/** Inside the document, or read from its Binary. */
async function textOf(connection: LaneConnection, { data, url }: JsonObject): Promise<string | Unclear> {
  if (typeof data === 'string') return decoded(data);
  const read = readLocation(typeof url === 'string' ? url : undefined, new URL(connection.config.baseUrl));
  if (typeof read === 'object' && read.location.resourceType === 'Binary')
    return readBinary(connection, read.location.id);
  return cannotRead(url === undefined ? 'it is not shown' : 'it is not on this server');
}

function cannotRead(problem: string): Refused {
  return { kind: 'parked', reason: reason('document-unreadable', { problem }) };
}

function attachments(content: Json | undefined): JsonObject[] {
  return (Array.isArray(content) ? content : []).flatMap((one) =>
    isObject(one) && isObject(one.attachment) ? [one.attachment] : [],
  );
}

async function readBinary(connection: LaneConnection, id: string): Promise<string | Unclear> {
  const { body, failed } = await readOne(connection, { resourceType: 'Binary', id });
  if (failed?.class === 'gone') return cannotRead('it is gone');
  if (failed?.class === 'denied' || failed?.class === 'permanent') return { kind: 'parked', reason: failed.reason };
  if (failed !== undefined) return failureOf(failed);
  const { data } = body;
  return typeof data === 'string' ? decoded(data) : cannotRead('its Binary is empty');
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
