// A change that goes as a JSON Patch, to a server that takes nothing else for the type. What it changes is tested against what was read, so a
// concurrent edit makes the server refuse the whole; servers say so in different ways, so what is there now tells whether that was the reason.

import {
  type Classified,
  classify,
  type Fault,
  type FhirReply,
  type RequestFacts,
} from '../../connections/connections.ts';
import { reason } from '../../errors.ts';
import { canonicalJson } from '../../fhir/fhir.ts';
import type { JsonObject } from '../../json.ts';
import type { LaneConnection } from '../lane-connection.ts';
import type { Write } from '../plan.ts';
import { jsonPatch } from './json-patch.ts';

/** How the requests of one send are told apart and bounded: the send id stands with the intents. */
export interface Sending {
  readonly requestId: string;
  readonly sendBefore: number;
}

/** What earlier answers of this run say of a change. */
export type Learned = Pick<RequestFacts, 'tagIsFresh' | 'isThere'>;

export type Rewrite = Exclude<Write, { kind: 'create' }>;

export async function sendPatch(
  connection: LaneConnection,
  write: Rewrite,
  sending: Sending,
  learned: Learned,
): Promise<{ readonly reply: FhirReply | Fault; readonly result: Classified }> {
  const { resource, link, versionTag } = write;
  const { resourceType, observed } = resource;
  if (observed === undefined) throw new Error('A change was planned for a resource that was not read.');
  const path = `${resourceType}/${link.remoteId}`;
  const target = { resourceType, id: link.remoteId };
  const reply = await connection.client.send({
    method: 'PATCH',
    path,
    body: jsonPatch(observed.body, wantedBody(write, observed.body), { isTagged: versionTag !== undefined }),
    ...(versionTag !== undefined && { ifMatch: versionTag }),
    ...sending,
  });
  const result = classify(connection.vendor, { method: 'PATCH', kind: 'update', target, ...learned }, reply);
  if (result.class !== 'permanent' || !failedTests.includes(reply.status ?? 0)) return { reply, result };
  const now = await connection.client.send({ method: 'GET', path, ...sending });
  const look = classify(connection.vendor, { method: 'GET', kind: 'read', target }, now);
  const isUnchanged =
    now.fault === undefined && now.body !== undefined && canonicalJson(now.body) === canonicalJson(observed.body);
  if (look.class === 'ok' && isUnchanged) return { reply, result };
  const why = reason('server-conflict', { status: reply.status ?? '', issue: '' });
  return { reply, result: { class: 'conflict', reason: why } };
}

/** How servers answer a test that fails (RFC 5789 section 2.2 leaves it to them); 409 and 412 are conflicts anyway. */
const failedTests = [400, 422];

/** A document is written whole; what the server has put beside our elements is not ours to remove. */
function wantedBody(write: Rewrite, observed: JsonObject): JsonObject {
  return write.edition === undefined ? write.body : { ...observed, ...write.body };
}
