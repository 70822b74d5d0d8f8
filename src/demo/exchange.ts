// The community exchange: its FHIR base, and the sandbox's `/_control` by which the demo sets the stage and counts. Nobody acts by `/_control`.

import type { Json, JsonObject } from '../json.ts';
import { call } from './http.ts';
import { at, objectsAt, textAt } from './reading.ts';
import { until } from './until.ts';

/** A request that reached the exchange, from its journal. */
export interface Entry {
  readonly n: number;
  readonly method: string;
  /** Below the FHIR base, without the query: `Task/12`, `Patient`, '' for the base itself. */
  readonly path: string;
  readonly status: number;
  readonly isGateway: boolean;
  readonly committed: boolean;
  readonly writes: readonly JsonObject[];
}

const fhirPath = '/standard/fhir/R4';

export class Exchange {
  readonly fhirUrl: string;
  readonly #control: string;
  readonly #signal: AbortSignal;

  /** @param url where the sandbox listens */
  constructor(url: string, signal: AbortSignal) {
    this.fhirUrl = `${url}${fhirPath}`;
    this.#control = `${url}/_control/standard`;
    this.#signal = signal;
  }

  /** Puts resources there as if they had always been there. */
  async seed(resources: readonly JsonObject[]): Promise<void> {
    const entry = resources.map((resource) => ({ resource }));
    await this.#call('POST', 'seed', { resourceType: 'Bundle', type: 'collection', entry });
  }

  /** All resources of a type as they are now. */
  async resources(type: string): Promise<JsonObject[]> {
    return objectsAt({ all: (await this.#call('GET', `resources/${type}`)) ?? [] }, 'all');
  }

  /** How many resources there are, by type. */
  async counts(): Promise<Map<string, number>> {
    const counts = (await this.#call('GET', 'resources')) ?? {};
    return new Map(Object.entries(counts).map(([type, count]) => [type, Number(count)]));
  }

  /** The requests after number `after`. */
  async journal(after = 0): Promise<Entry[]> {
    const entries = objectsAt({ all: (await this.#call('GET', `journal?after=${after}`)) ?? [] }, 'all');
    return entries.map((entry) => ({
      n: Number(entry.n),
      method: textAt(entry, 'method'),
      path: (textAt(entry, 'url').split('?')[0] ?? '').slice(fhirPath.length + 1),
      status: Number(entry.status),
      isGateway: textAt(entry, 'requestHeaders', 'user-agent') === 'casebridge',
      committed: entry.committed === true,
      writes: objectsAt(entry, 'writes'),
    }));
  }

  /** The reply to the next POST gets lost: the server does its work, then cuts the connection. */
  async loseNextReply(): Promise<void> {
    await this.#call('POST', 'faults', [{ method: 'POST', nth: 1, fault: { drop: 'after-commit' } }]);
  }

  /** Waits until that has happened. */
  async untilReplyLost(): Promise<void> {
    await until('the reply that gets lost', { seconds: 30, signal: this.#signal }, async () => {
      const faults = objectsAt({ all: (await this.#call('GET', 'faults')) ?? [] }, 'all');
      return faults.some(({ fired }) => fired === 1) ? { found: true } : { missing: 'nothing was sent' };
    });
  }

  async #call(method: string, path: string, body?: unknown): Promise<Json | undefined> {
    return (await call(method, `${this.#control}/${path}`, { body, signal: this.#signal })).body;
  }
}

/** True for a request that changed something, or tried to. */
export function isWrite({ method, path, committed, writes }: Entry): boolean {
  const isSearch = method === 'POST' && path.endsWith('_search');
  return committed || writes.length > 0 || (method !== 'GET' && method !== 'HEAD' && !isSearch);
}

/** True for a look at one resource. */
export function isRead({ method, path, isGateway, status }: Entry): boolean {
  return isGateway && method === 'GET' && status === 200 && /^[A-Z]\w*\/[^/]+$/.test(path);
}

/** True when the resource carries this identifier. */
export function hasIdentifier(resource: JsonObject, value: string): boolean {
  return objectsAt(resource, 'identifier').some((identifier) => at(identifier, 'value') === value);
}
