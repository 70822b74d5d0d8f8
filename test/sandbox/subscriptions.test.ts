// The `standard` server puts Subscriptions into service and notifies by rest-hook, over real HTTP.

import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../support/rig.ts';
import { aPatient, useSandbox } from './server.ts';

const server = useSandbox();
let listener: Server;
let endpoint: string;
let told: { method?: string; url?: string; authorization?: string; text: string }[] = [];
let answers = 200;

beforeAll(async () => {
  listener = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { method = '', url = '', headers } = request;
    told.push({ method, url, authorization: headers.authorization ?? '', text });
    response.writeHead(answers).end();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`;
});
afterAll(() => {
  listener.close();
});
beforeEach(() => {
  told = [];
  answers = 200;
});

const aSubscription = (changed: object = {}, channel: object = {}) => ({
  resourceType: 'Subscription',
  status: 'requested',
  reason: 'news',
  criteria: 'Patient?',
  channel: { type: 'rest-hook', endpoint, header: ['Authorization: Bearer of-the-hook'], ...channel },
  ...changed,
});
const statusOf = async (id: string) => (await server.fhir('GET', `Subscription/${id}`)).body.status;

test('one that asks for it is put into service, and each write that it is about is told without content', async () => {
  const id = await server.created(aSubscription());
  expect(await statusOf(id)).toBe('active');
  await server.created(aPatient());
  await server.created({ resourceType: 'Organization', active: true, name: 'Nobody asked' });
  await eventually(async () => told.length > 0, 'the notification');
  expect(told).toEqual([{ method: 'POST', url: '/hook', authorization: 'Bearer of-the-hook', text: '' }]);
  const { body } = await server.fhir('GET', `Subscription?url=${encodeURIComponent(endpoint)}`);
  expect(body.total).toBe(1);
});

test('with a payload the resource itself is put at the endpoint; criteria narrow it down', async () => {
  await server.created(aSubscription({ criteria: 'Patient?gender=male' }, { payload: 'application/fhir+json' }));
  await server.created(aPatient());
  const id = await server.created({ ...aPatient(), gender: 'male' });
  await eventually(async () => told.length > 0, 'the notification');
  expect(told).toMatchObject([{ method: 'PUT', url: `/hook/Patient/${id}` }]);
  expect(JSON.parse(told[0]?.text ?? '')).toMatchObject({ resourceType: 'Patient', id, gender: 'male' });
});

test('one whose endpoint refuses a notification is in error, and asks again by being requested again', async () => {
  answers = 500;
  const id = await server.created(aSubscription());
  await server.created(aPatient());
  await eventually(async () => (await statusOf(id)) === 'error', 'the error');
  await server.created(aPatient());
  const { body } = await server.fhir('GET', `Subscription/${id}`);
  await server.fhir('PUT', `Subscription/${id}`, { body: { ...body, status: 'requested' } });
  const after = (await server.fhir('GET', `Subscription/${id}`)).body;
  expect(after).toMatchObject({ status: 'active' });
  expect(after).not.toHaveProperty('error');
  expect(told).toHaveLength(1);
});

test('one that has ended tells nothing any more and is off; another channel than rest-hook is an error', async () => {
  const end = new Date(Date.now() + 60_000).toISOString();
  const id = await server.created(aSubscription({ end }));
  const other = await server.created(aSubscription({}, { type: 'email' }));
  expect(await statusOf(other)).toBe('error');
  await server.control('POST', 'clock', { advance: '2m' });
  await server.created(aPatient());
  expect(await statusOf(id)).toBe('off');
  expect(told).toEqual([]);
});
