// Tries the connections on what real vendor servers answered: serves the captures of a folder by a small local server and compares what the
// client makes of each with what is written of the vendors. Prints a table; exit code 1 when something is understood in another way.
//   node scripts/try-captures.ts FOLDER        (with epic/ and cerner/ below it; see fhir-server.ts of the tests for the server)

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { VendorName } from '../src/config.ts';
import {
  type Connection,
  classify,
  generateKey,
  isSearchResult,
  type RequestFacts,
  vendors,
} from '../src/connections/connections.ts';
import { allowedActions, filteredScopes, missingScopes, parseScope } from '../src/connections/scopes.ts';
import { isObject, type Json, type JsonObject } from '../src/json.ts';
import { parseJson } from '../src/records/records.ts';
import { type Answer, connectTo, startServer, stopAll } from '../test/connections/fhir-server.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the folder that holds the captures.');

const vendorOf: Readonly<Record<string, VendorName>> = { epic: 'epic', cerner: 'oracle' };
const rows: { name: string; what: string; expected: string; found: string }[] = [];

function expect(name: string, what: string, expected: Json, found: Json): void {
  rows.push({ name, what, expected: JSON.stringify(expected), found: JSON.stringify(found) });
}

for (const [part, vendor] of Object.entries(vendorOf)) {
  for (const file of (await readdir(join(folder, part))).sort()) {
    if (!file.endsWith('.json')) continue;
    const capture = parseJson(await readFile(join(folder, part, file)));
    if (isObject(capture)) await tryCapture(`${part}/${basename(file, '.json')}`, vendor, capture);
  }
}
stopAll();
report();

async function tryCapture(name: string, vendor: VendorName, capture: JsonObject): Promise<void> {
  if (Array.isArray(capture.scope)) return tryScopes(name, capture.scope.map(String));
  if (isObject(capture.probe ?? null)) return tryPaging(name, capture);
  const request = capture._request;
  if (!isObject(request ?? null) || !isObject(request)) throw new Error(`${name} holds no request.`);
  const { path, answer } = answerOf(request, capture.body ?? null);
  const server = await startServer(({ url }) => (url === `/r4/${path}` ? answer : { status: 599 }));
  return tryAnswer(name, connectTo(server, { vendor }), path, answer);
}

/** Path and query below the FHIR base, and what the real server said. */
function answerOf(request: JsonObject, body: Json): { path: string; answer: Answer } {
  const [, path = ''] = /\/(?:R4|r4\/[0-9a-f-]{36})\/(.+)$/.exec(String(request.url)) ?? [];
  const status = Number(request.status);
  const page = isObject(body) ? body._non_json_body : undefined;
  if (typeof page === 'string')
    return { path, answer: { status, headers: { 'content-type': 'text/html' }, body: page } };
  return { path, answer: { status, body: isObject(body) ? body : {} } };
}

async function tryAnswer(name: string, { client, vendor }: Connection, path: string, answer: Answer): Promise<void> {
  const [type = '', id] = path.split(/[/?]/);
  const isSearch = path.includes('?');
  if (!isSearch) {
    const facts: RequestFacts = { method: 'GET', kind: 'read', target: { resourceType: type, id } };
    const reply = await client.send({ method: 'GET', path });
    expect(name, 'class of the read', answer.status === 404 ? 'gone' : 'ok', classify(vendor, facts, reply).class);
    if (answer.status !== 404) tryIdentifiers(name, reply.fault === undefined ? reply.body : undefined);
    return;
  }
  const query = Object.fromEntries(new URLSearchParams(path.split('?')[1]));
  const result = await client.searchAll(type, query);
  if (isSearchResult(result)) {
    expect(name, 'matches', totalOf(answer), result.resources.length);
    expect(name, 'partial view, which proves no absence', true, !result.complete);
    expect(name, 'reason', 'search-partial', result.reason?.code ?? null);
    return;
  }
  const isPage = typeof answer.body === 'string';
  const facts: RequestFacts = { method: 'GET', kind: 'search' };
  expect(name, 'class of the search', isPage ? 'retry-backoff' : 'permanent', classify(vendor, facts, result).class);
  if (!isPage) return;
  expect(name, 'read as FHIR', false, result.fault !== 'not-json');
  const create: RequestFacts = { method: 'POST', kind: 'create', target: { resourceType: type } };
  expect(name, 'class of a create that gets it', 'permanent', classify(vendor, create, result).class);
}

function totalOf({ body }: Answer): number {
  return typeof body === 'object' && 'total' in body ? Number(body.total) : Number.NaN;
}

/** Numbers are searched for without the blanks that some sites keep before them. */
function tryIdentifiers(name: string, patient: JsonObject | undefined): void {
  const identifiers = Array.isArray(patient?.identifier) ? patient.identifier.filter(isObject) : [];
  const values = identifiers.map(({ value }) => value).filter((value) => typeof value === 'string');
  const asked = values.map((value) => vendors.epic.queries.identifier('s', value).identifier);
  expect(
    name,
    'identifiers searched for without blanks',
    values.length,
    asked.filter((text) => !/\s/.test(String(text))).length,
  );
  expect(
    name,
    'identifiers that are padded',
    true,
    values.some((value) => value.startsWith(' ')),
  );
}

async function tryScopes(name: string, scopes: readonly string[]): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const server = await startServer(({ url, headers }) => {
    if (url !== '/token')
      return { headers: json, body: JSON.stringify({ token_endpoint: `http://${headers.host}/token` }) };
    return { headers: json, body: JSON.stringify({ access_token: 'a', expires_in: 3600, scope: scopes.join(' ') }) };
  });
  const auth = { type: 'smart-backend', clientId: 'c', key: await generateKey(), scopes: [] } as const;
  const found = await connectTo(server, { vendor: 'epic', auth }).scopes();
  const granted = 'granted' in found ? (found.granted ?? []) : [];
  expect(name, 'scopes read', scopes.length, granted.length);
  expect(name, 'scopes not understood', 0, granted.filter((text) => parseScope(text) === undefined).length);
  expect(
    name,
    'limited to a category',
    scopes.filter((text) => text.includes('?')).length,
    filteredScopes(granted).length,
  );
  const problemList = vendors.epic.token.grantFilters.Condition ?? '';
  expect(name, 'actions on Condition', ['read', 'search'], [...allowedActions(granted, 'Condition')].sort());
  expect(
    name,
    'on items of the problem list',
    ['create', 'read', 'search'],
    [...allowedActions(granted, 'Condition', problemList)].sort(),
  );
  expect(name, 'actions on Task', ['read', 'search', 'update'], [...allowedActions(granted, 'Task')].sort());
  const wanted = ['system/CarePlan.rs', 'system/DocumentReference.crs', 'system/Patient.rs', 'system/Task.rus'];
  expect(name, 'missing of what is needed', [], missingScopes(wanted, granted));
  const tooMuch = ['system/CarePlan.c', 'system/Condition.c', 'system/Goal.u', 'system/Task.c'];
  expect(name, 'missing of what nobody gets', tooMuch, missingScopes(tooMuch, granted));
}

/** The capture holds counts and links only: pages of that shape are made. */
async function tryPaging(name: string, capture: JsonObject): Promise<void> {
  const first = isObject(capture.page_count_5 ?? null) ? capture.page_count_5 : undefined;
  const second = isObject(capture.page_2_via_next ?? null) ? capture.page_2_via_next : undefined;
  if (!isObject(first ?? null) || !isObject(first) || !isObject(second ?? null) || !isObject(second)) {
    throw new Error(`${name} holds no two pages.`);
  }
  const links = Array.isArray(first.link_relations) ? first.link_relations.filter(isObject) : [];
  const next = links.find(({ relation }) => relation === 'next')?.url;
  const pathOf = (url: Json | undefined) => String(url).replace(/^.*\/R4\//, '/r4/');
  const page = ({ entry_count, bundle_total }: JsonObject, from: number, link: JsonObject[]): Answer => ({
    body: {
      resourceType: 'Bundle',
      type: 'searchset',
      total: Number(bundle_total),
      link,
      entry: Array.from({ length: Number(entry_count) }, (_unused, index) => ({
        resource: { resourceType: 'Observation', id: `o${from + index}` },
        search: { mode: 'match' },
      })),
    },
  });
  const server = await startServer(({ url }) => {
    if (url === pathOf(next)) return page(second, Number(first.entry_count), []);
    return page(first, 0, [{ relation: 'next', url: pathOf(next) }]);
  });
  const query = Object.fromEntries(new URL(String(first.url)).searchParams);
  const result = await connectTo(server, { vendor: 'epic' }).client.searchAll('Observation', query);
  const all = Number(first.entry_count) + Number(second.entry_count);
  expect(
    name,
    'resources of both pages, total notwithstanding',
    all,
    isSearchResult(result) ? result.resources.length : -1,
  );
  expect(name, 'complete', true, isSearchResult(result) && result.complete);
}

function report(): void {
  const width = (column: (row: (typeof rows)[number]) => string) => Math.max(...rows.map((row) => column(row).length));
  const [names, whats] = [width(({ name }) => name), width(({ what }) => what)];
  for (const { name, what, expected, found } of rows) {
    const isSame = expected === found;
    const line = `${isSame ? 'ok      ' : 'MISMATCH'}  ${name.padEnd(names)}  ${what.padEnd(whats)}  ${found}`;
    console.log(isSame ? line : `${line}  expected ${expected}`);
  }
  const wrong = rows.filter(({ expected, found }) => expected !== found).length;
  const captures = new Set(rows.map(({ name }) => name)).size;
  console.log(`${captures} captures, ${rows.length} checks, ${wrong} mismatches`);
  process.exitCode = wrong > 0 || rows.length === 0 ? 1 : 0;
}
