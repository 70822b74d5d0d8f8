// What one entry of a transaction's answer says about its write. An entry that contradicts its request says nothing: the outcome is unknown,
// and what the server holds is looked up (ehr-behaviour 6.3). Pure.

import { readLocation } from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import { worstIssue } from '../../fhir/fhir.ts';
import { isObject, type Json, type JsonObject, textAt } from '../../json.ts';
import type { Write } from '../plan.ts';

export interface EntryReply {
  readonly class: 'ok' | 'unknown-outcome';
  readonly status: number;
  readonly reason: Reason | undefined;
  readonly remoteId: string | undefined;
  readonly versionTag: string | undefined;
  readonly body: JsonObject | undefined;
}

/** One reply per write, in their order. @param baseUrl of the server: a location elsewhere is not believed */
export function readEntries(writes: readonly Write[], entries: readonly Json[], baseUrl: URL): EntryReply[] {
  const replies = writes.map((write, at) => readEntry(write, entries[at], baseUrl));
  const named = writes.map((write, at) => `${write.resource.resourceType}/${replies[at]?.remoteId ?? at}`);
  return replies.map((reply, at) =>
    named.indexOf(named[at] ?? '') === named.lastIndexOf(named[at] ?? '')
      ? reply
      : unclear(reply.status, reason('server-wrong-resource')),
  );
}

function readEntry(write: Write, entry: Json | undefined, baseUrl: URL): EntryReply {
  const response = isObject(entry) && isObject(entry.response) ? entry.response : {};
  const { location: header, etag } = response;
  const status = Number.parseInt(String(response.status), 10);
  if (!(status >= 200 && status < 300)) return unclear(status, reason('outcome-unknown'));
  const read = readLocation(typeof header === 'string' ? header : undefined, baseUrl);
  if (read === 'elsewhere') return unclear(status, reason('server-location-elsewhere'));
  const { resourceType } = write.resource;
  const held = isObject(entry) && isObject(entry.resource) ? entry.resource : undefined;
  if (saysFailed(held) || saysFailed(isObject(response.outcome) ? response.outcome : undefined))
    return unclear(status, reason('outcome-unknown'));
  const body = held?.resourceType === 'OperationOutcome' ? undefined : held;
  const asked = write.kind === 'create' ? undefined : write.link.remoteId;
  const remoteId = asked ?? (typeof read === 'object' ? read.location.id : textAt(body, 'id'));
  if (remoteId === undefined) return unclear(status, reason('create-not-shown'));
  const isLocated =
    typeof read !== 'object' || (read.location.resourceType === resourceType && read.location.id === remoteId);
  const isShown = body === undefined || (body.resourceType === resourceType && body.id === remoteId);
  if (!isLocated || !isShown) return unclear(status, reason('server-wrong-resource'));
  const versionTag = typeof etag === 'string' ? etag : undefined;
  return { class: 'ok', status, reason: undefined, remoteId, versionTag, body };
}

function saysFailed(outcome: JsonObject | undefined): boolean {
  const severity = worstIssue(outcome)?.severity;
  return severity === 'fatal' || severity === 'error';
}

function unclear(status: number, why: Reason): EntryReply {
  return { class: 'unknown-outcome', status, reason: why, remoteId: undefined, versionTag: undefined, body: undefined };
}
