// Every kind of request that is refused, each with a canary where the fault is.

import type { JsonObject } from '../../src/json.ts';
import { aReferral } from '../builders.ts';
import type { Canaries } from './canaries.ts';
import type { Caller, Site } from './site.ts';

interface Asked extends RequestInit {
  readonly caller?: Caller;
  readonly method: string;
  readonly path: string;
}

/** The answers, each with its headers. A case, a lane and a decision stand in them by their address only. */
export async function refusedAnswers(site: Site, canaries: Canaries): Promise<[string, string][]> {
  const texts: [string, string][] = [];
  for (const { caller, method, path, ...init } of requests((place) => canaries.word(`refused ${place}`))) {
    const response = await site.send(caller ?? 'county', method, path, init);
    const where = `${method} ${path.replace(/zq7\w+/g, '…')} ${response.status}`;
    texts.push([where, `${JSON.stringify([...response.headers])}\n${await response.text()}`]);
  }
  return texts;
}

function requests(word: (place: string) => string): Asked[] {
  const path = '/api/records/referral/referral-pantry';
  const record = (changes: JsonObject): JsonObject => ({ ...aReferral(), ...changes });
  const bad: readonly (readonly [string, string])[] = [
    ['broken JSON', `{"requestedText": "${word('broken JSON')}" "x"}`],
    ['a doubled key', `{"a":"${word('doubled key')}","a":"${word('doubled key')}"}`],
    ['NUL', `["${word('NUL')}\\u0000"]`],
    ['a depth', `${'['.repeat(70)}"${word('depth')}"${']'.repeat(70)}`],
    ['no record', `"${word('no record')}"`],
    ['a wrong code', JSON.stringify(record({ urgency: word('code') }))],
    ['a wrong type', JSON.stringify(record({ needIds: word('list') }))],
    ['a wrong day', JSON.stringify(record({ neededBy: word('day') }))],
    ['a wrong time', JSON.stringify(record({ sentAt: word('instant') }))],
    ['an unknown property', JSON.stringify(record({ [`${word('name')} Delgado`]: word('unknown value') }))],
    ['a text too long', JSON.stringify(record({ requestedText: word('long').repeat(2000) }))],
    ['a wrong status', JSON.stringify(record({ status: 'received', statusReason: word('status reason') }))],
  ];
  const json = { 'content-type': 'application/json' };
  const lines = { 'content-type': 'application/x-ndjson' };
  const line = (body: string) => `{"type":"referral","record":${body}}\n`;
  return [
    ...bad.flatMap(([, body]): Asked[] => [
      { method: 'PUT', path, body, headers: json },
      { method: 'POST', path: '/api/records', body: line(body), headers: lines },
      { method: 'POST', path: '/api/preview', body: line(body), headers: lines },
    ]),
    { method: 'PUT', path, body: JSON.stringify(record({ id: word('id') })), headers: json },
    { method: 'POST', path: '/api/records', body: `{"type":"${word('type')}","record":{}}`, headers: lines },
    { method: 'PUT', path, body: word('media type'), headers: { 'content-type': `text/${word('media type')}` } },
    { method: 'PUT', path, body: word('encoding'), headers: { ...json, 'content-encoding': word('encoding') } },
    { method: 'PUT', path, body: word('gzip'), headers: { ...json, 'content-encoding': 'gzip' } },
    { method: 'PUT', path, body: `"${word('size').repeat(400_000)}"`, headers: json },
    { method: 'GET', path: `/${word('address')}` },
    { method: 'GET', path: `/api/records/${word('record type')}/x` },
    { method: 'GET', path: `/api/records/referral/${word('record id')}` },
    { method: 'GET', path: `/api/records/referral/${word('odd id')}%20x` },
    { method: 'GET', path: `/api/cases/${word('case id')}/bundle` },
    { method: 'GET', path: `/api/cases?limit=${word('limit')}` },
    { method: 'GET', path: `/api/cases?after=${word('cursor')}` },
    { method: 'GET', path: `/api/cases?${word('parameter')}%20x=${word('parameter value')}` },
    { method: 'GET', path: `/api/lanes?state=${word('state')}` },
    { method: 'DELETE', path: `/api/records/referral/${word('method')}` },
    { method: 'GET', path: '/api/cases', headers: { accept: `text/${word('accept')}` } },
    { method: 'GET', path: '/api/cases', headers: { authorization: `Bearer ${word('token')}` } },
    { caller: 'ops', method: 'POST', path: `/api/lanes/standard/county.case.${word('lane')}/run` },
    {
      caller: 'ops',
      method: 'POST',
      path: '/api/decisions/1',
      body: JSON.stringify({ choose: word('choice'), note: word('note') }),
      headers: json,
    },
    {
      caller: 'ops',
      method: 'POST',
      path: '/api/decisions/1',
      body: JSON.stringify({ choose: 7, [`${word('field')} x`]: word('note') }),
      headers: json,
    },
    {
      caller: 'ops',
      method: 'POST',
      path: `/api/connections/epic/patients/county/${word('client')}`,
      body: JSON.stringify({ patient: null, note: word('note') }),
      headers: json,
    },
    {
      caller: 'ops',
      method: 'POST',
      path: '/api/connections/epic/patients/county/c-100',
      body: JSON.stringify({ patient: word('patient'), note: word('note') }),
      headers: json,
    },
    { method: 'POST', path: `/hooks/standard/${word('hook key')}`, body: word('hook body') },
  ];
}
