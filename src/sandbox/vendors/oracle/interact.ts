// One interaction below the FHIR base: whether the type has it and the scopes cover it, and who does it. Also the batch, which is many of
// them, each on its own.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import { entryCall, readEntry, statusLine } from '../../engine/bundle-entry.ts';
import type { Action, FhirCall } from '../../engine/engine.ts';
import { operationOutcome, Refusal, refusal } from '../../engine/outcome.ts';
import type { Version } from '../../engine/store.ts';
import { existing } from '../../engine/write.ts';
import { readBinary } from './binary.ts';
import { interactionsOf } from './grammar.ts';
import { brokenRecord, search } from './search.ts';
import { type Oracle, shown, tagOf } from './show.ts';
import { create, patch, remove, update, type Written } from './write.ts';

export interface Answered {
  status: number;
  headers: Record<string, string>;
  resource?: JsonObject;
  /** Of an attachment in its own type. */
  bytes?: Uint8Array;
  written: readonly Version[];
}

/** The token lacks a scope; said in two shapes. */
export class Forbidden extends Error {
  readonly wanted: { type: string; action: Action };

  constructor(wanted: { type: string; action: Action }) {
    super('forbidden');
    this.name = 'Forbidden';
    this.wanted = wanted;
  }
}

/** Accept names no type in which there is an answer. */
export class NotAcceptable extends Error {}

/** @throws Refusal, Forbidden or NotAcceptable */
export function interact(oracle: Oracle, call: FhirCall): Answered {
  if (call.path === '') return batch(oracle, call);
  const [type = '', id, ...rest] = call.path.split('/');
  const { settings, engine } = oracle;
  const letters = interactionsOf(type, settings.interactions);
  if (letters === '' || rest.length > 0 || !engine.definitions.types.has(type)) throw notFound();
  const route = routes[`${call.method}${id === undefined ? '' : ' id'}`];
  if (route === undefined) throw refusal(405, 'not-supported', 'The method is not allowed here.');
  if (!letters.includes(route.letter)) {
    throw refusal(403, 'forbidden', `The interaction ${call.method} on ${type} is not allowed.`);
  }
  if (!call.may(type, route.action)) throw new Forbidden({ type, action: route.action });
  return route.handle(oracle, call, type, id ?? '');
}

interface Route {
  letter: string;
  action: Action;
  handle(oracle: Oracle, call: FhirCall, type: string, id: string): Answered;
}

const routes: Readonly<Record<string, Route>> = {
  GET: { letter: 's', action: 's', handle: (oracle, call, type) => found(search(oracle, call, type)) },
  'GET id': { letter: 'r', action: 'r', handle: read },
  POST: {
    letter: 'c',
    action: 'c',
    handle: (oracle, call, type) => written(oracle, call, () => create(oracle, call, type)),
  },
  'PUT id': {
    letter: 'u',
    action: 'u',
    handle: (oracle, call, type, id) => written(oracle, call, () => update(oracle, call, type, id)),
  },
  'PATCH id': {
    letter: 'p',
    action: 'u',
    handle: (oracle, call, type, id) => written(oracle, call, () => patch(oracle, call, type, id)),
  },
  'DELETE id': {
    letter: 'd',
    action: 'd',
    handle: (oracle, call, type, id) => written(oracle, call, () => remove(oracle, call, type, id)),
  },
};

function found(resource: JsonObject): Answered {
  return { status: 200, headers: {}, resource, written: [] };
}

function read(oracle: Oracle, call: FhirCall, type: string, id: string): Answered {
  if (oracle.settings.poisoned.includes(`${type}/${id}`)) throw brokenRecord();
  if (type === 'Binary') return readAttachment(oracle, call, id);
  const version = existing(oracle.engine, type, id);
  const headers = { etag: `W/"${tagOf(version)}"`, 'last-modified': new Date(version.at).toUTCString() };
  return { status: 200, headers, resource: shown(oracle, version, call.base), written: [] };
}

/** The scope of what refers to it is needed as well. */
function readAttachment(oracle: Oracle, call: FhirCall, id: string): Answered {
  if (!call.may('DocumentReference', 'r')) throw new Forbidden({ type: 'DocumentReference', action: 'r' });
  const attachment = readBinary(oracle, id, call.headers.accept);
  if (attachment === undefined) throw new NotAcceptable();
  const { bytes, contentType, resource } = attachment;
  if (bytes === undefined) return found(resource);
  return { status: 200, headers: { 'content-type': contentType }, bytes, written: [] };
}

function written({ engine, settings }: Oracle, call: FhirCall, work: () => Written): Answered {
  const { result, written: versions } = engine.store.transact(work);
  engine.view.publish(versions, engine.clock.now(), settings.searchLagMs);
  const { status, headers, version } = result;
  const isShown = status === 201 && !settings.emptyCreateReply;
  return {
    status,
    headers,
    written: versions,
    ...(isShown && { resource: shown({ engine, settings }, version, call.base) }),
  };
}

/** Each entry on its own: what one refuses does not concern the others. */
function batch(oracle: Oracle, call: FhirCall): Answered {
  const { body } = call;
  if (call.method !== 'POST') throw notFound();
  if (!isObject(body) || body.resourceType !== 'Bundle' || body.type !== 'batch') {
    throw refusal(422, 'not-supported', 'The base takes a Bundle of type batch.', 'Bundle.type');
  }
  const versions: Version[] = [];
  const entries = (Array.isArray(body.entry) ? body.entry : []).map((entry, index): JsonObject => {
    try {
      const { status, headers, resource, written: own } = interact(oracle, callOf(call, entry, index));
      versions.push(...own);
      const { etag, location } = headers;
      return {
        ...(resource !== undefined && { resource }),
        response: {
          status: statusLine(status),
          ...(location !== undefined && { location }),
          ...(etag !== undefined && { etag }),
        },
      };
    } catch (error) {
      const { status, issues } = asRefusal(error);
      return { response: { status: statusLine(status), outcome: operationOutcome('error', issues) } };
    }
  });
  const resource = { resourceType: 'Bundle', type: 'batch-response', ...(entries.length > 0 && { entry: entries }) };
  return { status: 200, headers: {}, resource, written: versions };
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof Forbidden) return refusal(403, 'forbidden', 'The token lacks a scope.');
  if (error instanceof NotAcceptable) return refusal(406, 'not-supported', 'Accept names another type.');
  throw error;
}

/** @throws Refusal 400 or 404 for an entry that is no interaction */
function callOf(call: FhirCall, value: Json, index: number): FhirCall {
  const entry = readEntry(value, index, call.base);
  if (entry.path === '') throw notFound();
  const { headers, ...rest } = entryCall(call, entry);
  return { ...rest, headers: { ...headers, accept: call.headers.accept } };
}

function notFound(): Refusal {
  return refusal(404, 'not-found', 'Not Found');
}
