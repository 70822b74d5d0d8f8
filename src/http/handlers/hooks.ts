// The hooks by which servers say that something is new. Who knows the key is let in; who does not is told nothing, not even whether the connection is
// there.

import { createHash, timingSafeEqual } from 'node:crypto';
import { CasebridgeError } from '../../errors.ts';
import { readBody } from '../body.ts';
import { hasBody } from '../problem.ts';
import type { Call, Route } from '../route.ts';

const path = '/hooks/{connection}/{key}';

// Servers ask for FHIR in answer to a notification, in XML too, and take whatever they get.
const shared = { access: 'anyone', checksBody: true, accepts: 'anything' } as const;

export const hookRoutes: readonly Route[] = [
  {
    ...shared,
    method: 'POST',
    path,
    summary:
      'Notification of a Subscription (R4 rest-hook, or to a topic), or an HL7 v2 ADT message: wakes the polls that it concerns. An ADT message is answered by an acknowledgement.',
    answers: ['application/json', 'application/hl7-v2', 'x-application/hl7-v2+er7', 'text/plain'],
    handle: notify,
  },
  {
    ...shared,
    method: 'PUT',
    path: `${path}/{resource}/{resourceId}`,
    summary: 'Notification of a server that puts the resource itself there. Its content is not kept.',
    handle: notify,
  },
  {
    ...shared,
    method: 'POST',
    path: `${path}/{subscribed}`,
    summary: 'Notification of a Subscription that Casebridge has made, which is about this type.',
    handle: notify,
  },
  {
    ...shared,
    method: 'PUT',
    path: `${path}/{subscribed}/{resource}/{resourceId}`,
    summary:
      'Notification of a Subscription that Casebridge has made, with the resource itself. Its content is not kept.',
    handle: notify,
  },
];

/** A notification is short; a resource that comes with it may be a document. */
const mostBytes = 1_000_000;

async function notify(call: Call): Promise<undefined> {
  const { gateway, request, response, limits, path: parts } = call;
  const { connection: id = '', key = '', resource, subscribed } = parts;
  const connection = gateway.config.connections.get(id);
  const hook = connection?.mode === 'off' ? undefined : connection?.hook;
  const bearer = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
  const isKey = isSame(key, hook?.key ?? '');
  const isBearer = hook?.bearer === undefined || isSame(bearer, hook.bearer);
  if (hook === undefined || connection === undefined || !isKey || !isBearer)
    throw new CasebridgeError('address-unknown');
  const body = hasBody(request.headers)
    ? await readBody(request, { ...limits, bodyBytes: Math.min(limits.bodyBytes, mostBytes) })
    : new Uint8Array();
  const answer = await gateway.notify(id, {
    body,
    ...(resource !== undefined && { resourceType: resource }),
    ...(subscribed !== undefined && { subscribed }),
  });
  response.status(answer.status).type(answer.type).send(answer.text);
}

/** Takes as long whether they differ early, late or not at all. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
