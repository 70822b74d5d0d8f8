// What can go wrong at a hospital's server, each once for reads, once for creates and once for updates. Each answer quotes what was sent and what lies there:
// servers do.

import type { JsonObject } from '../../src/json.ts';
import type { Canaries } from './canaries.ts';

/** Rules for `_control/…/faults`: every next request of a method meets the next trouble that has not struck yet. */
export function troubles(canaries: Canaries, server: string, methods: readonly string[]): JsonObject[] {
  return methods.flatMap((method) =>
    kinds.map(([name, fault]) => ({
      method,
      nth: 1,
      fault: fault(() => canaries.word(`${server} ${method} ${name}`)),
    })),
  );
}

type Word = () => string;
type Kind = readonly [name: string, fault: (word: Word) => JsonObject];

const statuses = [400, 401, 403, 404, 409, 410, 412, 422, 423, 429, 500, 501, 503];

const kinds: readonly Kind[] = [
  ...statuses.map((status): Kind => [`${status}`, (word) => ({ status, ...refusal(word, 'invalid') })]),
  ['an issue without a known code', (word) => ({ status: 422, ...refusal(word, word()) })],
  ['a fatal outcome under 200', (word) => ({ status: 200, ...refusal(word, 'exception') })],
  ['a page', (word) => ({ status: 200, ...page(word) })],
  ['an outage page', (word) => ({ status: 502, ...page(word), at: 'after-commit' })],
  ['plain text', (word) => ({ status: 500, headers: { 'content-type': word() }, body: `Duplicate ${word()}` })],
  ['another resource', (word) => ({ status: 200, body: { resourceType: 'Basic', id: word() } })],
  ['another type', (word) => ({ status: 200, body: { resourceType: word(), id: word() } })],
  [
    'a redirect',
    (word) => ({ status: 302, headers: { location: `https://elsewhere.example/${word()}?name=${word()}` } }),
  ],
  [
    'a Location elsewhere',
    (word) => ({ status: 201, headers: { location: `https://elsewhere.example/Goal/${word()}` } }),
  ],
  ['cut JSON', () => ({ truncate: 40 })],
  ['a lost request', () => ({ drop: 'before-commit' })],
  ['a lost reply', () => ({ drop: 'after-commit' })],
];

function refusal(word: Word, code: string): JsonObject {
  const issue = {
    severity: code === 'exception' ? 'fatal' : 'error',
    code,
    diagnostics: `The value ${word()} of Patient?name=${word()} is wrong`,
    details: { text: word(), coding: [{ system: 'urn:x', code: word(), display: word() }] },
    expression: [`Patient.name.where(family = '${word()}')`, `Patient.${word()}`],
  };
  return {
    headers: {
      'content-type': 'application/fhir+json',
      'x-request-id': word(),
      etag: `W/"${word()}"`,
      warning: word(),
    },
    body: {
      resourceType: 'OperationOutcome',
      text: { status: 'generated', div: `<div>${word()}</div>` },
      issue: [issue],
    },
  };
}

function page(word: Word): JsonObject {
  return { headers: { 'content-type': 'text/html' }, body: `<title>${word()}</title>` };
}
