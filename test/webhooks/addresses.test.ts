// Where a delivery may go: to public addresses, and to private ones only where the configuration says so (OWASP API7).

import type { LookupFunction } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isReachable } from '../../src/public-address.ts';
import { openReceiver } from '../../src/webhooks/receiver.ts';
import { startReceiver, type TestReceiver, webhookKey } from '../support/receiver.ts';

test.each([
  ['8.8.8.8', true, true],
  ['[2606:4700::1]', true, true],
  ['[::ffff:8.8.8.8]', true, true],
  ['127.0.0.1', false, true],
  ['10.1.2.3', false, true],
  ['172.16.0.1', false, true],
  ['192.168.0.1', false, true],
  ['100.64.0.1', false, true],
  ['[::1]', false, true],
  ['[fd00::1]', false, true],
  ['[::ffff:127.0.0.1]', false, true],
  ['0.0.0.0', false, false],
  ['169.254.169.254', false, false],
  ['[::ffff:a9fe:a9fe]', false, false],
  ['[fe80::1]', false, false],
  ['[64:ff9b::7f00:1]', false, false],
  ['[2002:7f00:1::]', false, false],
  ['224.0.0.1', false, false],
  ['255.255.255.255', false, false],
  [new URL('http://2130706433').hostname, false, true],
  [new URL('http://0x7f.1').hostname, false, true],
])('%s: reached %s, with allowPrivate %s', (host, open, withPrivate) => {
  expect([isReachable(host, false), isReachable(host, true)]).toEqual([open, withPrivate]);
});

test('of a name nothing is known before it is resolved', () => {
  expect(isReachable('receiver.example.org', false)).toBeUndefined();
});

describe('a post', () => {
  let receiver: TestReceiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver.stop());

  /** @param answers what DNS says of the name, each time it is asked */
  async function post(url: string, allowPrivate: boolean, ...answers: string[][]) {
    const asked: string[] = [];
    const lookup: LookupFunction = (name, _options, done) => {
      asked.push(name);
      done(
        null,
        (answers.shift() ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };
    const config = { url, secrets: [webhookKey], giveUpAfterMs: 1000, allowPrivate };
    const one = openReceiver(config, { clock: Date.now, concurrency: 1, timeoutMs: 5_000, lookup });
    const attempt = await one.post({ id: 'x', body: '{}' }, performance.now() + 5_000);
    one.close();
    return { attempt, asked };
  }
  const named = () => `http://receiver.example.org:${receiver.port}/changes`;

  test.each([
    ['loopback', ['127.0.0.1']],
    ['a private one among public ones', ['8.8.8.8', '10.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['IPv4 as IPv6', ['::ffff:127.0.0.1']],
  ])('to a name that leads to %s leaves nothing behind', async (_what, addresses) => {
    const { attempt } = await post(named(), false, addresses);
    expect(attempt).toMatchObject({ isTaken: false, reason: { code: 'address-not-public' } });
    expect(receiver.journal).toEqual([]);
  });

  test.each(['http://127.0.0.1', 'http://[::1]', 'http://2130706433', 'http://[::ffff:7f00:1]'])(
    'to %s does not either',
    async (host) => {
      const { attempt, asked } = await post(`${host}:${receiver.port}/changes`, false);
      expect(attempt).toMatchObject({ isTaken: false, reason: { code: 'address-not-public' } });
      expect([asked, receiver.journal]).toEqual([[], []]);
    },
  );

  test('the metadata service is not reached with allowPrivate either', async () => {
    const { attempt } = await post(named(), true, ['169.254.169.254']);
    expect(attempt.reason?.code).toBe('address-not-public');
  });

  test('goes to the address that was looked at: the name is resolved once', async () => {
    const { attempt, asked } = await post(named(), true, ['127.0.0.1'], ['169.254.169.254']);
    expect([attempt.isTaken, asked.length]).toEqual([true, 1]);
    expect(receiver.journal).toHaveLength(1);
  });

  test('follows no redirect', async () => {
    receiver.answerWith(() => ({ status: 307, headers: { location: `${receiver.url}/elsewhere` } }));
    const { attempt } = await post(named(), true, ['127.0.0.1']);
    expect(attempt).toMatchObject({ isTaken: false, reason: { code: 'webhook-answered' } });
    expect(receiver.journal.map(({ path }) => path)).toEqual(['/changes', '/changes']);
  });

  test('reads no more of the answer than a little, and takes 2xx for taken all the same', async () => {
    receiver.answerWith(() => ({ status: 200, body: 'x'.repeat(1_000_000) }));
    expect((await post(named(), true, ['127.0.0.1'])).attempt).toMatchObject({ isTaken: true, outcome: '2xx' });
  });
});
