// Nothing that we say about a failure holds a token, a query or a body: texts go to logs, alerts and pages.

import { afterEach, expect, test } from '@jest/globals';
import { classify, vendors } from '../../src/connections/connections.ts';
import type { Answer } from './fhir-server.ts';
import { connectTo, startServer, stopAll } from './fhir-server.ts';

afterEach(stopAll);

const canaries = ['zqtoken', 'zqquery', 'zqbody', 'zqpatient', 'zqlocation', 'zqheader'];

test.each<[string, Answer]>([
  ['a page', { headers: { 'content-type': 'text/html' }, body: '<p>zqbody</p>' }],
  ['an odd content type', { headers: { 'content-type': 'zqheader' }, body: 'zqbody' }],
  ['cut JSON', { headers: { 'content-type': 'application/json' }, body: '{"a":"zqbody' }],
  ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/zqlocation?name=zqquery' } }],
  [
    'a refusal',
    {
      status: 422,
      body: {
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'error', code: 'zqbody 1', diagnostics: 'zqbody', expression: ['zqbody'] }],
      },
    },
  ],
  ['a bad gateway', { status: 502, body: 'zqbody' }],
  ['a Location elsewhere', { status: 201, headers: { location: 'https://elsewhere.example/Patient/zqlocation' } }],
  ['a reply too large', { body: { text: 'zqbody'.repeat(1000) } }],
  [
    'a next page elsewhere',
    {
      body: {
        resourceType: 'Bundle',
        link: [{ relation: 'next', url: 'https://elsewhere.example/zqlocation?zqquery' }],
      },
    },
  ],
])('%s', async (_name, answer) => {
  const server = await startServer(() => answer);
  const seen: unknown[] = [];
  const { client } = connectTo(
    server,
    { auth: { type: 'bearer', token: 'zqtoken' } },
    { limits: { replyBytes: 1000 }, onRequest: (request) => seen.push(request) },
  );
  const body = { resourceType: 'Patient', id: 'zqpatient' };
  const write = await client.send({ method: 'PUT', path: 'Patient/zqpatient', body, ifMatch: 'zqheader' });
  const read = await client.searchAll('Patient', { name: 'zqquery' });
  const said = [
    seen,
    write.fault && write,
    read.fault && read,
    classify(vendors.standard, { method: 'PUT', kind: 'update' }, write),
    'resources' in read ? undefined : classify(vendors.standard, { method: 'GET', kind: 'search' }, read),
  ];
  const text = JSON.stringify(said);
  expect(text.length).toBeGreaterThan(50);
  for (const canary of canaries) {
    expect(text).not.toContain(canary);
  }
});
