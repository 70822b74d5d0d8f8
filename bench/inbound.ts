// `npm run inbound -- FOLDER`: what becomes of the resources of a folder of FHIR files, loaded into a `standard` sandbox and polled, by type and reason.
// Every Patient of the folder is a client of ours with an open case, and every owner of a Task is us, so that as much as possible is our concern.
// `npm run inbound -- --latency [ROUNDS]`: how long it takes from a change in the hospital's record to the source's webhook.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { toolOptions } from '../scripts/tool-options.ts';
import type { Config, ConnectionConfig, PollConfig } from '../src/config.ts';
import { polledTypes } from '../src/config.ts';
import { type Gateway, startGateway } from '../src/gateway.ts';
import { isObject, type JsonObject, objectAt, objectsAt, textAt, textsAt } from '../src/json.ts';
import { relinkPatient } from '../src/lanes/lanes.ts';
import type { RecordType } from '../src/records/records.ts';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { openStore, type Store } from '../src/store/store.ts';
import { checked } from '../test/support/caseload.ts';
import { startReceiver, webhookKey } from '../test/support/receiver.ts';

const identifierSystem = 'https://agency.example.org/casebridge';
const at = '2026-02-02T10:30:00-05:00';

interface Stage {
  readonly gateway: Gateway;
  readonly store: Store;
  seed(resources: readonly JsonObject[]): Promise<void>;
  accept(...items: readonly (readonly [RecordType, JsonObject])[]): Promise<void>;
}

async function onStage<T>(
  polls: Partial<PollConfig>,
  pollEveryMs: number,
  webhook: string | undefined,
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const sandbox = await startSandbox({ port: 0 });
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-inbound-'));
  const control = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${sandbox.url}/_control/standard/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  await control('settings', { auth: 'none' });
  const store = await openStore({ folder });
  const config = configOf(sandbox.fhirBases.standard ?? '', polls, pollEveryMs, webhook);
  const gateway = await startGateway({
    config,
    logger: pino({ level: 'silent' }),
    lanes: true,
    open: async () => store,
  });
  try {
    return await work({
      gateway,
      store,
      seed: (resources) => control('seed', resources),
      accept: async (...items) => {
        await gateway.api.accept('county', checked(items, new Date()));
      },
    });
  } finally {
    await gateway.stop();
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function configOf(baseUrl: string, polls: Partial<PollConfig>, pollEveryMs: number, url: string | undefined): Config {
  const connection: ConnectionConfig = {
    id: 'general',
    vendor: 'standard',
    baseUrl,
    auth: { type: 'none' },
    mode: 'live',
    basis: 'treatment',
    sources: ['county'],
    inboundTo: 'county',
    createPatients: false,
    identifierSystems: {},
    task: 'home',
    backfill: 'open-cases',
    pollEveryMs,
    polls: {
      types: polledTypes.filter((type) => type !== 'Communication'),
      performers: [],
      referralCodes: [],
      documentTypes: [],
      lookBackMs: 10_000 * 86_400_000,
      ...polls,
    },
    rateLimit: { requestsPerSecond: 1000, concurrency: 4 },
    settleMs: 0,
    documents: { quietMs: 0, atMostEveryMs: 0, encounter: 'none' },
    routes: { case: 'withheld' },
  };
  const webhook =
    url === undefined ? {} : { webhook: { url, secrets: [webhookKey], giveUpAfterMs: 86_400_000, allowPrivate: true } };
  return {
    file: '/casebridge.yaml',
    server: { port: 0, host: '127.0.0.1' },
    store: { folder: '/nowhere' },
    queue: {},
    lanes: { leaseMs: 60_000 },
    log: { level: 'silent' },
    clocks: {},
    retention: { auditMs: 2192 * 86_400_000, versionsMs: 2192 * 86_400_000, seenMs: 365 * 86_400_000 },
    guides: [],
    identifierSystem,
    operators: new Map(),
    sources: new Map([['county', { id: 'county', token: 'county-token', timeZone: 'America/New_York', ...webhook }]]),
    connections: new Map([['general', connection]]),
    partners: new Map(),
    warnings: [],
  };
}

/** Every resource in the `.json` files of a folder and its subfolders; of a Bundle its entries. */
async function resourcesIn(folder: string): Promise<JsonObject[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json')).sort();
  const read = await Promise.all(
    names.map(async (name): Promise<JsonObject[]> => {
      const body: unknown = JSON.parse(await readFile(join(folder, name), 'utf8'));
      const one = body as JsonObject;
      if (!isObject(one) || typeof one.resourceType !== 'string') return [];
      return one.resourceType === 'Bundle'
        ? objectsAt(one, 'entry').map((entry) => objectAt(entry, 'resource') ?? {})
        : [one];
    }),
  );
  return read.flat().filter(({ id }) => typeof id === 'string');
}

function clientOf(patient: JsonObject): (readonly [RecordType, JsonObject])[] {
  const [name] = objectsAt(patient, 'name');
  const client = `client-${patient.id}`;
  const person = {
    id: client,
    updatedAt: at,
    names: [{ use: 'legal', given: textsAt(name, 'given'), family: textAt(name, 'family') ?? 'Unknown' }],
    ...(typeof patient.birthDate === 'string' && { birthDate: patient.birthDate }),
    sex: textAt(patient, 'gender') ?? 'unknown',
  };
  const made = {
    id: `case-${patient.id}`,
    updatedAt: at,
    clientId: client,
    organizationId: 'org-agency',
    status: 'referred',
  };
  return [
    ['client', person],
    ['case', made],
  ];
}

const concerned = ['Task', 'ServiceRequest', 'CarePlan', 'Goal', 'Condition', 'Encounter', 'DocumentReference'];

async function whatBecomes(folder: string): Promise<void> {
  const resources = await resourcesIn(folder);
  const patients = resources.filter(({ resourceType }) => resourceType === 'Patient');
  const performers = resources.flatMap((one) => {
    const owner = one.resourceType === 'Task' ? textAt(objectAt(one, 'owner'), 'reference') : undefined;
    return owner === undefined || owner.startsWith('Patient/') ? [] : [owner];
  });
  await onStage({ performers: [...new Set(performers)] }, 300, undefined, async ({ store, seed, accept }) => {
    await accept([
      'organization',
      { id: 'org-agency', updatedAt: at, name: 'Agency', kind: 'case-management', active: true },
    ]);
    for (const patient of patients) {
      await accept(...clientOf(patient));
      await relinkPatient(store, {
        connection: 'general',
        source: 'county',
        clientId: `client-${patient.id}`,
        patient: String(patient.id),
        by: 'bench',
      });
    }
    await seed(resources);
    await quiet(store);
    const rows = await store.db.selectFrom('inbound').selectAll().execute();
    const counts = new Map<string, number>();
    for (const { resourceType, id } of resources) {
      if (!concerned.includes(String(resourceType))) continue;
      const of = rows.filter(
        (row) => row.resource_type === resourceType && row.remote_id === id && row.type !== 'case',
      );
      const outcomes = of.map(({ state, type, reason }) =>
        state === 'proposed' ? `proposed as ${type}` : `${state}: ${reason?.code}`,
      );
      const line = `${resourceType} ${outcomes[0] ?? 'not kept: about nobody whom we ask about, or asked of somebody else'}`;
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    const others = rows.filter(
      (row) => !resources.some((one) => one.resourceType === row.resource_type && one.id === row.remote_id),
    );
    const changes = await store.db.selectFrom('change').select(['op', 'type']).execute();
    const decisions = await store.db
      .selectFrom('decision')
      .select(['kind', 'reason'])
      .where('state', '=', 'open')
      .execute();
    for (const [line, count] of [...counts].sort()) console.log(`${String(count).padStart(4)}  ${line}`);
    console.log(
      JSON.stringify({
        resources: resources.length,
        concerned: [...counts.values()].reduce((a, b) => a + b, 0),
        feed: tally(changes.map(({ op, type }) => `${op} ${type}`)),
        questions: tally(decisions.map(({ reason }) => reason.code)),
        beside: others.length,
      }),
    );
  });
}

function tally(lines: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(lines, (line) => line)].map(([line, all]) => [line, all.length]));
}

/** Until two polls in a row have brought nothing new. */
async function quiet({ db }: Store): Promise<void> {
  for (let still = 0, before = ''; still < 5; ) {
    await sleep(700);
    const due = await db.selectFrom('lane').select('subject').whereRef('done', '<', 'wanted').execute();
    const rows = await db.selectFrom('inbound').select(['state', 'look', 'updated_at']).execute();
    const now = JSON.stringify([due.length, rows]);
    still = now === before && due.length === 0 ? still + 1 : 0;
    before = now;
  }
}

/** From the hospital's change to the source's webhook, over what the poll interval alone accounts for. */
async function latency(rounds: number): Promise<void> {
  const everyMs = 2_000;
  const arrived = new Map<string, number>();
  const receiver = await startReceiver({
    onReceived: ({ body }) => {
      const origin = objectAt(objectAt(body, 'record'), 'origin');
      if (body.type === 'referral') arrived.set(String(origin?.id), performance.now());
    },
  });
  try {
    const took = await onStage({}, everyMs, receiver.url, async ({ seed }) => {
      const all: number[] = [];
      await sleep(3 * everyMs);
      for (let round = 0; round < rounds; round += 1) {
        const [patient, order, task] = referral(round);
        await seed([patient, order]);
        await sleep(everyMs * Math.random());
        const began = performance.now();
        await seed([task]);
        while (!arrived.has(`task-${round}`)) {
          if (performance.now() - began > 60_000) throw new Error('no webhook within a minute');
          await sleep(5);
        }
        all.push((arrived.get(`task-${round}`) ?? 0) - began);
      }
      return all.sort((a, b) => a - b);
    });
    const share = (part: number) => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? 0);
    console.log(
      JSON.stringify({
        rounds,
        pollEveryMs: everyMs,
        p50Ms: share(0.5),
        p95Ms: share(0.95),
        maxMs: share(1),
        maxBeyondOneIntervalMs: share(1) - everyMs,
      }),
    );
  } finally {
    await receiver.stop();
  }
}

function referral(round: number): [JsonObject, JsonObject, JsonObject] {
  const subject = { reference: `Patient/p-${round}` };
  return [
    {
      resourceType: 'Patient',
      id: `p-${round}`,
      active: true,
      name: [{ family: `Brightwater${round}`, given: ['Ada'] }],
      gender: 'female',
      birthDate: '1970-01-01',
    },
    {
      resourceType: 'ServiceRequest',
      id: `order-${round}`,
      status: 'active',
      intent: 'order',
      code: { text: 'Meals' },
      subject,
    },
    {
      resourceType: 'Task',
      id: `task-${round}`,
      status: 'requested',
      intent: 'order',
      code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] },
      focus: { reference: `ServiceRequest/order-${round}` },
      for: subject,
    },
  ];
}

const { values, positionals } = toolOptions('inbound', { latency: { type: 'boolean' } }, 'FOLDER | [ROUNDS]');
const [first] = positionals;
if (values.latency) await latency(Number(first ?? 20));
else if (first !== undefined) await whatBecomes(first);
else {
  console.error('usage: npm run inbound -- FOLDER | --latency [ROUNDS]');
  process.exitCode = 2;
}
