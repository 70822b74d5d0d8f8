// The gateway as a source and an operator see it: by HTTP, at whichever of its processes answers.

import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { objects } from './simulated.ts';

export const tokens = { county: 'county-secret', ops: 'ops-secret' };
type Caller = keyof typeof tokens;

export class GatewayClient {
  readonly #urls: () => readonly string[];
  #asked = 0;

  /** @param urls where the processes listen that run just now */
  constructor(urls: () => readonly string[]) {
    this.#urls = urls;
  }

  get urls(): readonly string[] {
    return this.#urls();
  }

  /** What an operator asks for. @throws when no process answers with 2xx */
  async ask(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    { as = 'ops', body }: { readonly as?: Caller; readonly body?: JsonObject } = {},
  ): Promise<JsonObject> {
    const urls = this.#urls();
    this.#asked += 1;
    const url = urls[this.#asked % urls.length];
    if (url === undefined) throw new Error('no process of the gateway listens');
    const headers = { authorization: `Bearer ${tokens[as]}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    const value: Json = JSON.parse(text);
    return isObject(value) ? value : {};
  }

  /** Every item of a list. */
  async all(path: string, as: Caller = 'ops'): Promise<JsonObject[]> {
    const items: JsonObject[] = [];
    for (let after = ''; ; ) {
      const page = await this.ask('GET', `${path}${path.includes('?') ? '&' : '?'}limit=1000${after}`, { as });
      const found = objects(page.items);
      items.push(...found);
      if (found.length < 1000 || typeof page.next !== 'string') return items;
      after = `&after=${encodeURIComponent(page.next)}`;
    }
  }

  /** How many lanes have work. */
  async due(): Promise<number> {
    const [url] = this.#urls();
    const text = await (await fetch(`${url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith('casebridge_lanes_due{'));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Waits until no lane has work. @returns milliseconds, or undefined when lanes still had work after `withinMs` */
  async drained(withinMs: number): Promise<number | undefined> {
    const started = performance.now();
    while ((await this.due()) > 0) {
      if (performance.now() - started > withinMs) return undefined;
      await sleep(100);
    }
    return Math.round(performance.now() - started);
  }

  /** All lanes, at a moment when none has work: what a poll finds may have set one going again. */
  async lanesAtRest(withinMs: number): Promise<JsonObject[]> {
    const started = performance.now();
    for (;;) {
      const lanes = await this.all('/api/lanes');
      const isBusy = lanes.some(({ state }) => state === 'running' || state === 'due');
      if (!isBusy || performance.now() - started > withinMs) return lanes;
      await sleep(500);
    }
  }

  /** Every lane looks at each of its resources again. */
  async runAll(): Promise<void> {
    const lanes = await this.all('/api/lanes');
    await each(lanes, 8, async ({ connection, subject }) => {
      await this.ask('POST', `/api/lanes/${connection}/${subject}/run`);
    });
  }
}

/** Does the work for all items, so many at a time. */
export async function each<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
