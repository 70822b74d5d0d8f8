// The simulated servers of a test worker, in a process of their own that outlives its test files: the definitions that they check by cost each
// start seconds. A file that asks for a server gets it as after a start.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface WorkerSandbox {
  readonly url: string;
  readonly fhirBases: Readonly<Record<string, string>>;
}

/** Where the worker's files leave word for each other: they share nothing but the process. */
const place = join(tmpdir(), `casebridge-test-sandbox-${process.pid}.json`);

/** The worker's sandbox, started with the first file that asks. */
export async function workerSandbox(): Promise<WorkerSandbox> {
  if (existsSync(place)) {
    const known: WorkerSandbox = JSON.parse(await readFile(place, 'utf8'));
    // A worker that died may have had this number before.
    if (await answers(known.url)) return known;
  }
  const started = await start();
  await writeFile(place, JSON.stringify(started));
  return started;
}

function answers(url: string): Promise<boolean> {
  return fetch(`${url}/_control/standard/clock`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** It ends when its standard input does, which is when the worker ends, however that ends. */
function start(): Promise<WorkerSandbox> {
  const script = join(import.meta.dirname, 'sandbox-process.ts');
  const child = spawn(process.execPath, [script, place], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.unref();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the sandbox ended with code ${code}`)));
    child.stdout.once('data', (line: Buffer) => {
      child.stdout.destroy();
      resolve(JSON.parse(String(line)));
    });
  });
}
