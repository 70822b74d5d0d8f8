// OpenFn's adaptors are under the LGPL, so they are no dependency of ours: on request they are installed, in exact versions and without
// running their scripts, into a folder that is removed afterwards.

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const packages = ['@openfn/runtime@1.9.5', '@openfn/language-fhir@5.0.15'];

export interface OpenFnFolder {
  readonly folder: string;
  remove(): Promise<void>;
}

/** @throws Error with what npm says */
export async function installOpenFn(): Promise<OpenFnFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-openfn-'));
  process.stderr.write(`installing ${packages.join(', ')} into ${folder} (LGPL, no part of Casebridge)\n`);
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'];
  const installed = spawnSync('npm', ['install', ...options, ...packages], { cwd: folder, encoding: 'utf8' });
  if (installed.status !== 0) throw new Error(`npm could not install ${packages.join(', ')}: ${installed.stderr}`);
  return { folder, remove: () => rm(folder, { recursive: true }) };
}
