// `npm run` puts npm and a shell between the program and whoever stops it.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from '@jest/globals';
import { errorCode } from '../../src/error-code.ts';
import { aWorker } from '../builders.ts';
import { aFolder } from './program.ts';

const root = join(import.meta.dirname, '..', '..');
let npm: ChildProcess;

// The whole group: what npm has left behind belongs to it.
afterEach(() => {
  try {
    process.kill(-(npm.pid ?? 0), 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
});

/** Starts a command in this folder; `ended` is what it wrote once nothing of it is left that could write. */
function started(words: readonly string[], cwd: string) {
  const run = ['--prefix', root, 'run', '--silent', 'casebridge', '--', ...words, '--json'];
  const child = spawn('npm', run, { cwd, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  npm = child;
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(out)));
  return { child, ended };
}

/** Starts the sandbox; answers its address beside. */
async function underNpm(): Promise<{ url: string; ended: Promise<string> }> {
  const { child, ended } = started(['sandbox', '--port', '0'], root);
  const line = await new Promise<string>((resolve) => createInterface(child.stdout).once('line', resolve));
  return { url: JSON.parse(line).url, ended };
}

test('SIGTERM to npm, which only its shell hears of, ends the program too', async () => {
  const { url, ended } = await underNpm();
  expect((await fetch(`${url}/standard/fhir/R4/metadata`)).status).toBe(200);
  npm.kill('SIGTERM');
  await ended;
  await expect(fetch(url)).rejects.toThrow('fetch failed');
});

test('Ctrl-C, which the terminal tells to all of them, is a polite stop', async () => {
  const { url, ended } = await underNpm();
  process.kill(-(npm.pid ?? 0), 'SIGINT');
  expect(JSON.parse(await ended)).toMatchObject({ url });
  await expect(fetch(url)).rejects.toThrow('fetch failed');
});

test('files are those of the folder in which npm was called, and not of ours', async () => {
  const cwd = await aFolder({ 'a.ndjson': JSON.stringify({ type: 'worker', record: aWorker() }) });
  const { ended } = started(['map', 'a.ndjson'], cwd);
  expect(JSON.parse(await ended)).toMatchObject({ bundle: { resourceType: 'Bundle' }, refused: 0 });
});
