import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aFolder, casebridge, commandLine, lastLine } from './program.ts';

test.each([
  ['ES384', ['--alg', 'ES384'], { kty: 'EC', crv: 'P-384', alg: 'ES384' }],
  ['RS384', ['--alg', 'RS384'], { kty: 'RSA', e: 'AQAB', alg: 'RS384' }],
  ['ES384 when nothing is said', [], { kty: 'EC', crv: 'P-384', alg: 'ES384' }],
])(
  'a key for %s: the private half in a file that only its owner may read, the public one shown',
  async (_alg, words, shape) => {
    const cwd = await aFolder();
    const ended = await commandLine(['keys', ...words, '--json'], { cwd });
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect((await stat(join(cwd, 'key.jwk'))).mode & 0o777).toBe(0o600);
    const key = JSON.parse(await readFile(join(cwd, 'key.jwk'), 'utf8'));
    expect(key).toMatchObject({ ...shape, use: 'sig', d: expect.any(String) });
    expect(lastLine(ended)).toEqual({
      file: 'key.jwk',
      kid: key.kid,
      alg: shape.alg,
      jwks: { keys: [expect.objectContaining({ ...shape, kid: key.kid })] },
    });
    expect(ended.out).not.toContain(key.d);
  },
);

test('a key that is there is not overwritten', async () => {
  const cwd = await aFolder({ 'mine.jwk': 'precious' });
  const { code, out, err } = await commandLine(['keys', '--out', 'mine.jwk'], { cwd });
  expect({ code, out, err }).toEqual({
    code: 2,
    out: '',
    err: 'mine.jwk exists already and was not overwritten. Name another file, or move the old key away.\n',
  });
  expect(await readFile(join(cwd, 'mine.jwk'), 'utf8')).toBe('precious');
});

test('a file that cannot be made is named', async () => {
  const cwd = await aFolder();
  const { code, err } = await commandLine(['keys', '--out', 'nowhere/key.jwk'], { cwd });
  expect({ code, err }).toEqual({
    code: 2,
    err: 'The file nowhere/key.jwk could not be written (ENOENT). Check its folder, or name another file.\n',
  });
  expect(await readdir(cwd)).toEqual([]);
});

test('for people: where the key is, how to name it, and the half that the server gets', async () => {
  const { out } = await casebridge(['keys'], { cwd: await aFolder() });
  expect(out).toContain('The private key is in key.jwk.');
  expect(out).toContain('key: file:key.jwk');
  expect(out).toContain('"keys": [');
});
