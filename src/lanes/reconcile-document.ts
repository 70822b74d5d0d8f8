// Finds a document whose filing has an unknown outcome: no server looks documents up by our identifier, so each document of the patient from
// about that time is read and told by the marker in its last line (lanes.md 12).

import { classify, isOffered, isSearchResult } from '../connections/connections.ts';
import { findMarker } from '../documents/documents.ts';
import { reason } from '../errors.ts';
import { parseReference } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { EditionPlan } from './document.ts';
import type { LaneConnection } from './lane-connection.ts';
import { type Failure, finalSearchFailure, type Refused } from './search-failure.ts';

/** Clocks of two systems, and a server that keeps its own time of filing. */
const windowMs = 24 * 3_600_000;

export type DocumentsFound = JsonObject[] | Unclear;

type Unclear = Failure | Refused;

/** The documents that carry the marker and number of this edition, the oldest first; or why that cannot be told now. */
export async function searchEdition(connection: LaneConnection, edition: EditionPlan): Promise<DocumentsFound> {
  const { asOf, patientId, type } = edition;
  const { documents, queries } = connection.vendor;
  if (!isOffered(documents)) return [];
  const at = Date.parse(asOf);
  const query = queries.documents({
    patientId,
    type: type ?? documents.type.code,
    from: new Date(at - windowMs),
    to: new Date(at + windowMs),
  });
  const result = await connection.client.searchAll('DocumentReference', query);
  if (!isSearchResult(result)) return finalSearchFailure(connection, result);
  if (!result.complete)
    return { kind: 'again', reason: result.reason ?? reason('outcome-unknown'), afterMs: undefined };
  const found: JsonObject[] = [];
  for (const document of result.resources) {
    const holds = await holdsEdition(connection, document, edition);
    if (typeof holds !== 'boolean') return holds;
    if (holds) found.push(document);
  }
  return found.sort((a, b) => (String(a.date) < String(b.date) ? -1 : 1));
}

/** Whether this document carries the edition now. */
export async function holdsEdition(
  connection: LaneConnection,
  document: JsonObject,
  { marker, number }: EditionPlan,
): Promise<boolean | Unclear> {
  const text = await textOf(connection, document);
  if (typeof text !== 'string') return text;
  const printed = findMarker(text);
  return printed?.marker === marker && printed.edition === number;
}

/** The text of every attachment, read from its Binary where it is not inside the document. */
async function textOf(connection: LaneConnection, { content }: JsonObject): Promise<string | Unclear> {
  const texts: string[] = [];
  for (const attachment of attachments(content)) {
    const { data, url } = attachment;
    const binary = typeof url === 'string' ? parseReference(url) : undefined;
    if (typeof data === 'string') texts.push(decoded(data));
    else if (binary?.resourceType === 'Binary') {
      const read = await readBinary(connection, binary.id);
      if (typeof read !== 'string') return read;
      texts.push(read);
    }
  }
  return texts.join('\n');
}

function attachments(content: Json | undefined): JsonObject[] {
  return (Array.isArray(content) ? content : []).flatMap((one) =>
    isObject(one) && isObject(one.attachment) ? [one.attachment] : [],
  );
}

/** A Binary that is not there any more holds no marker. */
async function readBinary(connection: LaneConnection, id: string): Promise<string | Unclear> {
  const reply = await connection.client.send({ method: 'GET', path: `Binary/${id}` });
  const target = { resourceType: 'Binary', id };
  const result = classify(connection.vendor, { method: 'GET', kind: 'read', target }, reply);
  if (result.class === 'gone') return '';
  if (result.class !== 'ok' || reply.fault !== undefined) {
    const why = result.reason ?? reason('outcome-unknown');
    if (result.class === 'denied' || result.class === 'permanent') return { kind: 'parked', reason: why };
    return { kind: result.class === 'config' ? 'config' : 'again', reason: why, afterMs: result.retryAfterMs };
  }
  const data = reply.body?.data;
  return typeof data === 'string' ? decoded(data) : '';
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
