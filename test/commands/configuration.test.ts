// A configuration that is not right: every command that reads it says what is wrong, where and what to do, and starts nothing.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { aFolder, casebridge, commandLine, lastLine } from './program.ts';

const good = `identifierSystem: https://agency.example.org/casebridge
sources:
  county: { token: env:COUNTY_TOKEN }
connections:
  general:
    vendor: standard
    baseUrl: https://fhir.example.org/r4
    auth: { type: none }
`;
const env = { COUNTY_TOKEN: 'county-secret' };

describe('serve does not start', () => {
  const rows: [string, string, Record<string, string>, string][] = [
    [
      'with an unknown key',
      good.replace('baseUrl:', 'bseUrl:'),
      env,
      `casebridge.yaml:5:3: "baseUrl" is missing under connections.general.
casebridge.yaml:7:5: "bseUrl" is not a setting under connections.general. Did you mean "baseUrl"?`,
    ],
    [
      'with a secret that is not set',
      good,
      {},
      'casebridge.yaml:3:13: sources.county.token needs the environment variable COUNTY_TOKEN, which is not set.',
    ],
    [
      'with broken YAML',
      good.replace('{ type: none }', '{ type: none'),
      env,
      'casebridge.yaml:9:1: Flow map in block collection must be sufficiently indented and end with a }.',
    ],
  ];
  test.each(rows)('%s', async (_what, text, secrets, message) => {
    const folder = await aFolder({ 'casebridge.yaml': text });
    const { code, out, err } = await commandLine(['serve'], { cwd: folder, env: secrets });
    expect({ code, out, err: err.replaceAll(folder, 'FOLDER') }).toEqual({ code: 2, out: '', err: `${message}\n` });
    expect(await readdir(folder)).toEqual(['casebridge.yaml']);
  });
});

describe('every command that reads a configuration', () => {
  const rows: [string, string[]][] = [
    ['serve', []],
    ['worker', []],
    ['doctor', []],
    ['import', ['--source', 'county', import.meta.filename]],
    ['map', [import.meta.filename]],
  ];
  test.each(rows)('%s names the file that is not there', async (name, words) => {
    const folder = await aFolder({ 'casebridge.yaml': good });
    const missing = join(folder, 'other.yaml');
    const ended = await commandLine([name, ...words, '--config', missing, '--json']);
    const text = `The configuration ${missing} could not be read (ENOENT). Name one with --config FILE.`;
    expect(ended).toMatchObject({ code: 2, err: `${text}\n` });
    expect(lastLine(ended)).toEqual({ error: { code: 'config-missing', text } });
    expect(await readdir(folder)).toEqual(['casebridge.yaml']);
  });

  test('takes it from the working directory when none is named', async () => {
    const { code, err } = await casebridge(['serve'], { cwd: await aFolder() });
    expect({ code, err }).toEqual({
      code: 2,
      err: 'The configuration casebridge.yaml could not be read (ENOENT). Name one with --config FILE.\n',
    });
  });
});

test('a worker on the embedded store is refused before the store is touched', async () => {
  const folder = await aFolder({ 'casebridge.yaml': good });
  const { code, err } = await commandLine(['worker', '--config', join(folder, 'casebridge.yaml')], { env });
  expect({ code, err }).toEqual({
    code: 2,
    err: 'A worker is a second process on the store, and the embedded store takes one only. Set store.url to a PostgreSQL (env:DATABASE_URL).\n',
  });
  expect(await readdir(folder)).toEqual(['casebridge.yaml']);
});
