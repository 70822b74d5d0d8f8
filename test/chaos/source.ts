// The case-management system: it sends record changes to whichever process of the gateway answers, and notes what it was told of each. What it
// was told nothing of, it sends again, as a source does; sending again is safe.

import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type Json } from '../../src/json.ts';
import { each, type GatewayClient, tokens } from './gateway.ts';
import type { Random } from './random.ts';
import type { Change } from './workload.ts';

/** `unknown`: it was never told. */
export type Outcome = 'accepted' | 'unchanged' | 'stale' | 'refused' | 'unknown';

export interface Answer {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly deleted: boolean;
  readonly outcome: Outcome;
}

const answerWithinMs = 10_000;
const sendersAtOnce = 4;

export class Source {
  /** One for each sending of each change. */
  readonly answers: Answer[] = [];
  /** How often it was told what in place of what became of records, such as `PUT 503 store-unavailable`. */
  readonly refusals = new Map<string, number>();
  readonly #gateway: GatewayClient;
  readonly #random: Random;

  constructor(gateway: GatewayClient, random: Random) {
    this.#gateway = gateway;
    this.#random = random;
  }

  /**
   * Sends the changes, spread over the time, until each has been answered.
   * @param overMs the least time that it takes
   * @param mostLines of one stream
   */
  async send(changes: readonly Change[], overMs: number, mostLines = 20): Promise<void> {
    const started = performance.now();
    let sent = 0;
    await each(this.#batches(changes, mostLines), sendersAtOnce, async (batch) => {
      const dueMs = started + (sent / changes.length) * overMs - performance.now();
      sent += batch.length;
      if (dueMs > 0) await sleep(dueMs);
      await this.#untilAnswered(batch);
    });
  }

  #batches(changes: readonly Change[], mostLines: number): Change[][] {
    const batches: Change[][] = [];
    for (let at = 0; at < changes.length; ) {
      const size = this.#random.chance(0.3) ? 1 : 1 + this.#random.below(mostLines);
      batches.push(changes.slice(at, at + size));
      at += size;
    }
    return batches;
  }

  async #untilAnswered(batch: readonly Change[]): Promise<void> {
    for (let left = batch; left.length > 0; ) {
      const outcomes = await this.#sendOnce(left);
      for (const [at, { type, id, version, deleted }] of left.entries()) {
        this.answers.push({ type, id, version, deleted, outcome: outcomes[at] ?? 'unknown' });
      }
      left = left.filter((_, at) => (outcomes[at] ?? 'unknown') === 'unknown');
      if (left.length > 0) await sleep(this.#random.between(50, 500));
    }
  }

  async #sendOnce(batch: readonly Change[]): Promise<Outcome[]> {
    while (this.#gateway.urls.length === 0) await sleep(50);
    const url = this.#random.pick(this.#gateway.urls);
    const [only] = batch;
    return batch.length === 1 && only !== undefined && this.#random.chance(0.5)
      ? [await this.#putOne(url, only)]
      : this.#postMany(url, batch);
  }

  async #putOne(url: string, { type, id, record }: Change): Promise<Outcome> {
    const path = `${url}/api/records/${type}/${id}`;
    const text = await this.#request('PUT', path, 'application/json', JSON.stringify(record));
    return text === undefined ? 'unknown' : outcomeIn(text);
  }

  async #postMany(url: string, batch: readonly Change[]): Promise<Outcome[]> {
    const lines = batch.map(({ type, record }) => `${JSON.stringify({ type, record })}\n`).join('');
    const text = await this.#request('POST', `${url}/api/records`, 'application/x-ndjson', lines);
    const answers = (text ?? '').split('\n').filter((line) => line.startsWith('{"line"'));
    return answers.map(outcomeIn);
  }

  /** @returns what came of the body, also of one that was cut; undefined without a good answer */
  async #request(method: 'PUT' | 'POST', url: string, type: string, body: string): Promise<string | undefined> {
    let text = '';
    try {
      const headers = { authorization: `Bearer ${tokens.county}`, 'content-type': type };
      const response = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(answerWithinMs) });
      if (response.status >= 500 || response.status === 429) {
        this.#refused(`${method} ${await refusalIn(response)}`);
        return undefined;
      }
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    } catch {
      // Cut off: lines that came whole count.
      this.#refused(`${method} cut`);
    }
    return text;
  }

  #refused(what: string): void {
    this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1);
  }
}

async function refusalIn(response: Response): Promise<string> {
  const problem: Json = JSON.parse(await response.text());
  const wait = response.headers.has('retry-after') ? ', to be tried again' : '';
  return `${response.status} ${isObject(problem) ? problem.code : ''}${wait}`;
}

function outcomeIn(line: string): Outcome {
  try {
    const value: Json = JSON.parse(line);
    const said = isObject(value) ? value.outcome : undefined;
    if (said === 'accepted' || said === 'unchanged' || said === 'stale' || said === 'refused') return said;
    return isObject(value) && value.code === 'record-refused' ? 'refused' : 'unknown';
  } catch {
    return 'unknown';
  }
}
