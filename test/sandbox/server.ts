// A sandbox for one test file, reached by HTTP only.

import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';

/** Tests look into answers of any shape. */
export type Parsed = ReturnType<typeof JSON.parse>;

export interface Answered {
  status: number;
  headers: Headers;
  /** Undefined for an empty body, text where it is no JSON. */
  body: Parsed;
}

export interface Options {
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Client {
  /** Such as http://127.0.0.1:1234/standard/fhir/R4. */
  readonly base: string;
  readonly tokenUrl: string;
  /** A request below the FHIR base, or to an absolute URL. Bodies are sent as application/fhir+json unless a header says otherwise. */
  fhir(method: string, path: string, options?: Options): Promise<Answered>;
  control(method: string, path: string, body?: unknown): Promise<Answered>;
  /** The id of a new resource. */
  created(resource: Record<string, unknown>): Promise<string>;
  journal(): Promise<Parsed[]>;
}

/** Starts the sandbox before all tests of a file, resets it before each, stops it after them. */
export function useSandbox(): Client {
  let sandbox: Sandbox | undefined;
  const url = () => sandbox?.url ?? '';
  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0 });
  });
  beforeEach(async () => {
    await send('POST', `${url()}/_control/standard/reset`);
  });
  afterAll(async () => {
    await sandbox?.stop();
  });
  const fhir: Client['fhir'] = (method, path, options) => {
    const base = `${url()}/standard/fhir/R4`;
    return send(method, path.startsWith('http') ? path : path === '' ? base : `${base}/${path}`, options);
  };
  const control: Client['control'] = (method, path, body) =>
    send(method, `${url()}/_control/standard/${path}`, body === undefined ? {} : { body });
  return {
    get base() {
      return `${url()}/standard/fhir/R4`;
    },
    get tokenUrl() {
      return `${url()}/standard/oauth2/token`;
    },
    fhir,
    control,
    async created(resource) {
      const answer = await fhir('POST', String(resource.resourceType), { body: resource });
      if (answer.status !== 201) throw new Error(`Not created: ${JSON.stringify(answer.body)}`);
      return answer.body.id;
    },
    async journal() {
      return (await control('GET', 'journal')).body;
    },
  };
}

async function send(method: string, url: string, { body, headers = {} }: Options = {}): Promise<Answered> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = body === undefined ? {} : { 'content-type': 'application/fhir+json' };
  const init = { method, headers: { ...type, ...headers }, ...(text !== undefined && { body: text }) };
  const response = await fetch(url, init);
  const answer = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && answer !== '' ? JSON.parse(answer) : answer || undefined,
  };
}

/** An invented person; every field may be replaced. */
export function aPatient(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    resourceType: 'Patient',
    identifier: [{ system: 'https://agency.example.org/ids', value: 'county/client/c1#patient' }],
    name: [{ family: 'Ødegård-Lim', given: ['Noémie', 'Rae'] }],
    gender: 'female',
    birthDate: '1984-02-29',
    ...change,
  };
}

export function aTask(patientId: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    for: { reference: `Patient/${patientId}` },
    authoredOn: '2026-03-02T10:00:00Z',
    ...change,
  };
}
