// What a peer's process is given, and what it says in the end.

import { readFile } from 'node:fs/promises';
import type { Line } from '../caseload.ts';

export interface PeerWork {
  readonly fhirUrl: string;
  readonly cases: readonly (readonly Line[])[];
  /** References of what all cases point at: organization, pantry, practitioner. */
  readonly directory: Readonly<Record<string, string>>;
  /** Cases at a time. */
  readonly concurrency: number;
  /** How often a failed case is started again, from its beginning: neither peer knows what was made. */
  readonly again: number;
}

export interface PeerResult {
  readonly seconds: number;
  /** Cases that were given up. */
  readonly failed: number;
  readonly cpuSeconds: number;
  readonly firstError: string;
}

/** The file of the work is the first word of the command line. */
export async function readWork(file = process.argv[2] ?? ''): Promise<PeerWork> {
  return JSON.parse(await readFile(file, 'utf8'));
}

/** Works off the cases and says on standard output how it went. */
export async function workOff(work: PeerWork, one: (records: readonly Line[]) => Promise<void>): Promise<void> {
  const started = performance.now();
  const before = process.cpuUsage();
  const waiting = work.cases.values();
  let failed = 0;
  let firstError = '';
  const tried = async (records: readonly Line[]): Promise<boolean> => {
    for (let left = work.again; left >= 0; left -= 1) {
      try {
        await one(records);
        return true;
      } catch (error) {
        firstError ||= error instanceof Error ? error.message : String(error);
      }
    }
    return false;
  };
  const worker = async () => {
    for (const records of waiting) if (!(await tried(records))) failed += 1;
  };
  await Promise.all(Array.from({ length: work.concurrency }, worker));
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - started) / 1000;
  const result: PeerResult = { seconds, failed, cpuSeconds: (user + system) / 1e6, firstError };
  console.log(JSON.stringify(result));
}
