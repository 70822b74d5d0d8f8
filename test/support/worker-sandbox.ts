// The simulated servers of a test worker, in a process of their own that outlives its test files: the definitions that they check by cost each
// start seconds. A file that asks for a server gets it as after a start.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface WorkerSandbox {
  readonly url: string;
  readonly fhirBases: Readonly<Record<string, string>>;
}

let started: Promise<WorkerSandbox> | undefined;

/** The worker's sandbox, started with the first file that asks. */
export function workerSandbox(): Promise<WorkerSandbox> {
  started ??= start();
  return started;
}

/** It ends when its standard input does, which is when the worker ends, however that ends. */
function start(): Promise<WorkerSandbox> {
  const script = join(import.meta.dirname, 'sandbox-process.ts');
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
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
