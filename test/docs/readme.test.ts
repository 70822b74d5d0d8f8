// The README is followed as it stands: its configuration, its commands, its requests. Only ports and the places of files are others.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');
const readme = await readFile(join(root, 'README.md'), 'utf8');
const [tryIt = '', sandbox = '', serve = '', requests = '', keys = '', doctor = ''] = blocks('sh');
const [configuration = '', smartBackend = ''] = blocks('yaml');
const [, answers = ''] = blocks('text');
const run = promisify(execFile);

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text);
}

test('the two commands are scripts of this package', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  for (const [, script = ''] of tryIt.matchAll(/npm ci && npm (?:run )?(\w+)/g)) expect(scripts).toHaveProperty(script);
  expect(tryIt.match(/npm ci/g)).toHaveLength(2);
});

describe('a server and a gateway, started as it says', () => {
  const started: Promise<void>[] = [];
  const children: ChildProcess[] = [];
  let folder = '';
  let adapted: (text: string) => string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casebridge-readme-'));
    const [gatewayPort, sandboxPort] = [await freePort(), await freePort()];
    adapted = (text) =>
      text
        .replaceAll('8080', gatewayPort)
        .replaceAll('8090', sandboxPort)
        .replaceAll('casebridge.yaml', join(folder, 'casebridge.yaml'))
        .replaceAll('key.jwk', join(folder, 'key.jwk'));
    await writeFile(join(folder, 'casebridge.yaml'), `server: { port: ${gatewayPort} }\n${adapted(configuration)}`);
    await start(sandbox, `http://127.0.0.1:${sandboxPort}/standard/fhir/R4/metadata`);
    await start(serve, `http://127.0.0.1:${gatewayPort}/health/ready`);
  });
  afterAll(async () => {
    for (const { pid } of children) if (pid !== undefined) process.kill(-pid, 'SIGTERM');
    await Promise.all(started);
    await rm(folder, { recursive: true });
  });

  /** Starts the lines of a terminal, as one group of processes that is stopped together. */
  async function start(lines: string, url: string): Promise<void> {
    const child = spawn('sh', ['-c', adapted(lines)], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    let isOver = false;
    started.push(
      new Promise((resolve) =>
        child.once('close', () => {
          isOver = true;
          resolve();
        }),
      ),
    );
    children.push(child);
    await until(async () => {
      if (isOver) throw new Error(output);
      // Until somebody listens there, fetch fails.
      return fetch(url).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  }

  async function sh(lines: string): Promise<string> {
    return (await run('sh', ['-c', adapted(lines)], { cwd: root })).stdout;
  }

  test('the record is accepted, becomes current, and is found on the server', async () => {
    const [accepted] = (await sh(requests)).split(/(?<=\})(?=\{)/);
    expect(answers.split('\n')).toContain(accepted);
    await until(async () => (await sh(requests)).includes('"state":"current"'));
    const [put, shown = '', found] = (await sh(requests)).split(/(?<=\})(?=\{)/);
    expect(JSON.parse(put ?? '')).toMatchObject({ outcome: 'unchanged', version: 1 });
    expect(shown).toContain('"name":"Elm Street Pantry"');
    expect(answers).toContain(shown.slice(shown.indexOf('"links":')));
    expect(JSON.parse(found ?? '')).toMatchObject({ total: 1, entry: [{ resource: { name: 'Elm Street Pantry' } }] });
  });

  test('doctor shows a healthy connection', async () => {
    expect(await sh(doctor)).toContain('general (standard, live): reachable, signed in');
  });

  test('the key that keys makes is what the configuration of a real server takes', async () => {
    await sh(keys);
    expect((await stat(join(folder, 'key.jwk'))).mode & 0o777).toBe(0o600);
    const real = adapted(configuration).replace(/^ {4}auth: .*\n/m, adapted(smartBackend));
    await writeFile(join(folder, 'real.yaml'), real);
    // It is read and found right; only the server is not one that grants tokens.
    const words = ['src/main.ts', 'map', '--config', join(folder, 'real.yaml'), '--json', '--source', 'county'];
    await writeFile(join(folder, 'none.ndjson'), '');
    const env = { OPS_TOKEN: 'ops-secret', COUNTY_TOKEN: 'county-secret' };
    const { stdout } = await run(process.execPath, [...words, join(folder, 'none.ndjson')], { cwd: root, env });
    expect(JSON.parse(stdout)).toMatchObject({ refused: 0 });
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('not within two minutes');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(String(typeof address === 'object' ? address?.port : 0)));
  });
  return promise;
}
