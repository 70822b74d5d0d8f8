// One server of the sandbox: its FHIR base, and the `/_control` by which the demo sets the stage and counts. Nobody acts by `/_control`.

import type { Json, JsonObject } from '../json.ts';
import { call } from './http.ts';
import type { Place } from './places.ts';
import { at, objectsAt, textAt } from './reading.ts';
import { until } from './until.ts';

/** A request that reached the server, from its journal. */
export interface Entry {
  readonly n: number;
  readonly method: string;
  /** Below the FHIR base, without the query: `Task/12`, `Patient`, '' for the base itself; else the whole path. */
  readonly path: string;
  readonly status: number;
  readonly isGateway: boolean;
  readonly committed: boolean;
  readonly writes: readonly JsonObject[];
}

export class Server {
  readonly place: Place;
  readonly fhirUrl: string;
  readonly #control: string;
  readonly #signal: AbortSignal;

  /** @param url where the sandbox listens */
  constructor(url: string, place: Place, signal: AbortSignal) {
    this.place = place;
    this.fhirUrl = `${url}${place.fhirPath}`;
    this.#control = `${url}/_control/${place.server}`;
    this.#signal = signal;
  }

  /** Puts resources there as if they had always been there. */
  async seed(resources: readonly JsonObject[]): Promise<void> {
    const entry = resources.map((resource) => ({ resource }));
    await this.#call('POST', 'seed', { resourceType: 'Bundle', type: 'collection', entry });
  }

  /** Lets a search for Tasks do without a patient, as some Epic sites do. */
  async findTasksOfAll(): Promise<void> {
    await this.#call('POST', 'settings', { taskSearchNeedsPatient: false });
  }

  /** Registers a client that signs in with the private half of these keys. */
  async register({ id, scopes }: NonNullable<Place['client']>, jwks: object): Promise<void> {
    await this.#call('POST', 'clients', [{ clientId: id, jwks, scopes }]);
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
    return (await this.journalled(after)).map((entry) => ({
      n: Number(entry.n),
      method: textAt(entry, 'method'),
      path: this.#below(textAt(entry, 'url').split('?')[0] ?? ''),
      status: Number(entry.status),
      isGateway: textAt(entry, 'requestHeaders', 'user-agent') === 'casebridge',
      committed: entry.committed === true,
      writes: objectsAt(entry, 'writes'),
    }));
  }

  /** The same as the server keeps them, bodies included. */
  async journalled(after = 0): Promise<JsonObject[]> {
    return objectsAt({ all: (await this.#call('GET', `journal?after=${after}`)) ?? [] }, 'all');
  }

  /** The number of the last request. */
  async lastRequest(): Promise<number> {
    return (await this.journal()).at(-1)?.n ?? 0;
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

  #below(path: string): string {
    const { fhirPath } = this.place;
    return path.startsWith(fhirPath) ? path.slice(fhirPath.length + 1) : path;
  }

  async #call(method: string, path: string, body?: unknown): Promise<Json | undefined> {
    return (await call(method, `${this.#control}/${path}`, { body, signal: this.#signal })).body;
  }
}

// Asked by POST, though nothing is changed: searches, $match, and tokens.
const asking = /(_search|\/\$match|\/token)$/;

/** True for a request that changed something, or tried to. */
export function isWrite({ method, path, writes }: Entry): boolean {
  return writes.length > 0 || (method !== 'GET' && method !== 'HEAD' && !asking.test(path));
}

/** True for a look at one resource. */
export function isRead({ method, path, isGateway, status }: Entry): boolean {
  return isGateway && method === 'GET' && status === 200 && /^[A-Z]\w*\/[^/]+$/.test(path);
}

/** True when the resource carries this identifier. */
export function hasIdentifier(resource: JsonObject, value: string): boolean {
  return objectsAt(resource, 'identifier').some((identifier) => at(identifier, 'value') === value);
}
