// The home store as the lanes meet it: a FHIR server that answers within this process and lacks nothing that a lane needs. Partners do not come
// through here.

import type { Exchanger } from '../connections/connections.ts';
import { makeFault } from '../connections/connections.ts';
import { operationOutcome } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject, objectsAt, textAt } from '../json.ts';
import type { Store } from '../store/store.ts';
import { type HomeResource, lockResource, storeVersion, tagOf } from './rows.ts';

/** What a referral is made of, with those who ask for it and give it. */
export const heldTypes = [
  'Appointment',
  'Condition',
  'Consent',
  'Goal',
  'HealthcareService',
  'Location',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Procedure',
  'ServiceRequest',
  'Task',
] as const;

export interface HomeParts {
  readonly store: Store;
  readonly identifierSystem: string;
  readonly newId: () => string;
  /** Told of what the lane can only take for a lost connection. */
  readonly onError: (error: unknown) => void;
}

type HttpCall = Parameters<Exchanger['exchange']>[0];
type Answer = { readonly status: number; readonly body: JsonObject; readonly version?: HomeResource };

/** The server that a partner's connection goes to. */
export function homeExchanger(parts: HomeParts, partner: string): Exchanger {
  return {
    async exchange(call) {
      const { host } = call.url;
      if (call.deadline.signal.aborted) return makeFault('aborted', false, 'connection-aborted', { host });
      try {
        return reply(await answer(parts, partner, call));
      } catch (error) {
        // The store is away, or a fault of ours: whether the write was kept is not known.
        parts.onError(error);
        return makeFault('reset', true, 'connection-reset', { host });
      }
    },
    close: () => {},
  };
}

function reply({ status, body, version }: Answer) {
  const headers = {
    'content-type': 'application/fhir+json; charset=utf-8',
    ...(version && { etag: tagOf(version) }),
    ...(version && status === 201 && { location: `${version.resourceType}/${version.id}` }),
  };
  return { status, headers, bytes: Buffer.from(JSON.stringify(body)) };
}

async function answer(parts: HomeParts, partner: string, call: HttpCall): Promise<Answer> {
  const [resourceType = '', id] = call.url.pathname.split('/').slice(3);
  if (resourceType === 'metadata') return { status: 200, body: statement };
  const body: Json | undefined = call.body === undefined ? undefined : JSON.parse(call.body);
  if (call.method === 'GET' && id !== undefined) return read(parts, { partner, resourceType, id });
  if (call.method === 'GET') return search(parts, partner, resourceType, call.url.searchParams);
  if (!isObject(body)) return refused(400, 'structure', 'The body is no resource.');
  if (call.method === 'POST' && id === undefined) return create(parts, partner, resourceType, body);
  if (call.method === 'PUT' && id !== undefined)
    return update(parts, { partner, resourceType, id }, body, call.headers['if-match']);
  return refused(405, 'not-supported', 'This is not offered.');
}

async function read({ store }: HomeParts, key: { partner: string; resourceType: string; id: string }): Promise<Answer> {
  const row = await store.db
    .selectFrom('home_resource')
    .select(['version', 'body'])
    .where('partner', '=', key.partner)
    .where('resource_type', '=', key.resourceType)
    .where('id', '=', key.id)
    .executeTakeFirst();
  if (row === undefined) return refused(404, 'not-found', 'There is no such resource.');
  return { status: 200, body: row.body, version: { ...key, ...row } };
}

/**
 * Finds what a lane made itself by its identifier, and nothing else: whoever is sought by a name or a number of their own is not found, because each
 * client and each organization has a resource of its own here.
 */
async function search(
  { store, identifierSystem }: HomeParts,
  partner: string,
  resourceType: string,
  query: URLSearchParams,
): Promise<Answer> {
  const [system, value] = (query.get('identifier') ?? '').split('|').map((part) => part.replace(/\\(.)/g, '$1'));
  const rows =
    system === identifierSystem && value !== undefined
      ? await store.db
          .selectFrom('home_resource')
          .select('body')
          .where('partner', '=', partner)
          .where('resource_type', '=', resourceType)
          .where('own_value', '=', value)
          .orderBy('at')
          .execute()
      : [];
  const entry = rows.map(({ body }) => ({ resource: body, search: { mode: 'match' } }));
  const found = { resourceType: 'Bundle', type: 'searchset', total: rows.length };
  return { status: 200, body: entry.length === 0 ? found : { ...found, entry } };
}

async function create(
  { store, identifierSystem, newId }: HomeParts,
  partner: string,
  resourceType: string,
  body: JsonObject,
): Promise<Answer> {
  const own = objectsAt(body, 'identifier').find(({ system }) => system === identifierSystem);
  const id = newId();
  const version = await store.tx((trx) =>
    storeVersion(trx, {
      partner,
      resourceType,
      id,
      after: 0,
      writtenBy: 'casebridge',
      ownValue: textAt(own, 'value'),
      body,
    }),
  );
  return { status: 201, body: version.body, version };
}

async function update(
  { store }: HomeParts,
  key: { partner: string; resourceType: string; id: string },
  body: JsonObject,
  ifMatch: string | undefined,
): Promise<Answer> {
  return store.tx(async (trx): Promise<Answer> => {
    const before = await lockResource(trx, key);
    if (before === undefined) return refused(404, 'not-found', 'There is no such resource.');
    if (ifMatch !== undefined && ifMatch !== tagOf(before))
      return refused(412, 'conflict', 'The resource has another version by now.');
    const version = await storeVersion(trx, {
      ...key,
      after: before.version,
      writtenBy: 'casebridge',
      ownValue: undefined,
      body,
    });
    return { status: 200, body: version.body, version };
  });
}

function refused(status: number, code: string, text: string): Answer {
  return { status, body: operationOutcome('error', code, text) };
}

const statement: JsonObject = {
  resourceType: 'CapabilityStatement',
  status: 'active',
  kind: 'instance',
  date: '2026-01-01',
  fhirVersion: '4.0.1',
  format: ['application/fhir+json'],
  rest: [
    {
      mode: 'server',
      resource: heldTypes.map((type) => ({
        type,
        interaction: ['read', 'search-type', 'create', 'update'].map((code) => ({ code })),
        versioning: 'versioned-update',
        searchParam: [{ name: 'identifier', type: 'token' }],
      })),
    },
  ],
};
