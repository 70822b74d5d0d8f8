// What operators see and do over the API: links, what partners were told, a new link, and withdrawing one.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../src/json.ts';
import { type PageSite, startPageSite } from '../support/page-site.ts';
import { eventually } from '../support/rig.ts';
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

describe('a message that could not be sent', () => {
  const failed = async (event: string) => {
    const [first] = await items('partner-links');
    const row = { partner: 'pantry', task_id: String(first?.task), event, state: 'failed', attempts: 9 };
    return site.store.db.insertInto('partner_message').values(row).returning('id').executeTakeFirstOrThrow();
  };
  const stateOf = async (id: number) => (await items('partner-messages')).find((one) => one.id === id)?.state;

  test('is sent again when an operator asks for it, and then it is over', async () => {
    const { id } = await failed('note:again');
    expect(await call('POST', `partner-messages/${id}/retry`)).toMatchObject({
      status: 202,
      body: { state: 'waiting' },
    });
    await eventually(async () => (await stateOf(id)) === 'sent', 'the message');
    expect(await call('POST', `partner-messages/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'partner-message-over' },
    });
  });

  test('is withdrawn, with the name of who did it', async () => {
    const { id } = await failed('note:withdrawn');
    const mails = site.links().length;
    expect(await call('POST', `partner-messages/${id}/withdraw`)).toMatchObject({ status: 200 });
    await site.gateway.api.page?.tell();
    expect([await stateOf(id), site.links().length]).toEqual(['needless', mails]);
    const audited = site.store.db.selectFrom('audit').select('actor').where('action', '=', 'message-withdraw');
    expect(await audited.execute()).toEqual([{ actor: 'operator:ops' }]);
  });
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
  ['a body without fields', 'POST', 'partner-links', {}, 400, 'request-refused'],
  ['a field that is none', 'POST', 'partner-links', { partner: 'pantry', referral: 'x' }, 400, 'request-refused'],
  ['a link that is none', 'POST', 'partner-links/AAAAAAAAAAAA/revoke', undefined, 404, 'partner-link-unknown'],
  ['a message that is none', 'POST', 'partner-messages/999/retry', undefined, 404, 'partner-message-unknown'],
  ['a message of another form', 'POST', 'partner-messages/abc/retry', undefined, 400, 'parameter-invalid'],
  [
    'a message beyond all numbers',
    'POST',
    `partner-messages/${'9'.repeat(20)}/withdraw`,
    undefined,
    400,
    'parameter-invalid',
  ],
  ['a link of another form', 'POST', 'partner-links/x/revoke', undefined, 400, 'parameter-invalid'],
  ['a state that is none', 'GET', 'partner-links?state=open', undefined, 400, 'parameter-invalid'],
])('%s gets a clear error', async (_what, method, path, body, status, code) => {
  expect(await call(method, path, body)).toMatchObject({ status, body: { code } });
});

test('who may only read withdraws and sends nothing, and a source sees none of it', async () => {
  expect((await call('POST', `partner-links/${linkId(link)}/revoke`, undefined, 'reader-token')).status).toBe(403);
  expect((await call('POST', 'partner-links', { partner: 'pantry', task: 'x' }, 'reader-token')).status).toBe(403);
  expect((await call('POST', 'partner-messages/1/retry', undefined, 'reader-token')).status).toBe(403);
  expect((await call('GET', 'partner-links', undefined, 'county-token')).status).toBe(403);
});

test('what is asked of the page is counted by status class, and by no link', async () => {
  const counted = async () => {
    const text = await site.gateway.api.metrics.registry.metrics();
    const lines = text.split('\n').filter((line) => line.startsWith('casebridge_partner_requests_total{'));
    expect(lines.join()).not.toContain(linkId(link));
    const of = (outcome: string) =>
      lines
        .filter((line) => line.includes('/p/{link}') && line.includes(`outcome="${outcome}"`))
        .map((line) => Number(line.split(' ').at(-1)));
    return { shown: of('2xx').reduce((sum, n) => sum + n, 0), refused: of('4xx').reduce((sum, n) => sum + n, 0) };
  };
  const good = await site.link();
  const before = await counted();
  await new Visitor().get(good);
  await new Visitor().get(`${good}x`);
  // A request is counted when its answer has gone out whole.
  await eventually(async () => (await counted()).refused > before.refused, 'the last request to be counted');
  expect(await counted()).toEqual({ shown: before.shown + 1, refused: before.refused + 1 });
});
