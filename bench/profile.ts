// What a V8 profile says of a span of time: in which functions and packages the processor was.

import { readFile } from 'node:fs/promises';

/** The clock of V8's profiles, in microseconds: the machine's monotonic one, the same for all processes. */
export function profileClock(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTimes {
  readonly seconds: number;
  /** Most first; milliseconds. */
  readonly functions: readonly (readonly [name: string, ms: number])[];
  readonly places: readonly (readonly [name: string, ms: number])[];
}

export async function selfTimes(file: string, { from, to }: Span): Promise<SelfTimes> {
  const { nodes, startTime, samples, timeDeltas }: Profile = JSON.parse(await readFile(file, 'utf8'));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, number>();
  const byPlace = new Map<string, number>();
  let time = startTime;
  for (const [index, id] of samples.entries()) {
    const started = time + (timeDeltas[index] ?? 0);
    time = started;
    // A sample lasts until the next one.
    const lasts = timeDeltas[index + 1] ?? 0;
    const frame = frames.get(id);
    if (frame === undefined || started < from || started > to) continue;
    add(byFunction, functionOf(frame), lasts);
    add(byPlace, placeOf(frame), lasts);
  }
  return { seconds: (to - from) / 1_000_000, functions: sorted(byFunction), places: sorted(byPlace) };
}

function add(sums: Map<string, number>, name: string, microseconds: number): void {
  sums.set(name, (sums.get(name) ?? 0) + microseconds / 1000);
}

function sorted(sums: ReadonlyMap<string, number>): [string, number][] {
  return [...sums].sort(([, one], [, other]) => other - one);
}

function functionOf(frame: CallFrame): string {
  const name = frame.functionName || '(anonymous)';
  return frame.url === '' ? name : `${name} ${shortUrl(frame.url)}:${frame.lineNumber + 1}`;
}

function shortUrl(url: string): string {
  return url.replace(/^.*\/node_modules\//, '').replace(/^file:.*\/src\//, 'src/');
}

/** A package, a folder of ours, or what V8 calls it: (garbage collector), (idle), (program). */
function placeOf({ url, functionName }: CallFrame): string {
  if (url.startsWith('node:')) return 'node';
  const [, packaged] = /\/node_modules\/(@[^/]+\/[^/]+|[^/]+)\/(?!.*node_modules)/.exec(url) ?? [];
  if (packaged !== undefined) return packaged;
  const [, own] = /\/src\/([^/]+)/.exec(url) ?? [];
  if (own !== undefined) return `src/${own}`;
  return functionName.startsWith('(') ? functionName : 'native';
}
