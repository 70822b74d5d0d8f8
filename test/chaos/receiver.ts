// The receiver of a source as a process of its own, which fails by seed and is killed by whoever started it: its journal is a file, written before
// it answers. Arguments: port (0: any), journal, seed, probability of a failure.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { type Answer, startReceiver } from '../support/receiver.ts';
import { randomOf } from './random.ts';

/** One request: `new` processed now, `known` processed before, `failed` not processed, `refused` not verified. */
export interface Line {
  readonly id: string;
  readonly cursor: string;
  readonly of: string;
  readonly what: 'new' | 'known' | 'failed' | 'refused';
  readonly body: string;
}

export function readJournal(file: string): Line[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

/** Of one change: the wait doubles with each, and a run is to end in minutes. */
const mostFailures = 4;

if (import.meta.main) {
  const [port = '0', journal = '', seed = '0', share = '0'] = process.argv.slice(2);
  const lines = readJournal(journal);
  const random = randomOf(Number(seed) + lines.length, 'receiver');
  const failures: readonly Answer[] = [500, 502, 503, { status: 429, headers: { 'retry-after': '1' } }, 'cut'];
  const failed = new Map<string, number>();
  const { port: taken } = await startReceiver({
    port: Number(port),
    known: lines.filter(({ what }) => what === 'new').map(({ id }) => id),
    answer: ({ cursor }) => {
      const before = failed.get(String(cursor)) ?? 0;
      if (before >= mostFailures || !random.chance(Number(share))) return 204;
      failed.set(String(cursor), before + 1);
      return random.pick(failures);
    },
    onReceived({ id, body, answer, isNew }) {
      const isProcessed = answer === 204 || answer === 'cut';
      const what = answer === 401 ? 'refused' : isNew ? 'new' : isProcessed ? 'known' : 'failed';
      const line: Line = { id, cursor: String(body.cursor), of: String(body.id), what, body: JSON.stringify(body) };
      appendFileSync(journal, `${JSON.stringify(line)}\n`);
    },
  });
  console.log(taken);
}
