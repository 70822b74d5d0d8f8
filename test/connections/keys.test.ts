// The key pairs with which Casebridge signs in: only we can read the private half, and only the public half is published.

import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { calculateJwkThumbprint } from 'jose';
import { generateKey, publicKeySet, writeKeyFile } from '../../src/connections/connections.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'casebridge-keys-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a new key is for ES384 unless told otherwise, and its kid is its thumbprint', async () => {
  const [usual, rsa] = [await generateKey(), await generateKey('RS384')];
  expect(usual).toMatchObject({ kty: 'EC', crv: 'P-384', alg: 'ES384', use: 'sig', d: expect.any(String) });
  expect(rsa).toMatchObject({ kty: 'RSA', alg: 'RS384', use: 'sig', d: expect.any(String) });
  // 3,072 bits are 512 characters.
  expect(rsa.n).toHaveLength(512);
  for (const key of [usual, rsa]) {
    expect(key.kid).toBe(await calculateJwkThumbprint(key));
  }
  expect((await generateKey()).kid).not.toBe(usual.kid);
});

test('the private key goes into a new file that only we can read', async () => {
  const path = join(folder, 'key.jwk');
  const key = await generateKey();
  await writeKeyFile(path, key);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(key);
});

test('an existing key is never overwritten', async () => {
  const path = join(folder, 'key.jwk');
  await writeKeyFile(path, await generateKey());
  const before = await readFile(path, 'utf8');
  await expect(writeKeyFile(path, await generateKey())).rejects.toMatchObject({
    code: 'key-file-exists',
    message: `${path} exists already and was not overwritten. Name another file, or move the old key away.`,
  });
  expect(await readFile(path, 'utf8')).toBe(before);
});

test('what is published holds no private part', async () => {
  const keys = [await generateKey('ES384'), await generateKey('RS384')];
  const published = await publicKeySet(keys);
  const [ec, rsa] = published.keys;
  expect(Object.keys(ec ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  expect(Object.keys(rsa ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  const text = JSON.stringify(published);
  const secrets = keys.flatMap(({ d, p, q, dp, dq, qi }) => [d, p, q, dp, dq, qi]).filter((part) => part !== undefined);
  expect(secrets).toHaveLength(7);
  for (const secret of secrets) {
    expect(text).not.toContain(secret);
  }
});

test('a key that several connections use is published once, under its own kid or its thumbprint', async () => {
  const { kid, ...nameless } = await generateKey();
  const named = { ...(await generateKey()), kid: 'march-2026' };
  const published = await publicKeySet([nameless, named, nameless, named]);
  expect(published.keys.map((key) => key.kid)).toEqual([kid, 'march-2026']);
});
