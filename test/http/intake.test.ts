// How far a stream is read ahead of what is being stored: that is what keeps memory constant, however long the stream is.

import { expect, test } from '@jest/globals';
import { takeIn } from '../../src/http/http.ts';
import { type CheckedRecord, shippedSchemas } from '../../src/records/records.ts';
import { aReferral } from '../builders.ts';

interface Source {
  /** Lines that were asked for. */
  readonly pulled: () => number;
  readonly stream: AsyncIterable<Uint8Array>;
}

/** A stream of records without an end, a line at a time. */
function endless(): Source {
  let pulled = 0;
  async function* lines(): AsyncGenerator<Uint8Array> {
    for (;;) {
      pulled += 1;
      yield Buffer.from(`${JSON.stringify({ type: 'referral', record: aReferral({ id: `r${pulled}` }) })}\n`);
    }
  }
  return { pulled: () => pulled, stream: lines() };
}

test('an endless stream is read one batch and one line ahead, and no further until that batch is stored', async () => {
  const { promise: stored, resolve: store } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<number>();
  const source = endless();
  const accept = async (items: readonly CheckedRecord[]) => {
    begin(items.length);
    await stored;
    return items.map(() => ({ outcome: 'accepted' as const, version: 1, lanes: [] }));
  };
  const answers = takeIn(source.stream, { schemas: async () => shippedSchemas, accept })[Symbol.asyncIterator]();
  const first = answers.next();
  expect(await begun).toBe(100);
  for (let turn = 0; turn < 1000; turn += 1) await new Promise(setImmediate);
  expect(source.pulled()).toBe(101);

  store();
  expect((await first).value).toHaveLength(100);
  for (let turn = 0; turn < 1000; turn += 1) await new Promise(setImmediate);
  expect(source.pulled()).toBe(101);
  await answers.return?.(undefined);
});
