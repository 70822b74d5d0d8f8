// A community partner with FHIR software of its own. It works on the exchange alone and knows nothing of Casebridge: finds the Tasks that it
// owns, moves them by PUT with If-Match, and says what it did by a Procedure (closed loop, "direct light").

import { isObject, type JsonObject } from '../json.ts';
import { call } from './http.ts';
import { DemoProblem } from './problem.ts';
import { at, objectsAt, textAt } from './reading.ts';
import { until } from './until.ts';

const temporaryCodes = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';
const snomed = 'http://snomed.info/sct';

export interface PartnerOptions {
  /** As the exchange's directory has it. */
  readonly name: string;
  /** What the partner's software writes as meta.source. */
  readonly home: string;
  readonly fhirUrl: string;
  readonly signal: AbortSignal;
}

export class Partner {
  readonly name: string;
  readonly #options: PartnerOptions;

  constructor(options: PartnerOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** The open Task whose order asks for `text`, as it shows up in the partner's work list. */
  async findTask(text: string): Promise<JsonObject> {
    const owner = await this.#ownReference();
    return until<JsonObject>(`a Task for ${this.name}`, { seconds: 30, signal: this.#options.signal }, async () => {
      const tasks = await this.#search('Task', { owner, status: 'requested' });
      for (const task of tasks) {
        const order = await this.#read(textAt(task, 'focus', 'reference'));
        if (textAt(order, 'code', 'text') === text) return { found: task };
      }
      return { missing: `${tasks.length} requested Tasks are there, none of them this one` };
    });
  }

  /** Moves the Task on, from the version that is there now. */
  async move(task: JsonObject, status: string, change: JsonObject = {}): Promise<void> {
    const path = `Task/${textAt(task, 'id')}`;
    const { resource, versionTag } = await this.#readVersion(path);
    const { meta } = resource;
    const body = {
      ...resource,
      ...change,
      meta: { ...(isObject(meta) && meta), source: this.#options.home },
      status,
      lastModified: new Date().toISOString(),
    };
    await this.#call('PUT', path, body, { 'if-match': versionTag });
  }

  /** A remark to go with a move. */
  async note(text: string): Promise<JsonObject> {
    return { authorReference: { reference: await this.#ownReference() }, time: new Date().toISOString(), text };
  }

  /** Records that food was given, for the person and the order of the Task. @returns the output for the Task */
  async gaveFood(task: JsonObject): Promise<JsonObject> {
    const { headers } = await this.#call('POST', 'Procedure', {
      resourceType: 'Procedure',
      meta: { source: this.#options.home },
      status: 'completed',
      category: {
        coding: [
          { system: snomed, code: '410606002', display: 'Social service procedure' },
          { system: temporaryCodes, code: 'food-insecurity', display: 'Food Insecurity' },
        ],
      },
      code: { coding: [{ system: snomed, code: '710925007', display: 'Provision of food' }] },
      subject: { reference: textAt(task, 'for', 'reference') },
      basedOn: [{ reference: textAt(task, 'focus', 'reference') }],
      performedDateTime: new Date().toISOString(),
    });
    const [, reference] = /(Procedure\/[^/]+)/.exec(headers.get('location') ?? '') ?? [];
    if (reference === undefined) throw new DemoProblem('The exchange did not say where the new Procedure is.');
    return {
      type: { coding: [{ system: temporaryCodes, code: 'resulting-activity' }] },
      valueReference: { reference },
    };
  }

  async #ownReference(): Promise<string> {
    const found = await this.#search('Organization', { name: this.name });
    const own = found.find(({ name }) => name === this.name);
    if (own === undefined) throw new DemoProblem(`${this.name} is not in the exchange's directory.`);
    return `Organization/${textAt(own, 'id')}`;
  }

  async #search(type: string, query: Record<string, string>): Promise<JsonObject[]> {
    const { body } = await this.#call('GET', `${type}?${new URLSearchParams(query)}`);
    return objectsAt(body, 'entry').flatMap(({ resource }) => (isObject(resource) ? [resource] : []));
  }

  async #read(reference: string): Promise<JsonObject> {
    return (await this.#readVersion(reference)).resource;
  }

  async #readVersion(path: string): Promise<{ resource: JsonObject; versionTag: string }> {
    const { body, headers } = await this.#call('GET', path);
    if (isObject(body))
      return { resource: body, versionTag: headers.get('etag') ?? `W/"${textAt(body, 'meta', 'versionId')}"` };
    throw new DemoProblem(`The exchange answered GET ${path} without a resource.`);
  }

  #call(method: string, path: string, body?: JsonObject, headers: Record<string, string> = {}) {
    const { fhirUrl, signal } = this.#options;
    return call(method, `${fhirUrl}/${path}`, {
      body,
      mediaType: 'application/fhir+json',
      headers: { accept: 'application/fhir+json', ...headers },
      signal,
    });
  }
}

/** One version of a Task as the server's history has it. */
export interface TaskVersion {
  readonly version: number;
  readonly status: string;
  /** meta.source: the software that wrote it. */
  readonly source: string;
  /** ISO instant of the server. */
  readonly when: string;
}

/** The versions of a Task, oldest first, from the server's `_history`. */
export async function taskVersions(fhirUrl: string, id: string, signal: AbortSignal): Promise<TaskVersion[]> {
  const { body } = await call('GET', `${fhirUrl}/Task/${id}/_history`, { signal });
  const versions = objectsAt(body, 'entry').map(({ resource }) => ({
    version: Number(textAt(resource, 'meta', 'versionId')),
    status: textAt(resource, 'status'),
    source: textAt(resource, 'meta', 'source'),
    when: textAt(resource, 'meta', 'lastUpdated'),
  }));
  return versions.sort((a, b) => a.version - b.version);
}

/** True for a Task that has ended and says what was done. */
export function isClosed(task: JsonObject): boolean {
  const hasEnded = ['completed', 'failed', 'rejected', 'cancelled'].includes(textAt(task, 'status'));
  const outputs = objectsAt(task, 'output').flatMap((output) => objectsAt(at(output, 'type'), 'coding'));
  return hasEnded && outputs.some(({ code }) => code === 'resulting-activity');
}
