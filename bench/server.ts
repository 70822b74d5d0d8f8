// A FHIR server of the bench: one of the sandbox, which is a process of its own, and what it holds.

import { isObject, type Json, type JsonObject } from '../src/json.ts';
import { oracleTenant } from '../src/sandbox/vendors/oracle/tenant.ts';
import { type Declared, declaredIn } from '../test/support/declared.ts';

const fhirPaths = {
  standard: '/standard/fhir/R4',
  epic: '/epic/api/FHIR/R4',
  oracle: `/oracle/r4/${oracleTenant}`,
} as const;

/** A request that reached it. */
export interface Entry {
  readonly at: string;
  readonly method: string;
  /** Below the FHIR base, without the query: `Task/12`, `Patient`, '' for the base itself. */
  readonly path: string;
  readonly status: number;
  readonly body: string;
  /** It carries If-None-Exist. */
  readonly isConditional: boolean;
  /** Whether it was carried out. */
  readonly committed: boolean;
}

export class Server {
  readonly name: keyof typeof fhirPaths;
  readonly fhirUrl: string;
  readonly #control: string;

  /** @param url where the sandbox listens */
  constructor(url: string, name: keyof typeof fhirPaths) {
    this.name = name;
    this.fhirUrl = `${url}${fhirPaths[name]}`;
    this.#control = `${url}/_control/${name}`;
  }

  /** It knows these resources already; it asks for no token. */
  async prepare(seed?: JsonObject): Promise<void> {
    await this.#call('POST', 'settings', { auth: 'none' });
    if (seed !== undefined) await this.#call('POST', 'seed', seed);
  }

  /** The requests so far, after the first `after`. */
  async journal(after = 0): Promise<Entry[]> {
    return listOf(await this.#call('GET', `journal?after=${after}`)).map((entry) => ({
      at: String(entry.at),
      method: String(entry.method),
      path: (String(entry.url).split('?')[0] ?? '').slice(fhirPaths[this.name].length + 1),
      status: Number(entry.status),
      body: entry.requestBody === undefined ? '' : JSON.stringify(entry.requestBody),
      isConditional: isObject(entry.requestHeaders) && entry.requestHeaders['if-none-exist'] !== undefined,
      committed: entry.committed === true,
    }));
  }

  /** The newest version of each resource of a type. */
  async all(type: string): Promise<JsonObject[]> {
    return listOf(await this.#call('GET', `resources/${type}`));
  }

  /** What its CapabilityStatement says that it takes. */
  async declared(): Promise<Declared> {
    const response = await fetch(`${this.fhirUrl}/metadata`, { headers: { accept: 'application/fhir+json' } });
    return declaredIn(JSON.parse(await response.text()));
  }

  /** As after its start, with these settings. */
  async fresh(settings: JsonObject = {}): Promise<void> {
    await this.#call('POST', 'reset');
    await this.#call('POST', 'settings', settings);
  }

  /** Replaces its faults. */
  async setFaults(rules: Json[]): Promise<void> {
    await this.#call('POST', 'faults', rules);
  }

  /** All that it holds, in the order in which it was made. */
  async resources(): Promise<JsonObject[]> {
    const types = Object.keys(objectOf(await this.#call('GET', 'resources')));
    const all = await Promise.all(types.map(async (type) => listOf(await this.#call('GET', `resources/${type}`))));
    return all.flat().toSorted((one, other) => Number(one.id) - Number(other.id));
  }

  /** How it misbehaves from now on. */
  async faults(rules: readonly JsonObject[]): Promise<void> {
    await this.#call('POST', 'faults', [...rules]);
  }

  /** Requests so far. */
  async requestCount(): Promise<number> {
    return listOf(await this.#call('GET', 'journal')).length;
  }

  async #call(method: string, path: string, body?: Json): Promise<Json> {
    const sent = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${this.#control}/${path}`, { method, ...sent });
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}`);
    const text = await response.text();
    return text === '' ? null : JSON.parse(text);
  }
}

function listOf(value: Json): JsonObject[] {
  if (!Array.isArray(value)) throw new Error('a list was expected');
  return value.filter(isObject);
}

function objectOf(value: Json): JsonObject {
  if (!isObject(value)) throw new Error('an object was expected');
  return value;
}
