// Reads one resource by its id, and says what the answer means.

import { classify, type Failed, type Fault, type FhirReply, type FhirRequest } from '../../connections/connections.ts';
import { reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Named } from '../inbound/about.ts';
import type { LaneConnection } from '../lane-connection.ts';

export type OneRead =
  | { readonly reply: FhirReply; readonly body: JsonObject; readonly failed?: undefined }
  | { readonly reply: FhirReply | Fault; readonly body?: undefined; readonly failed: Failed };

export async function readOne(
  { client, vendor }: Pick<LaneConnection, 'client' | 'vendor'>,
  { resourceType, id }: Named,
  more?: Pick<FhirRequest, 'isPoll' | 'requestId' | 'sendBefore'>,
): Promise<OneRead> {
  const facts = { method: 'GET', kind: 'read', target: { resourceType, id } } as const;
  const reply = await client.send({ method: 'GET', path: `${resourceType}/${id}`, ...more });
  if (reply.fault !== undefined) return { reply, failed: classify(vendor, facts, reply) };
  const result = classify(vendor, facts, reply);
  if (result.class !== 'ok') return { reply, failed: result };
  const { body } = reply;
  return body === undefined
    ? { reply, failed: { class: 'retry-backoff', reason: reason('outcome-unknown') } }
    : { reply, body };
}
