// Bad JSON and NDJSON, by number: each is answered as the list of bad inputs says, sent alone and as a line of a stream. A refusal names
// place, rule and the kind that was found, never the value, and changes nothing. Numbers 1 to 20 are in test/http/bad-requests.test.ts.

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import { sql } from '../../src/store/store.ts';
import { aCarePlan, aCase, aConsent, aNeed, aReferral } from '../builders.ts';
import { type Caller, type Harness, json, lines, startHarness } from '../http/harness.ts';
import { stateOf } from '../support/store-state.ts';

let harness: Harness;
/** The referral of the builders, stored before each test: what is refused must leave it as it is. */
const stored = aReferral();

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());
beforeEach(async () => {
  await sql`truncate record, record_version, stale_record, lane`.execute(harness.store.db);
  expect((await put('referral', JSON.stringify(stored))).status).toBe(202);
});

type Sender = Extract<Caller, 'county' | 'town'>;
type Text = string | Buffer;

const id: Readonly<Record<string, string>> = {
  referral: 'referral-pantry',
  case: 'case-rosa',
  carePlan: 'plan-rosa',
  need: 'need-food',
  consent: 'consent-rosa',
};

function put(type: string, body: Text, sender: Sender = 'county') {
  const headers = { 'content-type': 'application/json' };
  return harness.send(sender, 'PUT', `/api/records/${type}/${id[type]}`, {
    body: new Uint8Array(Buffer.from(body)),
    headers,
  });
}

async function post(body: Text, sender: Sender = 'county') {
  const headers = { 'content-type': 'application/x-ndjson' };
  const response = await harness.send(sender, 'POST', '/api/records', {
    body: new Uint8Array(Buffer.from(body)),
    headers,
  });
  expect(response.status).toBe(200);
  return lines(response);
}

/** A record's text as a line of a stream. */
function lineOf(type: string, record: Text): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","record":`), Buffer.from(record), Buffer.from('}\n')]);
}

/** The outcome of each line, without the last one, which counts them. */
async function outcomes(body: Text) {
  return (await post(body)).slice(0, -1).map(({ line, outcome }) => `${line} ${outcome}`);
}

/** A newer version of the stored referral, so that only what is wrong with it keeps it out. */
function newer(changes: JsonObject = {}): string {
  return JSON.stringify({ ...aReferral({ updatedAt: '2026-02-06T10:00:00-05:00' }), ...changes });
}

/** `text` with a part of it replaced, which must be there. */
function replaced(text: string, part: string, other: string): string {
  expect(text).toContain(part);
  return text.replace(part, other);
}

interface Expected {
  readonly pointer?: string;
  readonly rule: string;
  readonly message?: string;
}

/** Refused alone with 400 and as a line, both times by this rule; nothing is stored and nothing of it repeated. */
async function refused(type: string, record: Text, expected: Expected, sender?: Sender): Promise<void> {
  const { message, ...placed } = expected;
  const error = { pointer: expect.any(String), found: expect.any(String), ...placed };
  const wanted = expect.objectContaining({ ...error, message: expect.stringContaining(message ?? '') });
  const before = await stateOf(harness.store);
  const logged = harness.log.length;

  const response = await put(type, record, sender);
  const problem = await json(response);
  expect([response.status, problem.errors]).toEqual([400, expect.arrayContaining([wanted])]);
  const [answer, counts] = await post(lineOf(type, record), sender);
  expect(answer).toMatchObject({ line: 1, outcome: 'refused', errors: expect.arrayContaining([wanted]) });
  expect(counts).toMatchObject({ done: true, accepted: 0, refused: 1 });

  expect(await stateOf(harness.store)).toEqual(before);
  expect(JSON.stringify([problem, answer, harness.log.slice(logged)])).not.toMatch(/zq7canary/);
}

/** Accepted alone, and as a line of a stream. */
async function accepted(type: string, record: Text): Promise<void> {
  expect((await put(type, record)).status).toBe(202);
  await sql`truncate record, record_version, lane`.execute(harness.store.db);
  expect(await outcomes(lineOf(type, record))).toEqual(['1 accepted']);
}

const mark = '\uFEFF';

test('21: broken JSON is refused with line and column', async () => {
  const broken = replaced(newer({ requestedText: 'zq7canary' }), '"urgency":', '"urgency" ');
  await refused('referral', broken, { rule: 'syntax', message: 'a colon should stand here' });
  const { errors } = await json(await put('referral', replaced(broken, '"urgency"', '\n "urgency"')));
  expect(errors).toMatchObject([{ message: expect.stringContaining('Line 2, column 12: a colon should') }]);
  const [, second] = await post(`${lineOf('referral', newer())}{"type": nope}\n`);
  expect(second).toMatchObject({ line: 2, errors: [{ message: expect.stringContaining('Line 2, column 10') }] });
});

test('22: a byte order mark is accepted', async () => {
  expect((await put('referral', `${mark}${newer()}`)).status).toBe(202);
  expect(await outcomes(`${mark}${lineOf('case', JSON.stringify(aCase()))}`)).toEqual(['1 accepted']);
});

test('23: CRLF and blank lines are accepted, and blank lines count', async () => {
  const pretty = JSON.stringify(JSON.parse(newer()), undefined, 2).replaceAll('\n', '\r\n');
  expect((await put('referral', `\r\n${pretty}\r\n\r\n`)).status).toBe(202);
  const line = (type: string, record: JsonObject) => JSON.stringify({ type, record });
  const stream = `\r\n${line('case', aCase())}\r\n\r\n  \n${line('need', aNeed())}\r\n\n`;
  expect(await outcomes(stream)).toEqual(['2 accepted', '5 accepted']);
});

test('24: a last line without an end is accepted, one that is cut off is refused alone', async () => {
  const need = JSON.stringify({ type: 'need', record: aNeed() });
  expect(await outcomes(need)).toEqual(['1 accepted']);
  const first = lineOf('case', JSON.stringify(aCase()));
  const cut = lineOf('referral', newer()).subarray(0, -9);
  expect(await outcomes(Buffer.concat([first, cut]))).toEqual(['1 accepted', '2 refused']);
  expect(await versions()).toEqual({ 'case-rosa': 1, 'need-food': 1, 'referral-pantry': 1 });
});

test('25: a line above 1 MB is refused as too long, and the rest goes on', async () => {
  const long = lineOf('referral', newer({ requestedText: 'x'.repeat(1_048_576) }));
  const stream = Buffer.concat([
    lineOf('case', JSON.stringify(aCase())),
    long,
    lineOf('need', JSON.stringify(aNeed())),
  ]);
  const [first, second, third, counts] = await post(stream);
  expect([first, third, counts]).toMatchObject([
    { line: 1, outcome: 'accepted' },
    { line: 3, outcome: 'accepted' },
    { accepted: 2, refused: 1 },
  ]);
  expect(second).toMatchObject({
    outcome: 'refused',
    errors: [{ rule: 'too-long', found: 'more than 1048576 bytes' }],
  });
  expect(await versions()).toEqual({ 'case-rosa': 1, 'need-food': 1, 'referral-pantry': 1 });
});

test('26: invalid UTF-8 and lone surrogates are refused', async () => {
  const [start = '', end = ''] = newer({ requestedText: 'zq7canary|' }).split('|');
  const bytes = (...wrong: number[]) => Buffer.concat([Buffer.from(start), Buffer.from(wrong), Buffer.from(end)]);
  for (const wrong of [[0xff], [0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80]])
    await refused('referral', bytes(...wrong), { rule: 'utf-8' });
  for (const half of ['\\ud83e', '\\udd55', '\\ud83e\\ud83e'])
    await refused('referral', start + half + end, { rule: 'lone-surrogate' });
});

test('27: NUL in a text is refused', async () => {
  await refused('referral', replaced(newer(), 'Weekly', 'zq7canary\\u0000'), { rule: 'nul' });
  // As a byte of its own it is no JSON at all.
  await refused('referral', replaced(newer(), 'Weekly', 'zq7canary\u0000'), { rule: 'syntax' });
});

test('28: __proto__, constructor and prototype are refused at any depth, and change no prototype', async () => {
  for (const name of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__']) {
    const inside = `"${name}":{"polluted":"zq7canary"}`;
    await refused('referral', replaced(newer(), '{', `{${inside},`), { rule: 'forbidden-key' });
    const deep = replaced(newer(), '"history":[{', `"history":[{"x":[[{${inside}}]],`);
    await refused('referral', deep, { rule: 'forbidden-key' });
  }
  expect('polluted' in {}).toBe(false);
});

test('29: a doubled key is refused', async () => {
  await refused('referral', replaced(newer(), '{', '{"urgency":"zq7canary",'), { rule: 'duplicate-key' });
  await refused('referral', replaced(newer(), '{', '{"urgenc\\u0079":"zq7canary",'), { rule: 'duplicate-key' });
  const deep = replaced(newer(), '"history":[{', '"history":[{"status":"draft",');
  await refused('referral', deep, { rule: 'duplicate-key' });
});

test('30: more than 64 levels are refused, however many', async () => {
  const deep = (levels: number) => replaced(newer(), '{', `{"x":${'['.repeat(levels)}${']'.repeat(levels)},`);
  await refused('referral', deep(64), { rule: 'depth' });
  await refused('referral', deep(200_000), { rule: 'depth' });
  await refused('referral', deep(62), { rule: 'unknown-property' });
});

test('31: 1e999, -0, 2^53+1 and NaN are refused, and so is a number where a text belongs', async () => {
  const text = JSON.stringify(aCarePlan());
  const days = (value: string) => replaced(text, '"reviewEveryDays":30', `"reviewEveryDays":${value}`);
  for (const value of ['1e999', '-1e999', '-0', '9007199254740993', '1e-999'])
    await refused('carePlan', days(value), { rule: 'number-range' });
  for (const value of ['NaN', 'Infinity', '0x1e', '01', '+1'])
    await refused('carePlan', days(value), { rule: 'syntax' });
  await refused('carePlan', days('"30"'), { pointer: '/reviewEveryDays', rule: 'type' });
  await refused('carePlan', days('30.5'), { pointer: '/reviewEveryDays', rule: 'type' });
  const number = replaced(newer(), '"Weekly groceries for a household of three"', '15185550142');
  await refused('referral', number, { pointer: '/requestedText', rule: 'type' });
});

test('32: a list of lists and a line of null are refused line by line', async () => {
  const before = await stateOf(harness.store);
  for (const body of ['[["zq7canary"],[[]]]', 'null\n"zq7canary"\n', '7\ntrue']) {
    const [first, second, counts] = await post(body);
    for (const answer of [first, second]) {
      expect(answer).toMatchObject({ outcome: 'refused', errors: [{ pointer: '', rule: 'type' }] });
    }
    expect(counts).toEqual({ done: true, accepted: 0, unchanged: 0, stale: 0, refused: 2 });
    expect(JSON.stringify([first, second])).not.toContain('zq7canary');
  }
  for (const body of ['null', '[[]]', '"zq7canary"', '7']) {
    const response = await put('referral', body);
    const problem = await json(response);
    expect([response.status, problem.errors]).toEqual([400, [expect.objectContaining({ pointer: '', rule: 'type' })]]);
    expect(JSON.stringify(problem)).not.toContain('zq7canary');
  }
  expect(await stateOf(harness.store)).toEqual(before);
});

test('33: the same id twice in one stream is applied in order, an older one as stale, and each is answered', async () => {
  const line = (updatedAt: string, urgency: 'routine' | 'urgent' | 'emergency') =>
    lineOf('referral', JSON.stringify(aReferral({ updatedAt, urgency })));
  const answers = await post(
    Buffer.concat([
      line('2026-02-06T10:00:00Z', 'urgent'),
      line('2026-02-05T10:00:00Z', 'emergency'),
      line('2026-02-07T10:00:00Z', 'emergency'),
      line('2026-02-07T10:00:00Z', 'emergency'),
    ]),
  );
  expect(answers.slice(0, -1).map(({ outcome, version }) => `${outcome} ${version}`)).toEqual([
    'accepted 2',
    'stale 2',
    'accepted 3',
    'unchanged 3',
  ]);
  expect(answers.at(-1)).toEqual({ done: true, accepted: 2, unchanged: 1, stale: 1, refused: 0 });
  const { record } = await json(await harness.send('county', 'GET', '/api/records/referral/referral-pantry'));
  expect(record).toMatchObject({ updatedAt: '2026-02-07T10:00:00Z', urgency: 'emergency' });
});

test('34: a child before its parent is accepted and wants its lane', async () => {
  const [answer] = await post(lineOf('need', JSON.stringify(aNeed({ caseId: 'case-later' }))));
  const lane = { connection: 'general', subject: 'county.case.case-later' };
  expect(answer).toMatchObject({ outcome: 'accepted', lanes: [lane] });
  const { rows } = await sql`select wanted > done as due from lane where subject = ${lane.subject}`.execute(
    harness.store.db,
  );
  expect(rows).toEqual([{ due: true }]);
});

test('35: days and times that do not exist, are nothing, or have no zone are refused', async () => {
  const day = (openedOn: string) => JSON.stringify({ ...aCase(), openedOn });
  for (const wrong of ['2026-02-30', '0001-01-01', '2026-13-01', '/Date(1770285600000)/', '02/05/2026', '2026-2-5', ''])
    await refused('case', day(wrong), { pointer: '/openedOn', rule: 'date' });
  const time = (updatedAt: string) => newer({ updatedAt });
  for (const wrong of ['2026-02-30T10:00:00Z', '2026-02-05T24:00:00Z', '0001-01-01T00:00:00Z', '/Date(1770285600000)/'])
    await refused('referral', time(wrong), { pointer: '/updatedAt', rule: 'instant' });

  const local = time('2026-02-06T10:00:00');
  await refused('referral', local, { pointer: '/updatedAt', rule: 'offset', message: 'has no time zone' }, 'town');
  expect((await put('referral', local)).status).toBe(202);
});

test('36: a local time that a change of clocks leaves out or repeats needs its offset', async () => {
  for (const [time, message] of [
    ['2025-03-09T02:30:00', 'does not exist'],
    ['2025-11-02T01:30:00', 'happened twice'],
  ] as const) {
    const sentAt = (value: string) => newer({ sentAt: value });
    await refused('referral', sentAt(time), { pointer: '/sentAt', rule: 'offset', message });
    await accepted('referral', sentAt(`${time}-05:00`));
  }
});

test('37: an updatedAt more than 5 minutes ahead is refused', async () => {
  const ahead = (ms: number) => newer({ updatedAt: new Date(Date.now() + ms).toISOString() });
  await refused('referral', ahead(400_000), { pointer: '/updatedAt', rule: 'future' });
  await refused('referral', newer({ updatedAt: '9999-12-31T23:59:59Z' }), { pointer: '/updatedAt', rule: 'future' });
  await accepted('referral', ahead(200_000));
});

test('nor can a consent be signed then; one that permits nothing is taken all the same', async () => {
  const consent = (overrides: Parameters<typeof aConsent>[0]) => JSON.stringify(aConsent(overrides));
  const ahead = (ms: number) => new Date(Date.now() + ms).toISOString();
  const reason = { pointer: '/signedAt', rule: 'future', message: 'Send when the consent was signed' };
  await refused('consent', consent({ signedAt: ahead(400_000) }), reason);
  await refused('consent', consent({ signedAt: '2062-02-02T10:55:00-05:00' }), reason);
  await accepted('consent', consent({ signedAt: ahead(200_000) }));
  await accepted('consent', consent({ signedAt: ahead(400_000), status: 'declined' }));
  const revokedAt = '2026-02-20T10:00:00-05:00';
  await accepted('consent', consent({ signedAt: ahead(400_000), status: 'revoked', revokedAt }));
});

test('38: an unknown property is refused and told the nearest name', async () => {
  const unknown = newer({ urgncy: 'zq7canary' });
  await refused('referral', unknown, { pointer: '/urgncy', rule: 'unknown-property', message: '"urgency"' });
  const deep = replaced(newer(), '"history":[{', '"history":[{"statsu":"zq7canary",');
  await refused('referral', deep, { pointer: '/history/0/statsu', rule: 'unknown-property', message: '"status"' });
  // A name that could be more than a name is not repeated.
  await refused('referral', newer({ 'zq7canary of Rosa': true }), { pointer: '', rule: 'unknown-property' });
});

test('39: a code in the wrong case is refused with the list', async () => {
  const list = 'routine, urgent, asap, emergency, in lower case';
  await refused('referral', newer({ urgency: 'Routine' }), { pointer: '/urgency', rule: 'enum', message: list });
  await refused('referral', newer({ urgency: 'zq7canary' }), { pointer: '/urgency', rule: 'enum', message: 'routine' });
});

test('40: text beyond the limits is refused; any other comes back byte for byte', async () => {
  const before = await stateOf(harness.store);
  const base64 = newer({ requestedText: Buffer.alloc(7_500_000, 7).toString('base64') });
  const large = await put('referral', base64);
  expect([large.status, (await json(large)).code]).toEqual([413, 'body-too-large']);
  expect(await post(lineOf('referral', base64))).toMatchObject([{ errors: [{ rule: 'too-long' }] }, { refused: 1 }]);
  expect(await stateOf(harness.store)).toEqual(before);

  const need = (description: string) => JSON.stringify(aNeed({ description }));
  await refused('need', need(' '.repeat(1_000_000)), { pointer: '/description', rule: 'max-length' });
  await refused('need', need('🥕'.repeat(20_001)), { pointer: '/description', rule: 'max-length' });

  const texts = [
    `🥕🧑🏽‍🌾 \u202Eمخزن الطعام\u202C e\u0301 é Å A\u030A  \t\r\n ﷽ \uFEFF \u2028 \u{10FFFF} \u007f`,
    `${' '.repeat(19_999)}x`,
    '🥕'.repeat(20_000),
    'e\u0301'.repeat(10_000),
    Buffer.alloc(15_000, 7).toString('base64'),
  ];
  for (const [index, text] of texts.entries()) {
    const record = aNeed({ description: text, updatedAt: `2026-02-0${index + 4}T10:00:00Z` });
    const spaced = JSON.stringify(record).replace('{', `{${' '.repeat(1_000_000)}`);
    expect((await put('need', index === 0 ? spaced : JSON.stringify(record))).status).toBe(202);
    const shown = await json(await harness.send('county', 'GET', '/api/records/need/need-food'));
    expect(Buffer.from(JSON.stringify(Object(shown.record).description))).toEqual(Buffer.from(JSON.stringify(text)));
  }
});

async function versions(): Promise<Record<string, number>> {
  const rows = await harness.store.db.selectFrom('record').select(['id', 'version']).orderBy('id').execute();
  return Object.fromEntries(rows.map(({ id, version }) => [id, version]));
}
