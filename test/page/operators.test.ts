// What operators see and do over the API: links, what partners were told, a new link, and withdrawing one.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../src/json.ts';
import { type PageSite, startPageSite } from '../support/page-site.ts';
import { linkId, Visitor } from '../support/visitor.ts';

let site: PageSite;
let link: string;
beforeAll(async () => {
  site = await startPageSite({
    config: {
      operators: new Map([
        ['ops', { name: 'ops', token: 'ops-token', may: ['read', 'run'] }],
        ['reader', { name: 'reader', token: 'reader-token', may: ['read'] }],
      ]),
    },
  });
  link = await site.linkTo('referral-pantry');
}, 60_000);
afterAll(() => site?.stop());

async function call(method: string, path: string, body?: object, token = 'ops-token') {
  const response = await fetch(`${site.url}/api/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  return { status: response.status, body: isRecord(answer) ? answer : {} };
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function items(path: string): Promise<JsonObject[]> {
  const { body } = await call('GET', path);
  return Array.isArray(body.items) ? body.items.filter(isObject) : [];
}

test('links and messages are listed without anything that opens them', async () => {
  const [only] = await items('partner-links');
  expect(only).toMatchObject({ id: linkId(link), partner: 'pantry', state: 'good', usedAt: null, revokedAt: null });
  expect(await items('partner-messages?state=sent')).toMatchObject([{ event: 'new', task: only?.task, attempts: 1 }]);
  expect(await items('partner-messages?state=failed')).toEqual([]);
  const told = JSON.stringify([await items('partner-links'), await items('partner-messages')]);
  expect(told).not.toContain(link.split('/p/')[1]?.slice(12, 44));
});

test('a new link is sent, and pages of the list follow each other', async () => {
  const [first] = await items('partner-links');
  const answer = await call('POST', 'partner-links', { partner: 'pantry', task: first?.task });
  expect(answer).toMatchObject({ status: 202, body: { partner: 'pantry', state: 'waiting' } });
  await site.link(2);
  const one = await call('GET', 'partner-links?limit=1');
  const next = await call('GET', `partner-links?limit=1&after=${String(one.body.next)}`);
  expect([one.body.items, next.body.items, next.body.next]).toMatchObject([[{}], [{ id: linkId(link) }], null]);
});

test('a withdrawn link opens nothing, and says by whom it was withdrawn', async () => {
  const visitor = new Visitor();
  await visitor.isIn(site, link);
  expect(await call('POST', `partner-links/${linkId(link)}/revoke`)).toMatchObject({ status: 200 });
  expect((await visitor.get(link)).status).toBe(410);
  expect(await items('partner-links?state=revoked')).toMatchObject([{ id: linkId(link), revokedBy: 'ops' }]);
});

test.each([
  ['a partner that is none', 'POST', 'partner-links', { partner: 'nobody', task: 'x' }, 404, 'partner-unknown'],
  ['a Task that is not theirs', 'POST', 'partner-links', { partner: 'pantry', task: 'x' }, 404, 'resource-not-theirs'],
  ['a body without fields', 'POST', 'partner-links', {}, 404, 'partner-unknown'],
  ['a field that is none', 'POST', 'partner-links', { partner: 'pantry', referral: 'x' }, 400, 'request-refused'],
  ['a link that is none', 'POST', 'partner-links/AAAAAAAAAAAA/revoke', undefined, 404, 'partner-link-unknown'],
  ['a link of another form', 'POST', 'partner-links/x/revoke', undefined, 400, 'parameter-invalid'],
  ['a state that is none', 'GET', 'partner-links?state=open', undefined, 400, 'parameter-invalid'],
])('%s gets a clear error', async (_what, method, path, body, status, code) => {
  expect(await call(method, path, body)).toMatchObject({ status, body: { code } });
});

test('who may only read withdraws and sends nothing, and a source sees none of it', async () => {
  expect((await call('POST', `partner-links/${linkId(link)}/revoke`, undefined, 'reader-token')).status).toBe(403);
  expect((await call('POST', 'partner-links', { partner: 'pantry', task: 'x' }, 'reader-token')).status).toBe(403);
  expect((await call('GET', 'partner-links', undefined, 'county-token')).status).toBe(403);
});
