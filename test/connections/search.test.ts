// Every page of a search, and whether that is all there is: absence is concluded only from a complete result.

import { afterEach, describe, expect, test } from '@jest/globals';
import type { SearchLimits } from '../../src/connections/connections.ts';
import { isSearchResult } from '../../src/connections/connections.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import type { Answer } from './fhir-server.ts';
import { bundle, connectTo, outcome, startServer, stopAll } from './fhir-server.ts';

afterEach(stopAll);

function task(id: string, lastUpdated?: string): JsonObject {
  return { resourceType: 'Task', id, ...(lastUpdated !== undefined && { meta: { lastUpdated } }) };
}

async function search(pages: Readonly<Record<string, Answer>>, limits?: SearchLimits) {
  const server = await startServer(({ url }) => pages[url] ?? { status: 404 });
  const { client } = connectTo(server, { auth: { type: 'bearer', token: 'secret-token' } });
  const result = await client.searchAll('Task', { status: 'requested' }, limits);
  return { result, server, ids: isSearchResult(result) ? result.resources.map(({ id }) => id) : undefined };
}

function nested(depth: number): Json {
  return depth === 0 ? [] : [nested(depth - 1)];
}

const first = '/r4/Task?status=requested';

test('pages are read to the end, their links taken as they are', async () => {
  const { result, ids } = await search({
    [first]: { body: bundle([task('t1')], '/r4?_getpages=17-AB&x=%7C') },
    '/r4?_getpages=17-AB&x=%7C': { body: bundle([task('t2')], '?-pageContext=3') },
    '/r4?-pageContext=3': { body: bundle([]) },
  });
  expect(ids).toEqual(['t1', 't2']);
  expect(result).toMatchObject({ complete: true });
  expect(result).not.toHaveProperty('reason');
});

test('no result at all is complete', async () => {
  const { result } = await search({ [first]: { body: { resourceType: 'Bundle', type: 'searchset', total: 0 } } });
  expect(result).toMatchObject({ resources: [], complete: true });
});

test('70: only matches count: included resources and notes are left out', async () => {
  const entry: Json[] = [
    { resource: task('match'), search: { mode: 'match' } },
    { resource: task('no-mode') },
    { resource: task('included'), search: { mode: 'include' } },
    { resource: task('odd'), search: { mode: 'something' } },
    { resource: { resourceType: 'Patient', id: 'p1' } },
    { resource: outcome('warning', 'informational'), search: { mode: 'outcome' } },
  ];
  const { result, ids } = await search({ [first]: { body: { resourceType: 'Bundle', entry } } });
  expect(ids).toEqual(['match', 'no-mode']);
  expect(result).toMatchObject({ complete: true });
});

test('one id on two pages is one resource, the latest of both', async () => {
  const { result } = await search({
    [first]: {
      body: bundle([task('a', '2026-03-02T10:00:00Z'), task('b', '2026-03-01T10:00:00Z'), task('c')], '?p=2'),
    },
    '/r4/Task?p=2': {
      body: bundle([
        task('a', '2026-03-02T09:00:00Z'),
        task('b', '2026-03-01T11:00:00+00:00'),
        { ...task('c'), status: 'later' },
      ]),
    },
  });
  expect(result).toMatchObject({
    resources: [
      task('a', '2026-03-02T10:00:00Z'),
      task('b', '2026-03-01T11:00:00+00:00'),
      { id: 'c', status: 'later' },
    ],
  });
});

describe('incomplete is', () => {
  test.each<[string, JsonObject]>([
    [
      'a result that says that parts are suppressed',
      { resource: outcome('warning', 'suppressed'), search: { mode: 'outcome' } },
    ],
    ['a result that says so without a mode', { resource: outcome('information', 'incomplete') }],
    ['a result with an error in it', { resource: outcome('error', 'exception'), search: { mode: 'outcome' } }],
  ])('%s', async (_name, entry) => {
    const { result, ids } = await search({
      [first]: { body: { resourceType: 'Bundle', entry: [entry, { resource: task('t1') }] } },
    });
    expect(ids).toEqual(['t1']);
    expect(result).toMatchObject({ complete: false, reason: { code: 'search-partial' } });
  });

  test.each<[string, Json]>([
    ['an entry that is no object', 'Task/t2'],
    ['a match without a resource', { fullUrl: 'urn:x', search: { mode: 'match' } }],
    ['a match without an id', { resource: { resourceType: 'Task' } }],
    ['a match whose id is none', { resource: { resourceType: 'Task', id: 'a b\n' } }],
    ['a match of another type', { resource: { resourceType: 'Patient', id: 'p1' }, search: { mode: 'match' } }],
    ['a match with a character that no text may hold', { resource: { ...task('t2'), note: [{ text: 'a\0b' }] } }],
    ['a match with half a character', { resource: { ...task('t2'), note: [{ text: 'a\ud800b' }] } }],
    ['a match that is nested without end', { resource: { ...task('t2'), extension: nested(100) } }],
  ])('%s; it is named, and is all that is missing', async (_name, entry) => {
    const { result, ids } = await search({
      [first]: { body: { resourceType: 'Bundle', entry: [entry, { resource: task('t1') }] } },
    });
    expect(ids).toEqual(['t1']);
    expect(result).toMatchObject({ complete: false, unreadable: [{ reason: { code: 'search-entry-unreadable' } }] });
    expect(result).not.toHaveProperty('isPartial');
  });

  test('70: an empty place in the list', async () => {
    const { result } = await search({ [first]: { body: { resourceType: 'Bundle', entry: [null] } } });
    expect(result).toMatchObject({ resources: [], complete: false });
  });

  test('71: a page that names itself as the next', async () => {
    const { result, server } = await search({ [first]: { body: bundle([task('t1')], first) } });
    expect(result).toMatchObject({ complete: false, reason: { code: 'search-endless' } });
    expect(server.arrived).toHaveLength(1);
  });

  test('71: a search longer than the limit', async () => {
    const endless = await startServer(({ url }) => ({
      body: bundle([task(url.slice(-3))], `?page=${100 + url.length}${url.slice(4)}`),
    }));
    const result = await connectTo(endless).client.searchAll('Task', {}, { pages: 5 });
    expect(result).toMatchObject({ complete: false, reason: { code: 'search-endless' } });
    expect(endless.arrived).toHaveLength(5);
  });

  test('a next link that is no URL', async () => {
    expect((await search({ [first]: { body: bundle([task('t1')], 'http://') } })).result).toMatchObject({
      complete: false,
    });
  });
});

test('71: a next page on another origin is never asked: the token stays here', async () => {
  const elsewhere = await startServer(() => ({ body: bundle([]) }));
  const { result } = await search({ [first]: { body: bundle([task('t1')], `${elsewhere.url}/Task?page=2`) } });
  expect(result).toMatchObject({ fault: 'redirect', reason: { code: 'connection-next-elsewhere' } });
  expect(elsewhere.arrived).toEqual([]);
});

test.each<[string, Answer, object]>([
  ['fails', { status: 503 }, { status: 503 }],
  ['is a login page', { headers: { 'content-type': 'text/html' }, body: '<html>' }, { fault: 'not-json' }],
  ['is no Bundle', { body: task('t1') }, { status: 200, body: { resourceType: 'Task' } }],
])('when a later page %s, the search has failed', async (_name, answer, expected) => {
  const { result } = await search({ [first]: { body: bundle([task('t1')], '?p=2') }, '/r4/Task?p=2': answer });
  expect(result).not.toHaveProperty('resources');
  expect(result).toMatchObject(expected);
});

test('each page is given up at the time that holds for all', async () => {
  const { result } = await search({ [first]: { body: bundle([]) } }, { sendBefore: () => Date.now() - 1 });
  expect(result).toMatchObject({ fault: 'aborted', sent: false });
});
