// The CapabilityStatement is true: what it declares works, and what works is declared.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { partnerScopes } from '../../src/config.ts';
import type { Gateway } from '../../src/gateway.ts';
import { buildApp, type Listening, listen } from '../../src/http/http.ts';
import { isObject, type JsonObject, objectAt, objectsAt, textAt } from '../../src/json.ts';
import { aConsent, aReferral, aService } from '../builders.ts';
import { caseload } from '../support/caseload.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { PartnerClient, partnerKey, publicUrl } from '../support/partner-client.ts';
import { pantry, withPartners } from '../support/partners.ts';
import { accept, idle, startTestGateway } from '../support/rig.ts';

let gateway: Gateway;
let listening: Listening;
let client: PartnerClient;
let declared: readonly JsonObject[];
/** One resource of each type. */
let known: ReadonlyMap<string, JsonObject>;

beforeAll(async () => {
  const { key, published } = await partnerKey();
  const partner = { ...pantry, client: { id: 'pantry-app', keys: { keys: [published] }, scopes: partnerScopes } };
  const server = { port: 0, host: '127.0.0.1', publicUrl };
  gateway = await startTestGateway(await freshEmbedded(), withPartners([], [partner], { server }));
  listening = await listen(buildApp(gateway.api), server);
  client = new PartnerClient(listening.url, 'pantry-app', key);
  const statement = await client.fhir('GET', 'metadata');
  declared = objectsAt(objectsAt(statement.body, 'rest')[0], 'resource');
  await accept(
    gateway,
    ...caseload().filter(([type]) => type !== 'referral' && type !== 'service'),
    ['service', aService({ locations: [{ id: 'l1', name: 'Elm Street' }] })],
    ['consent', aConsent()],
    ['referral', aReferral({ consentId: 'consent-rosa' })],
    ['referral', aReferral({ id: 'referral-second', consentId: 'consent-rosa' })],
    ['referral', aReferral({ id: 'referral-third', consentId: 'consent-rosa' })],
  );
  await idle(gateway);
  await client.signIn();
  const [request] = await client.search('ServiceRequest');
  await client.fhir('POST', 'Procedure', {
    resourceType: 'Procedure',
    identifier: [{ system: 'urn:pantry', value: 'p-1' }],
    status: 'completed',
    basedOn: [{ reference: `ServiceRequest/${request?.id}` }],
    subject: objectAt(request, 'subject') ?? {},
    performedDateTime: '2026-02-06',
  });
  const found = new Map<string, JsonObject>();
  for (const type of declared.map((one) => String(one.type))) {
    const [first] = await client.search(type);
    if (first !== undefined) found.set(type, first);
  }
  known = found;
}, 60_000);

afterAll(async () => {
  await listening.close(100);
  await gateway.stop();
});

const interactionsOf = (type: string) =>
  objectsAt(
    declared.find((one) => one.type === type),
    'interaction',
  ).map(({ code }) => code);

describe('of each type', () => {
  test('what is declared works, and nothing else does', async () => {
    expect([...known.keys()].sort()).toEqual(declared.map(({ type }) => String(type)).sort());
    const works: Record<string, string[]> = {};
    for (const [type, resource] of known) {
      const path = `${type}/${resource.id}`;
      const tag = { 'if-match': `W/"${textAt(objectAt(resource, 'meta'), 'versionId')}"` };
      const tries: [string, string, string, JsonObject?, Record<string, string>?][] = [
        ['read', 'GET', path],
        ['vread', 'GET', `${path}/_history/1`],
        ['history-instance', 'GET', `${path}/_history`],
        ['search-type', 'GET', type],
        ['update', 'PUT', path, resource, tag],
        ['patch', 'PATCH', path, resource, tag],
        ['delete', 'DELETE', path],
        ['create', 'POST', type, withoutId(resource)],
        ['conditional', 'POST', type, withoutId(resource), { 'if-none-exist': 'identifier=urn:x%7Cx' }],
        ['search-post', 'POST', `${type}/_search`, resource],
      ];
      works[type] = [];
      for (const [name, method, address, body, headers] of tries) {
        const { status, body: answer, headers: told } = await client.fhir(method, address, body, headers);
        if (status < 300) works[type].push(name);
        else {
          const offered = allowed(interactionsOf(type), address.split('/').length);
          expect([name, status, answer.resourceType, told.get('allow')]).toEqual([
            name,
            405,
            'OperationOutcome',
            offered,
          ]);
        }
      }
    }
    const isConditional = (type: string) => declared.find((one) => one.type === type)?.conditionalCreate === true;
    const offered = (type: string) => [...interactionsOf(type), ...(isConditional(type) ? ['conditional'] : [])];
    expect(works).toEqual(Object.fromEntries([...known.keys()].map((type) => [type, sorted(offered(type))])));
  });

  test('each declared parameter finds what it should and nothing else', async () => {
    for (const resource of declared) {
      const type = String(resource.type);
      const one = known.get(type) ?? {};
      for (const { name } of objectsAt(resource, 'searchParam')) {
        const value = valueFor(String(name), one);
        const found = await client.search(`${type}?${name}=${encodeURIComponent(value)}`);
        expect([type, name, found.map(({ id }) => id)]).toEqual([type, name, expect.arrayContaining([one.id])]);
        const other = others[String(name)] ?? 'Type/none';
        expect([type, name, await client.search(`${type}?${name}=${other}`)]).toEqual([type, name, []]);
        if (!coded.includes(String(name))) continue;
        for (const [asked, wrong] of [
          [name, 'bogus'],
          [`${name}:not`, `${other},urn:x|bogus`],
        ]) {
          const { status, body } = await client.fhir('GET', `${type}?${asked}=${wrong}`);
          expect([type, status, body.resourceType]).toEqual([type, 400, 'OperationOutcome']);
          expect(JSON.stringify(body)).toMatch(new RegExp(`${name}.*${other}.*bogus`));
        }
      }
      const unknown = await client.fhir('GET', `${type}?_text=x`);
      expect([unknown.status, unknown.body.resourceType]).toEqual([400, 'OperationOutcome']);
    }
  });
});

test('nothing else has an address', async () => {
  for (const path of ['', 'Task/', 'Task/1/2', 'Patient/1/$everything']) {
    const { status, headers } = await client.fhir('GET', path);
    expect([path, status, headers.get('allow')]).toEqual([path, 405, '']);
  }
  for (const path of ['Observation', 'Observation/1', '$export', 'Person', 'constructor', '__proto__/1', 'toString'])
    expect([path, (await client.fhir('GET', path)).status]).toEqual([path, 404]);
  expect((await client.fhir('POST', '', { resourceType: 'Bundle', type: 'transaction' })).status).toBe(405);
});

test('the statement needs no token and says which server it is of', async () => {
  const response = await fetch(`${listening.url}/fhir/R4/metadata`);
  expect(response.headers.get('content-type')).toMatch(/^application\/fhir\+json/);
  expect(await response.json()).toMatchObject({
    fhirVersion: '4.0.1',
    implementation: { url: `${publicUrl}/fhir/R4` },
  });
});

// SMART App Launch 2.2 conformance.html: whatever Accept says.
test('so does how a token is got, which is JSON and no FHIR', async () => {
  for (const accept of ['application/fhir+json', 'text/html']) {
    const response = await fetch(`${listening.url}/fhir/R4/.well-known/smart-configuration`, { headers: { accept } });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^application\/json/),
    ]);
    expect(await response.json()).toMatchObject({ token_endpoint: `${publicUrl}/oauth/token` });
  }
});

test('HEAD is answered as GET is, without the body', async () => {
  for (const path of ['metadata', '.well-known/smart-configuration']) {
    const [head, get] = await Promise.all(
      ['HEAD', 'GET'].map((method) => fetch(`${listening.url}/fhir/R4/${path}`, { method })),
    );
    expect([head?.status, head?.headers.get('content-length')]).toEqual([200, get?.headers.get('content-length')]);
    expect(await head?.text()).toBe('');
  }
  const path = `Task/${known.get('Task')?.id}`;
  const [head, get] = [
    await client.fhir('HEAD', path, undefined, { prefer: 'return=minimal' }),
    await client.fhir('GET', path),
  ];
  expect([head.status, head.body]).toEqual([200, {}]);
  for (const name of ['etag', 'content-length', 'last-modified'])
    expect(head.headers.get(name)).toBe(get.headers.get(name));
  expect((await client.fhir('HEAD', 'Task')).status).toBe(200);
  expect((await client.fhir('HEAD', 'Task/none')).status).toBe(404);
  expect((await fetch(`${listening.url}/fhir/R4/${path}`, { method: 'HEAD' })).status).toBe(401);
});

describe('a search', () => {
  test('is paged to its end, and what changes meanwhile is met again', async () => {
    const seen: string[] = [];
    let path: string | undefined = 'Task?_count=1';
    for (let pages = 0; path !== undefined && pages < 10; pages += 1) {
      const { body }: { body: JsonObject } = await client.fhir('GET', path);
      const [entry] = objectsAt(body, 'entry');
      const task = objectAt(entry, 'resource');
      seen.push(String(task?.id));
      expect(body.total).toBe(pages === 0 ? 3 : undefined);
      if (pages === 0)
        await client.change(`Task/${task?.id}`, (one) => ({ ...one, note: [{ text: 'Changed meanwhile.' }] }));
      const next = objectsAt(body, 'link').find(({ relation }) => relation === 'next');
      path = textAt(next, 'url')?.slice(`${publicUrl}/fhir/R4/`.length);
    }
    expect(new Set(seen).size).toBe(3);
    expect(seen).toHaveLength(4);
    expect(seen.at(-1)).toBe(seen[0]);
  });

  test('can go newest first, and from a time on', async () => {
    const newest = await client.search('Task?_sort=-_lastUpdated');
    const oldest = await client.search('Task?_sort=_lastUpdated');
    expect(newest.map(({ id }) => id)).toEqual(oldest.map(({ id }) => id).reverse());
    const at = textAt(objectAt(newest[0], 'meta'), 'lastUpdated');
    expect((await client.search(`Task?_lastUpdated=ge${at}`)).map(({ id }) => id)).toEqual([newest[0]?.id]);
    expect(await client.search(`Task?_lastUpdated=gt${at}`)).toEqual([]);
    expect(await client.search(`Task?owner:missing=true`)).toEqual([]);
    expect(await client.search('Task?status:not=requested')).toEqual([]);
  });

  test('refuses what it does not know, or leaves it out where the client says so', async () => {
    for (const query of ['status:above=x', '_count=many', '_sort=status', '_page=x', 'status=', '_lastUpdated=soon'])
      expect([query, (await client.fhir('GET', `Task?${query}`)).status]).toEqual([query, 400]);
    const lenient = await client.fhir('GET', 'Task?_tag=x&status=requested', undefined, { prefer: 'handling=lenient' });
    expect(lenient.status).toBe(200);
    const [self] = objectsAt(lenient.body, 'link');
    expect(textAt(self, 'url')).toBe(`${publicUrl}/fhir/R4/Task?status=requested`);
    expect((await client.fhir('GET', 'Task', undefined, { accept: 'application/fhir+xml' })).status).toBe(406);
    expect((await client.fhir('GET', 'Task?_format=xml')).status).toBe(406);
    expect((await client.fhir('GET', 'Task?_format=json', undefined, { accept: '*/*' })).status).toBe(200);
  });
});

function withoutId({ id: _id, meta: _meta, ...resource }: JsonObject): JsonObject {
  return resource;
}

function sorted(codes: readonly unknown[]): unknown[] {
  const order = ['read', 'search-type', 'update', 'create', 'conditional'];
  return order.filter((code) => codes.includes(code));
}

/** The methods of an address of so many parts, as Allow names them. */
function allowed(interactions: readonly unknown[], parts: number): string {
  const methods = [
    ['GET, HEAD', parts === 1 ? 'search-type' : 'read'],
    ['POST', parts === 1 ? 'create' : ''],
    ['PUT', parts === 2 ? 'update' : ''],
  ] as const;
  if (parts > 2) return '';
  return methods.flatMap(([method, code]) => (interactions.includes(code) ? [method] : [])).join(', ');
}

/** Parameters whose values are codes of a required binding. */
const coded = ['status', 'lifecycle-status', 'intent'];

/** What a parameter takes and no resource here has. */
const others: Readonly<Record<string, string>> = {
  _lastUpdated: 'lt2001-01-01',
  status: 'entered-in-error',
  'lifecycle-status': 'entered-in-error',
  intent: 'option',
};

const elements: Readonly<Record<string, readonly string[]>> = {
  patient: ['for', 'subject', 'patient'],
  'based-on': ['basedOn'],
  'lifecycle-status': ['lifecycleStatus'],
};

/** What a client would ask for to find this resource by the parameter. */
function valueFor(name: string, resource: JsonObject): string {
  if (name === '_id') return String(resource.id);
  if (name === '_lastUpdated') return `ge${textAt(objectAt(resource, 'meta'), 'lastUpdated')}`;
  const value = (elements[name] ?? [name]).map((element) => resource[element]).find((one) => one !== undefined);
  const first = Array.isArray(value) ? value[0] : value;
  if (!isObject(first)) return String(first);
  const coding = objectsAt(first, 'coding')[0];
  if (coding !== undefined) return `${coding.system}|${coding.code}`;
  return textAt(first, 'reference') ?? `${first.system}|${first.value}`;
}
