// How long it takes a fresh process to load all mappings and facts: its modules, the facts that they read, and all mapping files compiled.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Figures, rounded } from '../figures.ts';

export interface Loading {
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Of these, reading and compiling the mapping files. */
  readonly compiledWallMs: number;
}

const program = new URL('load-once.ts', import.meta.url).pathname;

export async function measureLoading(): Promise<Figures> {
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  const { cpuMs, wallMs, compiledWallMs }: Loading = JSON.parse(stdout);
  return {
    'fresh process, mappings and facts loaded (CPU ms)': rounded(cpuMs),
    'fresh process, mappings and facts loaded (ms)': rounded(wallMs),
    'of these, mapping files read and compiled (ms)': rounded(compiledWallMs),
  };
}
