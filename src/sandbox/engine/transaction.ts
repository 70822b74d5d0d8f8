// transaction and batch (https://hl7.org/fhir/R4/http.html#trules). A transaction works out the identity of every entry first and replaces the
// fullUrls in references by them. Then it does deletes, creates, updates, patches and reads, in that order, all of them or none; searches in it
// see the time before. Not Medplum's batch processor: that refuses more than 8 entries where one creates conditionally.

import { isObject, type Json, type JsonObject } from '../../json.ts';
import {
  type Entry,
  entryCall,
  methodOrder,
  readEntry,
  responseEntry,
  splitQuery,
  statusLine,
} from './bundle-entry.ts';
import { dispatch } from './dispatch.ts';
import type { Answer, Engine, FhirCall } from './engine.ts';
import { operationOutcome, Refusal, refusal } from './outcome.ts';
import { onlyMatch } from './search.ts';
import type { Version } from './store.ts';

/** An entry of a transaction whose identity is known. */
interface PlannedEntry extends Entry {
  /** For a create: the id that the resource will have. */
  assignedId?: string;
  /** For a conditional create: what is already there. */
  existing?: Version;
}

/** @throws Refusal of the first entry that fails in a transaction; 400 for a Bundle that is none of the two */
export function processBundle(engine: Engine, call: FhirCall): Answer {
  const { body } = call;
  if (!isObject(body) || body.resourceType !== 'Bundle' || (body.type !== 'transaction' && body.type !== 'batch')) {
    throw refusal(400, 'invalid', 'The base takes a Bundle of type transaction or batch.', 'Bundle.type');
  }
  const entries = (Array.isArray(body.entry) ? body.entry : []).map((entry, index) =>
    readEntry(entry, index, call.base),
  );
  const answers = body.type === 'batch' ? batch(engine, call, entries) : transaction(engine, call, entries);
  const type = `${body.type}-response`;
  return { status: 200, body: { resourceType: 'Bundle', type, ...(answers.length > 0 && { entry: answers }) } };
}

function batch(engine: Engine, call: FhirCall, entries: readonly Entry[]): JsonObject[] {
  return entries.map((entry) => {
    try {
      const { result, written } = engine.store.transact(() => dispatch(engine, entryCall(call, entry)));
      engine.view.publish(written, engine.clock.now(), engine.settings.searchLagMs);
      return responseEntry(engine, call, result);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { response: { status: statusLine(error.status), outcome: operationOutcome('error', error.issues) } };
    }
  });
}

function transaction(engine: Engine, call: FhirCall, entries: readonly Entry[]): JsonObject[] {
  const identities = new Map<string, string>();
  const planned = new Set<string>();
  const resolved = entries.map((entry) => {
    const target = inEntry(entry.index, () => identify(engine, call, entry, planned));
    if (target.fullUrl !== undefined) identities.set(target.fullUrl, referenceTo(target));
    return target;
  });
  const responses: JsonObject[] = [];
  for (const method of methodOrder) {
    for (const entry of resolved.filter((candidate) => candidate.method === method)) {
      const answer = inEntry(entry.index, () => carryOut(engine, call, entry, identities, planned));
      responses[entry.index] = responseEntry(engine, call, answer);
    }
  }
  return responses;
}

/** Finds what the entry is about, makes a conditional entry a plain one, and refuses two entries about the same. */
function identify(engine: Engine, call: FhirCall, entry: Entry, planned: Set<string>): PlannedEntry {
  if (entry.method === 'GET') return entry;
  const [type = ''] = entry.path.split('/');
  const known = engine.definitions.types.has(type);
  const target = known ? unconditional(engine, call, entry, type) : entry;
  const reference = referenceTo(target);
  const condition = entry.method === 'POST' ? entry.headers['if-none-exist'] : undefined;
  for (const identity of [reference, ...(condition === undefined ? [] : [`${type}?${condition}`])]) {
    if (planned.has(identity))
      throw refusal(400, 'duplicate', `Two entries of the transaction are about the same ${type}.`);
    planned.add(identity);
  }
  if (entry.method === 'DELETE') planned.delete(reference);
  return target;
}

function unconditional(engine: Engine, call: FhirCall, entry: Entry, type: string): PlannedEntry {
  if (entry.method === 'POST') {
    const { 'if-none-exist': condition, ...headers } = entry.headers;
    const counts = condition !== undefined && engine.settings.conditionalCreate;
    const existing = counts ? onlyMatch(engine, type, [...new URLSearchParams(condition)], call.base) : undefined;
    if (existing !== undefined) return { ...entry, existing };
    return { ...entry, headers, assignedId: engine.store.unusedId(type) };
  }
  if (entry.method !== 'PUT' || entry.criteria === '') return entry;
  const own = entry.resource?.id;
  const match = onlyMatch(engine, type, [...new URLSearchParams(entry.criteria)], call.base);
  const id = match?.id ?? (typeof own === 'string' ? own : engine.store.unusedId(type));
  const resource: JsonObject = { id, ...entry.resource };
  return { ...entry, path: `${type}/${id}`, criteria: '', resource };
}

function referenceTo({ path, assignedId, existing }: PlannedEntry): string {
  const [type = '', id] = path.split('/');
  return `${type}/${existing?.id ?? assignedId ?? id}`;
}

function carryOut(
  engine: Engine,
  call: FhirCall,
  entry: PlannedEntry,
  identities: ReadonlyMap<string, string>,
  planned: ReadonlySet<string>,
): Answer {
  const { existing, assignedId } = entry;
  if (existing !== undefined && call.may(existing.resourceType, 'c')) {
    return { status: 200, version: existing, located: true };
  }
  const resource = entry.resource && resolveReferences(engine, call.base, entry.resource, identities);
  const plan = { planned, ...(assignedId !== undefined && { assignedId }) };
  return dispatch(engine, { ...entryCall(call, { ...entry, ...(resource && { resource }) }), plan });
}

/** Replaces fullUrls by identities, and conditional references by their only match. */
function resolveReferences(
  engine: Engine,
  base: string,
  resource: JsonObject,
  identities: ReadonlyMap<string, string>,
): JsonObject {
  const replace = (key: string, value: Json): Json => {
    if (typeof value === 'string') return key === 'reference' || key === 'url' ? resolve(key, value) : value;
    if (Array.isArray(value)) return value.map((item) => replace(key, item));
    return isObject(value) ? replaceIn(value) : value;
  };
  const replaceIn = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, replace(key, value)]));
  const resolve = (key: string, value: string): string => {
    const identity = identities.get(value);
    const [type, criteria] = splitQuery(value);
    if (identity !== undefined || key !== 'reference' || criteria === undefined) return identity ?? value;
    const match = engine.definitions.types.has(type)
      ? onlyMatch(engine, type, [...new URLSearchParams(criteria)], base)
      : undefined;
    if (match === undefined) throw refusal(412, 'not-found', `Nothing matches the conditional reference to ${type}.`);
    return `${type}/${match.id}`;
  };
  return replaceIn(resource);
}

/** Adds to a refusal which entry it is about. */
function inEntry<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const issues = error.issues.map((issue) => ({ ...issue, text: `Entry ${index + 1}: ${issue.text}` }));
    throw new Refusal(error.status, issues, error.headers);
  }
}
