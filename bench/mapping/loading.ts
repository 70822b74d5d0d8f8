// How long it takes a fresh process to load all mappings and facts: the facts of all profiles asked for, and all mapping files read and compiled.
// What the modules themselves cost, TypeScript read and facts in them included, stands beside it.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Figures, rounded } from '../figures.ts';

export interface Loading {
  readonly modulesCpuMs: number;
  readonly modulesMs: number;
  readonly cpuMs: number;
  readonly ms: number;
}

const program = new URL('load-once.ts', import.meta.url).pathname;

export async function measureLoading(): Promise<Figures> {
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  const { modulesCpuMs, modulesMs, cpuMs, ms }: Loading = JSON.parse(stdout);
  return {
    'mappings and facts loaded (CPU ms)': rounded(cpuMs),
    'mappings and facts loaded (ms)': rounded(ms),
    'before that, modules loaded (CPU ms)': rounded(modulesCpuMs),
    'before that, modules loaded (ms)': rounded(modulesMs),
  };
}
