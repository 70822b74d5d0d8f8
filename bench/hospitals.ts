// `npm run experiment:hospitals`: many cases to a community exchange, an Epic-like hospital and one on Oracle Health at once, then a second
// pass, then consents revoked in the middle of traffic. Everything is read from the servers' own stores and journals. Ends with 1 when a record
// has no state, a method was not declared, a write was refused that could have been known, a second pass writes, a revoked word goes out or is logged, or was never told before.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolOptions } from '../scripts/tool-options.ts';
import { startProgram } from '../src/demo/programs.ts';
import { isObject, type Json, type JsonObject } from '../src/json.ts';
import { hospitalSeed, inventedPeople, type SeedPerson } from '../src/sandbox/sandbox.ts';
import { aCarePlan, aCase, aClient, aConsent, aGoal, aNeed, aReferral } from '../test/builders.ts';
import { isDeclared } from '../test/support/declared.ts';
import { directory, type Line } from './caseload.ts';
import { type BenchGateway, startGateway } from './gateway.ts';
import { type Entry, Server } from './server.ts';

const { values } = toolOptions('experiment:hospitals', {
  cases: { type: 'string', default: '500' },
  revocations: { type: 'string', default: '500' },
  json: { type: 'boolean', default: false },
});
const people = inventedPeople(Number(values.cases));
const revoked = people.slice(0, Number(values.revocations));
const mrnSystem = 'urn:oid:1.2.3';
const since = '2026-02-01T08:00:00Z';
/** A request whose intent was stored before the revocation may arrive a moment after it. */
const onTheWayMs = 2_000;

const folder = await mkdtemp(join(tmpdir(), 'casebridge-hospitals-'));
const stop = new AbortController();
const sandbox = await startProgram({
  name: 'sandbox',
  arguments: ['sandbox', '--port', '0', '--json'],
  folder,
  onEnd: (problem) => stop.abort(problem),
  signal: stop.signal,
});
const servers = (['standard', 'epic', 'oracle'] as const).map((name) => new Server(sandbox.url, name));
const gateway = await startServers();
try {
  const first = await arrive();
  const second = await again();
  const consent = await revoke();
  const figures = { cases: people.length, ...first, ...second, ...consent };
  console.log(values.json ? JSON.stringify(figures) : shown(figures));
  // What was never told could not be taken back.
  const untold = Math.max(0, consent.revocations - consent.toldBeforeRevocation);
  const faults =
    first.withoutState +
    first.undeclared +
    first.refusedWrites +
    second.secondRunWrites +
    second.linksNotRead +
    untold +
    consent.toldAfterRevocation +
    consent.stillStanding +
    consent.inLog;
  if (faults > 0) process.exitCode = 1;
} finally {
  await gateway.stop();
  await sandbox.stop();
  await rm(folder, { recursive: true });
}

async function startServers(): Promise<BenchGateway> {
  for (const server of servers) {
    await server.prepare(
      server.name === 'standard' ? undefined : hospitalSeed({ mrnSystem, people, since, padded: true }),
    );
  }
  return startGateway({ lanes: true, connections: servers.map(connectionOf).join('') });
}

function connectionOf({ name, fhirUrl }: Server): string {
  const own = name === 'standard' ? 'createPatients: true' : 'mode: live';
  return `  ${name}:
    vendor: ${name}
    baseUrl: ${fhirUrl}
    auth: { type: none }
    organization: county/org-${name}
    identifierSystems: { mrn: "${mrnSystem}" }
    ${own}
    settle: 0s
    poll: { every: 1h }
    documents: { quiet: 0s, atMostEvery: 0s }
    rateLimit: { requestsPerSecond: 2000, concurrency: 8 }
`;
}

/** All cases to all servers at once. */
async function arrive() {
  const started = performance.now();
  await gateway.send([...directory, ...people.flatMap((person, n) => caseOf(person, n))]);
  await gateway.untilIdle();
  const seconds = Math.round((performance.now() - started) / 1000);
  const links = await allLinks();
  const withoutState = links.filter(
    ({ state, route, reason }) => state === 'due' || (route !== 'native' && reason === ''),
  );
  const byRoute = countBy(links.map(({ connection, route, state }) => `${connection} ${route} ${state}`));
  let undeclared = 0;
  let refusedWrites = 0;
  const requests: Record<string, number> = {};
  for (const server of servers) {
    const declared = await server.declared();
    const journal = await server.journal();
    undeclared += journal.filter(
      ({ body, ...request }) => !isDeclared({ ...request, body: body === '' ? undefined : JSON.parse(body) }, declared),
    ).length;
    refusedWrites += journal.filter(isRefusedWrite).length;
    requests[server.name] = journal.length;
  }
  return { seconds, withoutState: withoutState.length, undeclared, refusedWrites, requests, byRoute };
}

/** Every lane looks at everything once more. */
async function again() {
  const before = await Promise.all(servers.map(async (server) => (await server.journal()).length));
  const linked = (await allLinks()).filter(({ resource }) => resource !== '');
  for (const { connection, subject } of await allLanes())
    await gateway.api('POST', `/api/lanes/${connection}/${subject}/run`);
  await gateway.untilIdle();
  let writes = 0;
  let reads = 0;
  const read = new Set<string>();
  for (const [at, server] of servers.entries()) {
    const entries = await server.journal(before[at]);
    writes += entries.filter(({ method, path }) => method !== 'GET' && !path.endsWith('$match')).length;
    for (const { method, path, status } of entries) {
      if (method !== 'GET' || status !== 200 || !path.includes('/')) continue;
      reads += 1;
      read.add(`${server.name} ${path}`);
    }
  }
  const notRead = linked.filter(({ connection, resource }) => !read.has(`${connection} ${resource}`));
  return { secondRunWrites: writes, secondRunReads: reads, links: linked.length, linksNotRead: notRead.length };
}

/**
 * Each of these clients has a labelled need that a consent lets the hospitals know. Then all consents are revoked while other records of the
 * same cases change.
 */
async function revoke() {
  const secrets = revoked.flatMap((_person, n) => [consentOf(n, 'active', '2026-03-01T09:00:00Z'), secretOf(n)]);
  await gateway.send(secrets);
  await gateway.untilIdle();
  const told = await standing();
  const revokedAt = new Map<number, string>();
  for (let at = 0; at < revoked.length; at += 10) {
    const some = Array.from({ length: Math.min(10, revoked.length - at) }, (_, k) => at + k);
    await gateway.send(
      some.flatMap((n) => [goalOf(n, `Traffic ${n}.`), consentOf(n, 'revoked', '2026-03-02T09:00:00Z')]),
    );
    for (const n of some) revokedAt.set(n, new Date().toISOString());
  }
  await gateway.untilIdle();
  let after = 0;
  let onTheWay = 0;
  for (const server of servers) {
    for (const { method, at, body } of await server.journal()) {
      if (method === 'GET') continue;
      for (const n of wordsIn(body)) {
        const limit = Date.parse(revokedAt.get(n) ?? '');
        if (Date.parse(at) > limit + onTheWayMs) after += 1;
        else if (Date.parse(at) > limit) onTheWay += 1;
      }
    }
  }
  const left = await standing();
  return {
    revocations: revoked.length,
    toldBeforeRevocation: told,
    onTheWayAtRevocation: onTheWay,
    toldAfterRevocation: after,
    stillStanding: left,
    inLog: wordsIn(await gateway.log()).length,
  };
}

/** How many labelled words stand on the servers: in resources in force, and in the newest document of each patient. */
async function standing(): Promise<number> {
  let found = 0;
  for (const server of servers) {
    const conditions = await server.all('Condition');
    found += conditions
      .filter((one) => !JSON.stringify(one).includes('entered-in-error'))
      .flatMap((one) => wordsIn(JSON.stringify(one))).length;
    const documents = await server.all('DocumentReference');
    const replaced = new Set(documents.flatMap((one) => replacedBy(one)));
    found += documents.filter(({ id }) => !replaced.has(String(id))).flatMap((one) => wordsIn(textOf(one))).length;
  }
  return found;
}

function replacedBy({ relatesTo }: JsonObject): string[] {
  return objects(relatesTo).map(({ target }) =>
    isObject(target) ? (String(target.reference).split('/').at(-1) ?? '') : '',
  );
}

function textOf({ content }: JsonObject): string {
  return objects(content)
    .map(({ attachment }) =>
      isObject(attachment) ? Buffer.from(String(attachment.data), 'base64').toString('utf8') : '',
    )
    .join('\n');
}

/** The numbers of the clients whose labelled word is in the text, or in a document inside it. */
function wordsIn(text: string): number[] {
  const inside = [...text.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map(([, data]) =>
    Buffer.from(data ?? '', 'base64').toString('utf8'),
  );
  return [text, ...inside].flatMap((one) => [...one.matchAll(/SECRET-(\d+)-/g)].map(([, n]) => Number(n)));
}

interface LinkRow {
  readonly connection: string;
  readonly resource: string;
  readonly route: string;
  readonly state: string;
  readonly reason: string;
}

/** The links of every record; a record without a link to one of the servers counts as one without a state. */
async function allLinks(): Promise<LinkRow[]> {
  const rows: LinkRow[] = [];
  for (const { type, record } of [...directory, ...people.flatMap((person, n) => caseOf(person, n))]) {
    const { links } = await gateway.api('GET', `/api/records/${type}/${record.id}?source=county`);
    const own = objects(links).map((link) => ({
      connection: String(link.connection),
      resource: typeof link.id === 'string' ? `${String(link.resourceType)}/${link.id}` : '',
      route: String(link.route),
      state: String(link.state),
      reason: isObject(link.reason) ? String(link.reason.code) : '',
    }));
    const missing = servers.filter(({ name }) => own.every(({ connection }) => connection !== name));
    rows.push(
      ...own,
      ...missing.map(({ name }) => ({ connection: name, resource: '', route: 'none', state: 'due', reason: '' })),
    );
  }
  return rows;
}

async function allLanes(): Promise<{ connection: string; subject: string }[]> {
  const lanes: { connection: string; subject: string }[] = [];
  for (let after = ''; ; ) {
    const { items, next } = await gateway.api('GET', `/api/lanes?limit=1000${after}`);
    lanes.push(
      ...objects(items).map((lane) => ({ connection: String(lane.connection), subject: String(lane.subject) })),
    );
    if (typeof next !== 'string' || objects(items).length === 0) return lanes;
    after = `&after=${encodeURIComponent(next)}`;
  }
}

function isRefusedWrite({ method, path, status }: Entry): boolean {
  return method !== 'GET' && !path.endsWith('$match') && [400, 404, 405, 406, 412, 415, 422].includes(status);
}

function caseOf(person: SeedPerson, n: number): Line[] {
  const ids = { clientId: `client-${n}`, caseId: `case-${n}` };
  const links = { needIds: [`need-${n}`], goalIds: [`goal-${n}`] };
  const { mrn, family, given, birthDate } = person;
  const sex = person.gender === 'male' ? 'male' : 'female';
  const client = aClient({
    id: ids.clientId,
    names: [{ use: 'legal', given: [given], family }],
    birthDate,
    sex,
    identifiers: [{ kind: 'mrn', value: mrn, system: mrnSystem }],
    phones: [],
    addresses: [],
  });
  return [
    { type: 'client', record: client },
    { type: 'case', record: aCase({ id: ids.caseId, clientId: ids.clientId }) },
    { type: 'need', record: aNeed({ id: `need-${n}`, ...ids }) },
    { type: 'goal', record: aGoal({ id: `goal-${n}`, ...ids, needIds: links.needIds }) },
    { type: 'carePlan', record: aCarePlan({ id: `plan-${n}`, ...ids, ...links }) },
    { type: 'referral', record: aReferral({ id: `referral-${n}`, ...ids, ...links }) },
  ];
}

function goalOf(n: number, statement: string): Line {
  const ids = { clientId: `client-${n}`, caseId: `case-${n}` };
  const record = aGoal({
    id: `goal-${n}`,
    ...ids,
    needIds: [`need-${n}`],
    statement,
    updatedAt: '2026-03-02T08:00:00Z',
  });
  return { type: 'goal', record };
}

function secretOf(n: number): Line {
  const ids = { clientId: `client-${n}`, caseId: `case-${n}` };
  const description = `SECRET-${n}- is what only a consent lets out.`;
  return { type: 'need', record: aNeed({ id: `secret-${n}`, ...ids, description, sensitivity: ['mental-health'] }) };
}

function consentOf(n: number, status: 'active' | 'revoked', updatedAt: string): Line {
  const recipients = servers.map(({ name }) => ({ organizationId: `org-${name}` }));
  const record = aConsent({
    id: `consent-${n}`,
    clientId: `client-${n}`,
    recipients,
    sensitivity: ['mental-health'],
    status,
    updatedAt,
    ...(status === 'revoked' && { revokedAt: updatedAt }),
  });
  return { type: 'consent', record };
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function countBy(names: readonly string[]): Record<string, number> {
  const groups = Map.groupBy(names, (name) => name);
  return Object.fromEntries([...groups].map(([name, group]): [string, number] => [name, group.length]).sort());
}

function shown(figures: object): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name.padEnd(24)} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join('\n');
}
