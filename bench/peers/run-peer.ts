// Runs a peer as a process of its own and takes what it says.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { PeerResult, PeerWork } from './work.ts';

export type PeerName = 'script' | 'OpenFn';

/** @param openFnFolder where OpenFn's packages are installed */
export async function runPeer(name: PeerName, work: PeerWork, openFnFolder: string): Promise<PeerResult> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-peer-'));
  const file = join(folder, 'work.json');
  await writeFile(file, JSON.stringify(work));
  const program = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const line =
    name === 'script'
      ? [program('script.ts'), file]
      : ['--experimental-vm-modules', '--no-warnings', program('openfn.ts'), file, openFnFolder];
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    if (code !== 0) throw new Error(`the ${name} ended with ${code}`);
    return JSON.parse(said.trim().split('\n').at(-1) ?? '');
  } finally {
    await rm(folder, { recursive: true });
  }
}
