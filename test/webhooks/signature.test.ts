// Deliveries are verified by the reference library of Standard Webhooks; what was altered, is old or is signed by somebody else is refused.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { signedHeaders } from '../../src/webhooks/sign.ts';

const now = Date.now();
const key = (letter: string) => Buffer.alloc(32, letter);
const secret = (letter: string) => `whsec_${key(letter).toString('base64')}`;
const message = { id: 'county-17-abc', body: '{"op":"patch","id":"r1","patch":{"outcomeNote":"Ab 12 Uhr – gut"}}' };
const headers = signedHeaders(message, [key('a'), key('b')], now);
const verify = (letter: string, body = message.body, changed: Record<string, string> = {}) =>
  new Webhook(secret(letter)).verify(body, { ...headers, ...changed });

test.each(['a', 'b'])('while secrets change, a receiver that knows %s only verifies', (letter) => {
  expect(verify(letter)).toEqual(JSON.parse(message.body));
});

test('a receiver that knows neither refuses', () => {
  expect(() => verify('c')).toThrow('No matching signature');
});

test('an altered body, another id, another time are refused', () => {
  expect(() => verify('a', message.body.replace('r1', 'r2'))).toThrow('No matching signature');
  expect(() => verify('a', `${message.body} `)).toThrow('No matching signature');
  expect(() => verify('a', message.body, { 'webhook-id': 'county-18-abc' })).toThrow('No matching signature');
  const later = String(Math.floor(now / 1000) + 60);
  expect(() => verify('a', message.body, { 'webhook-timestamp': later })).toThrow('No matching signature');
});

test('one of more than five minutes ago is refused, so a recorded delivery is of no use later', () => {
  const old = (minutes: number) => signedHeaders(message, [key('a')], now - minutes * 60_000);
  expect(() => verify('a', message.body, old(5.1))).toThrow('timestamp too old');
  expect(verify('a', message.body, old(4.5))).toEqual(JSON.parse(message.body));
});

test('the receiver of docs/changes.md in ten lines verifies as the library does', async () => {
  const guide = await readFile('docs/changes.md', 'utf8');
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(guide) ?? [];
  expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(10);
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-guide-'));
  const file = join(folder, 'verify.mjs');
  await writeFile(file, `${code}\nexport { isGenuine };`);
  const { isGenuine } = await import(file);
  await rm(folder, { recursive: true });
  expect([isGenuine(headers, message.body, secret('a')), isGenuine(headers, message.body, secret('b'))]).toEqual([
    true,
    true,
  ]);
  expect(isGenuine(headers, message.body, secret('c'))).toBe(false);
  expect(isGenuine(headers, `${message.body} `, secret('a'))).toBe(false);
  expect(isGenuine(signedHeaders(message, [key('a')], now - 306_000), message.body, secret('a'))).toBe(false);
  expect(isGenuine({}, message.body, secret('a'))).toBe(false);
});

test('the id holds no dot, by which the signed text is put together', () => {
  expect(headers['webhook-id']).not.toContain('.');
});
