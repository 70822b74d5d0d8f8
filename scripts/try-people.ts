// Tries Casebridge on people that others made: seeds a simulated server with the FHIR Bundles of a folder, makes each of its patients a
// client of ours with a small case, and says who was linked, who became a question for a person, who was made, and what was touched.
//   node scripts/try-people.ts FOLDER

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type Json, type JsonObject } from '../src/json.ts';
import { parseJson, type RecordType } from '../src/records/records.ts';
import { aCarePlan, aCase, aGoal, aNeed, anOrganization, aReferral, aService, aWorker } from '../test/builders.ts';
import { freshEmbedded } from '../test/support/embedded.ts';
import {
  aConfig,
  aConnection,
  accept,
  idle,
  ownCounts,
  secondPass,
  startServer,
  startTestGateway,
} from '../test/support/rig.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the folder that holds FHIR Bundles as .json files.');

const server = await startServer();
let files = 0;
for (const name of (await readdir(folder, { recursive: true })).sort()) {
  if (!name.endsWith('.json')) continue;
  const bundle = parseJson(await readFile(join(folder, name)));
  try {
    await server.control('POST', 'seed', bundle);
    files += 1;
  } catch (error) {
    console.log(`not seeded: ${name} (${error instanceof Error ? error.message.slice(0, 120) : ''})`);
  }
}
const patients = await server.all('Patient');
const before = await versionsOf();

const gateway = await startTestGateway(
  await freshEmbedded(),
  aConfig([aConnection(server.base, { identifierSystems: { mrn: 'http://hospital.smarthealthit.org' } })]),
);
await accept(
  gateway,
  ['organization', anOrganization({ id: 'org-riverside', name: 'Riverside Family Services', kind: 'case-management' })],
  ['organization', anOrganization()],
  ['worker', aWorker()],
  ['service', aService()],
);
for (const [index, patient] of patients.entries())
  await accept(gateway, ...caseOf(`p${index}`, patient, index % 2 === 0));
// Somebody of the same family and birth date with another given name, and somebody whom nobody there knows.
const [first] = patients;
if (first !== undefined) {
  await accept(
    gateway,
    ...caseOf('twin', { ...first, identifier: [], telecom: [], name: renamed(first, 'Zora') }, false),
  );
  await accept(
    gateway,
    ...caseOf(
      'new',
      {
        ...first,
        identifier: [],
        telecom: [],
        address: [],
        birthDate: '2001-02-03',
        name: [{ family: 'Quillfeather', given: ['Ada'] }],
      },
      false,
    ),
  );
}
await idle(gateway, 120_000);
const journal = (await server.journal()).length;
await secondPass(gateway);

const { db } = gateway.api.store;
const links = await db
  .selectFrom('link')
  .select(['id', 'origin'])
  .where('type', '=', 'client')
  .where('remote_id', 'is not', null)
  .execute();
const decisions = await db.selectFrom('decision').select(['kind', 'subject']).where('state', '=', 'open').execute();
const after = await versionsOf();
console.log(
  JSON.stringify(
    {
      files,
      seeded: before.size,
      patients: patients.length,
      clients: patients.length + 2,
      linked: links.filter(({ origin }) => origin === 'found').length,
      created: links.filter(({ origin }) => origin === 'created').length,
      asked: decisions.filter(({ kind }) => kind === 'patient-match').length,
      otherDecisions: decisions.filter(({ kind }) => kind !== 'patient-match').map(({ kind }) => kind),
      touched: [...before].filter(([key, version]) => after.get(key) !== version).length,
      doubled: Object.values(await ownCounts(server)).filter((count) => count > 1).length,
      made: after.size - before.size,
      secondPassWrites: (await server.writes(journal)).length,
    },
    null,
    2,
  ),
);
await gateway.stop();
await server.stop();

/** Version of every resource on the server, by type and id. */
async function versionsOf(): Promise<Map<string, string>> {
  const counts = await server.control('GET', 'resources');
  const versions = new Map<string, string>();
  for (const type of isObject(counts) ? Object.keys(counts) : []) {
    for (const { id, meta } of await server.all(type))
      versions.set(`${type}/${id}`, isObject(meta) ? String(meta.versionId) : '');
  }
  return versions;
}

function caseOf(key: string, patient: JsonObject, withNumber: boolean): (readonly [RecordType, JsonObject])[] {
  const clientId = `client-${key}`;
  const caseId = `case-${key}`;
  const own = { clientId, caseId };
  return [
    ['client', clientOf(clientId, patient, withNumber)],
    ['case', aCase({ id: caseId, clientId })],
    ['need', aNeed({ id: `need-${key}`, ...own })],
    ['goal', aGoal({ id: `goal-${key}`, ...own, needIds: [`need-${key}`] })],
    ['referral', aReferral({ id: `referral-${key}`, ...own, needIds: [`need-${key}`], goalIds: [`goal-${key}`] })],
    ['carePlan', aCarePlan({ id: `plan-${key}`, ...own, needIds: [`need-${key}`], goalIds: [`goal-${key}`] })],
  ];
}

/** The patient as an agency would have written them down. */
function clientOf(id: string, patient: JsonObject, withNumber: boolean): JsonObject {
  const [name] = items(patient.name);
  const mrn = items(patient.identifier).find(({ system }) => system === 'http://hospital.smarthealthit.org');
  const [phone] = items(patient.telecom);
  const [address] = items(patient.address);
  return {
    id,
    updatedAt: '2026-02-02T10:00:00-05:00',
    names: [{ use: 'legal', given: texts(name?.given), family: String(name?.family) }],
    birthDate: String(patient.birthDate),
    sex: String(patient.gender),
    ...(withNumber && mrn !== undefined
      ? { identifiers: [{ kind: 'mrn', value: String(mrn.value), system: String(mrn.system) }] }
      : {}),
    ...(typeof phone?.value === 'string' ? { phones: [{ id: 'p1', number: phone.value, kind: 'voice' }] } : {}),
    ...(address === undefined
      ? {}
      : { addresses: [{ id: 'a1', use: 'home', lines: texts(address.line), city: String(address.city) }] }),
  };
}

function renamed(patient: JsonObject, given: string): Json {
  return items(patient.name).map((name) => ({ ...name, given: [given] }));
}

function items(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
