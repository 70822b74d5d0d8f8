// The example of docs/custom-fields.md from end to end: sent through the API, filed at the hospital, changed there, offered back.

import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway.ts';
import { mappingFiles } from '../../src/gateway.ts';
import { buildApp, type Listening, listen } from '../../src/http/http.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { activateMapping, activeVersion } from '../../src/lanes/lanes.ts';
import { aNeed, anIntervention, aReferral } from '../builders.ts';
import { commandLine } from '../commands/program.ts';
import { caseload } from '../support/caseload.ts';
import { freshEmbedded } from '../support/embedded.ts';
import {
  aConfig,
  aConnection,
  idle,
  secondPass,
  startServer,
  startTestGateway,
  type TestServer,
} from '../support/rig.ts';
import { extensionsShown, overlayFiles, overlayFolderOf, sentNeed } from './worked-example.ts';

let hospital: TestServer;
let gateway: Gateway;
let server: Listening;
let overlay: string;

beforeAll(async () => {
  [hospital, overlay] = await Promise.all([startServer(), overlayFolderOf(overlayFiles)]);
  await hospital.settings({ auth: 'none' });
  const operators = new Map([['ops', { name: 'ops', token: 'ops-token', may: ['read', 'decide'] as const }]]);
  const config = aConfig([aConnection(hospital.base)], { overlay, operators });
  gateway = await startTestGateway(await freshEmbedded(), config);
  server = await listen(buildApp(gateway.api), { port: 0, host: '127.0.0.1' });
  const items = caseload();
  await api('POST', '/api/records', items.map(([type, record]) => JSON.stringify({ type, record })).join('\n'));
  await idle(gateway);
}, 60_000);

afterAll(async () => {
  await server?.close(0);
  await gateway?.stop();
  await hospital?.stop();
  if (overlay) await rm(dirname(overlay), { recursive: true });
});

async function api(
  method: string,
  path: string,
  body?: string,
  token = 'county-token',
): Promise<{ status: number; body: JsonObject; text: string }> {
  const type = /^\/api\/(records$|preview)/.test(path) ? 'application/x-ndjson' : 'application/json';
  const headers = { authorization: `Bearer ${token}`, 'content-type': type };
  const answer = await fetch(`${server.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
  const text = await answer.text();
  const isJson =
    /json/.test(answer.headers.get('content-type') ?? '') && !/ndjson/.test(answer.headers.get('content-type') ?? '');
  const parsed: Json = isJson ? JSON.parse(text) : {};
  return { status: answer.status, body: isObject(parsed) ? parsed : {}, text };
}

const put = (type: string, record: JsonObject) =>
  api('PUT', `/api/records/${type}/${String(record.id)}`, JSON.stringify(record));

async function extensionsOf(resourceType: string, value: string): Promise<Json[]> {
  const { extension } = await hospital.own(resourceType, value);
  return Array.isArray(extension) ? extension : [];
}

const riverside = (one: Json): boolean =>
  isObject(one) && String(one.url).startsWith('https://riverside.example.org/fhir/');

describe('a record with fields of the agency', () => {
  test('is filed at the hospital as the page shows', async () => {
    expect(await put('need', sentNeed)).toMatchObject({ status: 202, body: { outcome: 'accepted', version: 1 } });
    await idle(gateway);
    const made = await extensionsOf('Condition', 'county/need/n-move#condition');
    expect(made.filter(riverside)).toEqual(extensionsShown);
    expect(made).toHaveLength(3);
    expect(JSON.stringify(await hospital.all('Condition'))).not.toContain('Fridays');
  });

  test('is another version when only such a field changes, and the same one when nothing does', async () => {
    expect((await put('need', sentNeed)).body.outcome).toBe('unchanged');
    const custom = {
      ...(isObject(sentNeed.custom) ? sentNeed.custom : {}),
      landlordNote: 'Asks for a call on Mondays.',
    };
    const later = { ...sentNeed, updatedAt: '2026-03-02T09:17:00-05:00', custom };
    expect((await put('need', later)).body).toMatchObject({ outcome: 'accepted', version: 2 });
    await idle(gateway);
    expect((await extensionsOf('Condition', 'county/need/n-move#condition')).filter(riverside)).toEqual(
      extensionsShown,
    );
  });

  test('in a list of ours goes with its item', async () => {
    const [first] = [anIntervention()].map(({ deliveries }) => (Array.isArray(deliveries) ? deliveries[0] : undefined));
    const delivery = { ...(isObject(first) ? first : {}), custom: { miles: 12.5 } };
    expect((await put('intervention', { ...anIntervention(), deliveries: [delivery] })).status).toBe(202);
    await idle(gateway);
    expect(
      (await extensionsOf('Procedure', 'county/intervention/intervention-snap#delivery[d1]')).filter(riverside),
    ).toEqual([{ url: 'https://riverside.example.org/fhir/StructureDefinition/miles-driven', valueDecimal: 12.5 }]);
  });

  test('is refused with the place, the rule and the nearest name', async () => {
    const broken = { ...sentNeed, id: 'n-broken', custom: { pets: 21, moveReasn: 'fire' } };
    expect(await put('need', broken)).toMatchObject({
      status: 400,
      body: {
        errors: [
          {
            pointer: '/custom/moveReasn',
            rule: 'unknown-property',
            message: '/custom has no field "moveReasn". The nearest name is "moveReason".',
          },
          { pointer: '/custom/pets', rule: 'range', message: '/custom/pets must be a number from 0 up to 20.' },
        ],
      },
    });
  });

  test('that came late and was kept aside becomes the newest version when an operator says so', async () => {
    const late = { ...sentNeed, updatedAt: '2026-03-01T09:15:00-05:00', custom: { pets: 2, moveReason: 'eviction' } };
    expect((await put('need', late)).body.outcome).toBe('stale');
    const { items } = (await api('GET', '/api/records/stale')).body;
    const [kept] = Array.isArray(items) ? items.filter(isObject) : [];
    const path = `/api/records/need/n-move/stale/${String(kept?.key)}/accept?source=county`;
    expect(await api('POST', path, undefined, 'ops-token')).toMatchObject({
      status: 202,
      body: { outcome: 'accepted' },
    });
    await idle(gateway);
    const made = await extensionsOf('Condition', 'county/need/n-move#condition');
    expect(JSON.stringify(made.filter(riverside))).toContain('"code":"eviction"');
  });

  test('comes in by import, and refused lines are told', async () => {
    const folder = await overlayFolderOf([
      {
        path: 'overlay/needs.ndjson',
        text: [
          { ...sentNeed, id: 'n-import', custom: { pets: 1 } },
          { ...sentNeed, id: 'n-bad', custom: { pets: 'one' } },
        ]
          .map((record) => JSON.stringify({ type: 'need', record }))
          .join('\n'),
      },
      { path: 'overlay/token', text: 'county-token' },
    ]);
    const file = `${folder}/needs.ndjson`;
    const words = ['--source', 'county', '--url', server.url, '--token', `file:${folder}/token`, file];
    expect(await commandLine(['import', ...words])).toEqual({
      code: 1,
      out: '1 accepted, 0 unchanged, 0 stale, 1 refused\n',
      err: `${file}:2: need n-bad: /custom/pets must be a whole number.\n`,
    });
    await rm(dirname(folder), { recursive: true });
  });
});

test('a code that the overlay adds goes out and comes back', async () => {
  await put('referral', { ...aReferral({ id: 'r-pets', requestedService: 'pet-boarding' }) });
  await idle(gateway);
  const { code } = await hospital.own('ServiceRequest', 'county/referral/r-pets#request');
  expect(code).toMatchObject({
    coding: [
      { system: 'http://snomed.info/sct', code: '464161000124109' },
      { system: 'https://agency.example.org/casebridge/CodeSystem/sdoh-intervention', code: 'pet-boarding' },
    ],
  });
});

test('a code that a ConceptMap of the overlay does not know is counted', async () => {
  await put('need', { ...sentNeed, id: 'n-flood', custom: { moveReason: 'flood' } });
  await idle(gateway);
  const { body } = await api('GET', '/api/unmapped');
  expect(body.items).toEqual(
    expect.arrayContaining([expect.objectContaining({ conceptMap: 'move-reason', code: 'flood' })]),
  );
});

test('what the hospital changes in such a field is offered to the source', async () => {
  const condition = await hospital.own('Condition', 'county/need/n-move#condition');
  const extension = (Array.isArray(condition.extension) ? condition.extension : []).map((one) =>
    isObject(one) && one.valueInteger === 2 ? { ...one, valueInteger: 3 } : one,
  );
  const written = await hospital.fhir('PUT', `Condition/${String(condition.id)}`, { ...condition, extension });
  expect(written.status).toBe(200);
  await secondPass(gateway);
  const { items } = (await api('GET', '/api/changes')).body;
  expect(items).toMatchObject([
    { connection: 'general', op: 'patch', type: 'need', id: 'n-move', patch: { custom: { pets: 3 } } },
  ]);
});

describe('what tells of records tells of such fields', () => {
  test('lineage, with the line of the overlay, and the reason for what is not sent', async () => {
    const { body } = await api('POST', '/api/preview', JSON.stringify({ type: 'need', record: sentNeed }));
    const told = JSON.stringify(body.lineage);
    expect(told).toContain('"element":"extension[1].valueInteger","rule":"overlay/need.yaml:');
    expect(told).toContain('"pointers":["/custom/pets"]');
    expect(told).toContain(
      '{"pointer":"/custom/landlordNote","why":"for our own staff alone","rule":"overlay/need.yaml:',
    );
  });

  test('to an operator a preview, which is a look at the stored records that it took words from', async () => {
    const { db } = gateway.api.store;
    await db.deleteFrom('audit').execute();
    const sent = JSON.stringify({ type: 'referral', record: aReferral({ id: 'referral-new' }) });
    const { status, body } = await api('POST', '/api/preview?source=county', sent, 'ops-token');
    expect([status, Object.keys(body)]).toEqual([200, ['bundle', 'issues', 'lineage']]);
    const kept = await db.selectFrom('audit').select(['actor', 'resource_type', 'resource_id']).execute();
    expect(kept).toContainEqual({ actor: 'operator:ops', resource_type: 'client', resource_id: 'county/client-rosa' });
  });

  test('map --loss, with the overlay named in the configuration or on the command line', async () => {
    const folder = dirname(overlay);
    const text = 'identifierSystem: urn:x\noverlay: ./overlay\nsources: { county: { token: file:token } }\n';
    await writeFile(join(folder, 'casebridge.yaml'), text);
    await writeFile(join(folder, 'token'), 'county-token');
    const { out } = await commandLine(['map', '--loss', '--overlay', overlay]);
    expect((await commandLine(['map', '--loss', '--config', join(folder, 'casebridge.yaml')])).out).toBe(out);
    expect(out).toMatch(/both ways +need condition +extension\[pets\] +overlay\/need\.yaml:\d+/);
    expect(out).toMatch(/both ways +intervention delivery +extension\[miles\] +overlay\/intervention\.yaml:\d+/);
  });

  test('the OpenAPI description', async () => {
    const description = JSON.parse((await api('GET', '/openapi.json')).text);
    expect(description.components.schemas.need.properties.custom).toEqual({
      type: 'object',
      properties: {
        pets: { $ref: '#/components/schemas/definitions/$defs/integer', minimum: 0, maximum: 20 },
        moveReason: { $ref: '#/components/schemas/definitions/$defs/code' },
        landlordNote: { $ref: '#/components/schemas/definitions/$defs/text' },
      },
      additionalProperties: false,
    });
    expect(description.components.schemas.goal.properties.custom).toBeUndefined();
  });
});

test('an overlay that does not load leaves the good one active', async () => {
  const { store } = gateway.api;
  const before = await activeVersion(store.db);
  const good = await mappingFiles({ guides: [], overlay });
  const bad = good.map(({ path, text }) => ({ path, text: text.replace('custom.pets', 'custom.pet') }));
  await expect(activateMapping(store, bad)).rejects.toThrow(
    /overlay\/need\.yaml:\d+:\d+: "custom" has no field "pet"\. Did you mean "pets"\?/,
  );
  expect(await activeVersion(store.db)).toBe(before);
  expect((await put('need', { ...aNeed({ id: 'n-after' }), custom: { pets: 4 } })).status).toBe(202);
});
