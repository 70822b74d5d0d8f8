// Records in and out: PUT one, POST a stream, GET one with what became of it.

import type { Response } from 'express';
import { CasebridgeError } from '../../errors.ts';
import {
  type FieldError,
  isRecordType,
  kindOf,
  parseRecord,
  type RecordKey,
  type RecordType,
} from '../../records/records.ts';
import { readJson, streamBody } from '../body.ts';
import { emptyCounts, takeIn } from '../intake.ts';
import { keepCallersLook } from '../looks.ts';
import { addressedSource } from '../principal.ts';
import { FieldsRefused } from '../problem.ts';
import { findRecord, linksOf, remoteValues } from '../queries/record.ts';
import type { Call, Route } from '../route.ts';

/** Media types of a stream of records. */
export const recordStreamTypes = ['application/x-ndjson', 'application/ndjson', 'application/json'] as const;

export const recordRoutes: readonly Route[] = [
  {
    method: 'PUT',
    path: '/api/records/{type}/{id}',
    summary: 'Send one record. Answered after it is committed.',
    access: { source: true },
    takes: ['application/json'],
    takesRecords: true,
    status: 202,
    handle: putRecord,
  },
  {
    method: 'POST',
    path: '/api/records',
    summary:
      'Send many records, as NDJSON or a JSON array of {type, record}. Each line is answered in order as it is committed; read the answer while you send. Without the last line {done: true, …} the stream was cut, and sending it again is safe.',
    access: { source: true },
    takes: recordStreamTypes,
    takesRecords: true,
    answers: ['application/x-ndjson'],
    accepts: recordStreamTypes,
    handle: postRecords,
  },
  {
    method: 'GET',
    path: '/api/records/{type}/{id}',
    summary: 'One record as its source sent it, what the other sides say of it, its FHIR resources and their links.',
    access: { source: true, operator: 'read' },
    query: ['source'],
    handle: getRecord,
  },
];

async function putRecord(call: Call): Promise<object> {
  const { gateway } = call;
  const { source, type, id } = addressedRecord(call);
  const value = await readJson(call);
  const schemas = await gateway.schemas();
  const timeZone = gateway.config.sources.get(source)?.timeZone;
  const parsed = parseRecord(type, value, { now: new Date(), timeZone, schemas });
  if (!parsed.ok) {
    gateway.metrics.records.inc({ source, outcome: 'refused' });
    throw new FieldsRefused('record-refused', parsed.errors);
  }
  if (parsed.record.id !== id) throw new FieldsRefused('record-id-differs', [idDiffers(parsed.record.id)]);
  const [result] = await gateway.accept(source, [{ type, record: parsed.record }]);
  if (!result) throw new Error('acceptance answered nothing');
  gateway.metrics.records.inc({ source, outcome: result.outcome });
  if (result.errors) throw new FieldsRefused('record-refused', result.errors);
  return { outcome: result.outcome, version: result.version, lanes: result.lanes };
}

function idDiffers(found: string): FieldError {
  const message = '/id must be the id in the address.';
  return { pointer: '/id', rule: 'id-differs', found: kindOf(found), message };
}

async function getRecord(call: Call): Promise<object> {
  const { store } = call.gateway;
  const key = addressedRecord(call);
  const found = await findRecord(store, key);
  if (!found) throw new CasebridgeError('record-unknown', { type: key.type });
  await keepCallersLook(call, key.type, `${key.source}/${key.id}`);
  const { entries, nothing } = await call.gateway.resources([key]);
  const [why] = nothing;
  return {
    record: found.record,
    version: found.version,
    remote: await remoteValues(store, key),
    resources: entries.map(({ resource }) => resource),
    links: await linksOf(store, key),
    ...(why && { reason: why }),
  };
}

function addressedRecord(call: Call): RecordKey {
  return { source: addressedSource(call), type: typeOf(call), id: call.path.id ?? '' };
}

function typeOf({ path: { type = '' } }: Call): RecordType {
  if (!isRecordType(type)) throw new CasebridgeError('record-type-unknown', { hint: '' });
  return type;
}

async function postRecords(call: Call): Promise<undefined> {
  const { gateway, request, response, limits } = call;
  const source = addressedSource(call);
  const counts = emptyCounts();
  const stream = takeIn(streamBody(request, limits), {
    timeZone: gateway.config.sources.get(source)?.timeZone,
    schemas: () => gateway.schemas(),
    accept: (items) => gateway.accept(source, items),
  });
  for await (const answers of stream) {
    for (const { outcome } of answers) {
      counts[outcome] += 1;
      gateway.metrics.records.inc({ source, outcome });
    }
    await write(call, answers);
  }
  await write(call, [{ done: true, ...counts }]);
  response.end();
}

/** Writes lines and waits until the caller has taken them: a caller who doesn't read is not read from either. */
async function write({ response, limits }: Call, lines: readonly object[]): Promise<void> {
  if (!response.headersSent && !response.destroyed) response.status(200).type('application/x-ndjson');
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const isTaken = !response.destroyed && response.write(text);
  if (!isTaken && !(await drains(response, limits.bodyMs))) throw new CasebridgeError('body-cut');
}

/** True once the caller has taken what was written, false when it is gone or takes nothing for `ms`. */
function drains(response: Response, ms: number): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (isDrained: boolean) => () => {
      clearTimeout(timer);
      response.off('drain', drained).off('close', closed);
      resolve(isDrained);
    };
    const drained = end(true);
    const closed = end(false);
    const timer = setTimeout(closed, ms);
    response.once('drain', drained).once('close', closed);
  });
}
