// What the source sends in a run, by seed: cases whose records come in any order, children before their parents, are edited many times, sometimes
// deleted; some versions arrive twice, some after a newer one. Each version writes its own mark into an element that FHIR carries, such as
// `goal-7.v3`, by which every request and every resource tells which version it comes from.

import type { JsonObject } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';
import { inventedPeople, type SeedPerson } from '../../src/sandbox/hospital-seed.ts';
import { aCarePlan, aCase, aClient, aGoal, aNeed, anOrganization, aReferral, aService, aWorker } from '../builders.ts';
import type { Random } from './random.ts';

export interface Change {
  readonly type: RecordType;
  readonly id: string;
  /** 1, 2, 3 … per record; a higher one has a later `updatedAt`. */
  readonly version: number;
  readonly deleted: boolean;
  readonly record: JsonObject;
}

export interface Workload {
  /** What every case points at; sent first. */
  readonly directory: readonly Change[];
  readonly changes: readonly Change[];
  readonly people: readonly SeedPerson[];
}

export const mrnSystem = 'urn:oid:1.2.3';

/** Which resources each kind of record becomes on a server that takes everything. */
export const slotsOf = {
  organization: ['organization'],
  worker: ['practitioner', 'role'],
  service: ['service'],
  client: ['patient'],
  case: ['episode', 'team'],
  need: ['condition'],
  goal: ['goal'],
  referral: ['request', 'fulfilment'],
  carePlan: ['plan'],
} as const satisfies Partial<Record<RecordType, readonly string[]>>;

export function isWorkloadType(type: string): type is keyof typeof slotsOf {
  return type in slotsOf;
}

const mark = /\b((?:client|case|need|goal|org|plan|referral)-\d+)\.v(\d+)\b/gi;

/** Whether the record of this id writes marks; those of the directory do not. */
export function isWorkloadMark(id: string): boolean {
  return marksIn(`${id}.v1`).size > 0;
}

/** Each mark in a text, such as `goal-7.v3`, as often as it is there. */
export function allMarksIn(text: string): string[] {
  return [...text.matchAll(mark)].map(([found]) => found.toLowerCase());
}

/** The marks in a text, by record id; of several of one record the newest version. A document begins a sentence with a capital. */
export function marksIn(text: string): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const [, id = '', version] of text.matchAll(mark)) {
    const key = id.toLowerCase();
    newest.set(key, Math.max(newest.get(key) ?? 0, Number(version)));
  }
  return newest;
}

/** The number of the case that a record belongs to; undefined for one of the directory. */
export function caseOf(id: string): string | undefined {
  return /^(?:client|case|need|goal|plan|referral)-(\d+)$/.exec(id)?.[1];
}

export const caseTypes = ['client', 'case', 'need', 'goal', 'carePlan', 'referral'] as const;
export type CaseType = (typeof caseTypes)[number];
const deletable: readonly CaseType[] = ['need', 'goal', 'carePlan', 'referral'];

export interface WorkloadOptions {
  /** How many record changes, those of the directory not counted. */
  readonly changes: number;
  /** @default one for 20 changes, at least 3 */
  readonly cases?: number;
}

export function workload(
  random: Random,
  { changes, cases = Math.max(3, Math.floor(changes / 20)) }: WorkloadOptions,
): Workload {
  const people = inventedPeople(cases);
  const distinct = Math.max(cases * caseTypes.length, Math.round(changes / 1.1));
  const histories = historiesOf(random, people, distinct);
  const ordered = interleaved(random, histories);
  const shuffled = withStale(random, ordered);
  return { directory, people, changes: withDuplicates(random, shuffled, changes - distinct) };
}

const directory: readonly Change[] = [
  directoryEntry(
    'organization',
    anOrganization({ id: 'org-riverside', name: 'Riverside Family Services', kind: 'case-management' }),
  ),
  directoryEntry('organization', anOrganization()),
  directoryEntry('worker', aWorker()),
  directoryEntry('service', aService()),
];

function directoryEntry(type: RecordType, record: JsonObject): Change {
  return { type, id: String(record.id), version: 1, deleted: false, record };
}

/** Of each case, its changes in order: the first versions of its records in any order, then edits. */
function historiesOf(random: Random, people: readonly SeedPerson[], distinct: number): Change[][] {
  const versions = new Map<string, number>();
  const next = (type: CaseType, n: number, deleted = false): Change => {
    const version = (versions.get(`${type} ${n}`) ?? 0) + 1;
    versions.set(`${type} ${n}`, version);
    return changeOf(type, n, people[n], version, deleted);
  };
  const histories = people.map((_, n) => random.shuffled(caseTypes).map((type) => next(type, n)));
  const gone = new Set<string>();
  for (let left = distinct - people.length * caseTypes.length; left > 0; left -= 1) {
    const n = random.below(people.length);
    const type = random.pick(caseTypes);
    if (gone.has(`${type} ${n}`)) continue;
    const deleted = deletable.includes(type) && random.chance(0.02);
    if (deleted) gone.add(`${type} ${n}`);
    histories[n]?.push(next(type, n, deleted));
  }
  return histories;
}

/** The cases side by side, a quarter of them at a time. */
function interleaved(random: Random, histories: readonly Change[][]): Change[] {
  const waiting = histories.map((history) => [...history]);
  const open = waiting.splice(0, Math.max(4, Math.ceil(histories.length / 4)));
  const order: Change[] = [];
  while (open.length > 0) {
    const at = random.below(open.length);
    const next = open[at]?.shift();
    if (next !== undefined) order.push(next);
    else open.splice(at, 1, ...waiting.splice(0, 1));
  }
  return order;
}

/** One in ten comes after the next version of the same record. */
function withStale(random: Random, order: readonly Change[]): Change[] {
  const result = [...order];
  for (const [at, change] of result.entries()) {
    if (!random.chance(0.1)) continue;
    const later = result.findIndex((other, place) => place > at && place < at + 400 && isSame(other, change));
    const newer = result[later];
    if (newer === undefined) continue;
    result[at] = newer;
    result[later] = change;
  }
  return result;
}

function isSame(one: Change, other: Change): boolean {
  return one.type === other.type && one.id === other.id;
}

function withDuplicates(random: Random, order: readonly Change[], count: number): Change[] {
  const result = [...order];
  for (let left = count; left > 0; left -= 1) {
    const at = random.below(result.length);
    const again = result[at];
    if (again !== undefined) result.splice(Math.min(result.length, at + 1 + random.below(20)), 0, again);
  }
  return result;
}

/** So many organizations, each of which is a lane of its own. */
export function organizations(count: number): Workload {
  const changes = Array.from({ length: count }, (_, n) =>
    directoryEntry('organization', anOrganization({ id: `org-${n}`, name: `org-${n}.v1` })),
  );
  return { directory, people: [], changes };
}

/** So many cases with a record of each type, sent once. */
export function changesOfCases(count: number, types: readonly CaseType[] = caseTypes, version = 1): Workload {
  const people = inventedPeople(count);
  const changes = people.flatMap((person, n) => types.map((type) => changeOf(type, n, person, version)));
  return { directory, people, changes };
}

export function changeOf(
  type: CaseType,
  n: number,
  person: SeedPerson | undefined,
  version: number,
  deleted = false,
): Change {
  const record = recordOf(type, n, person, version);
  const { id } = record;
  return { type, id: String(id), version, deleted, record: deleted ? { ...record, deleted: true } : record };
}

/** One version of a record of the nth case. */
export function recordOf(type: CaseType, n: number, person: SeedPerson | undefined, version: number): JsonObject {
  const ids = { clientId: `client-${n}`, caseId: `case-${n}` };
  const links = { needIds: [`need-${n}`], goalIds: [`goal-${n}`] };
  const updatedAt = new Date(Date.UTC(2026, 1, 10) + version * 60_000).toISOString();
  const says = (id: string) => `${id}.v${version}`;
  switch (type) {
    case 'client':
      return aClient({
        id: ids.clientId,
        updatedAt,
        names: [{ use: 'legal', given: [person?.given ?? 'Ada'], family: person?.family ?? 'Abernethy' }],
        birthDate: person?.birthDate ?? '1950-01-01',
        sex: person?.gender === 'male' ? 'male' : 'female',
        identifiers: [{ kind: 'mrn', value: person?.mrn ?? `9${n}`, system: mrnSystem }],
        phones: [],
        addresses: [
          { id: 'home', use: 'home', lines: [says(ids.clientId)], city: 'Albany', state: 'NY', country: 'US' },
        ],
      });
    case 'case':
      return aCase({ id: ids.caseId, clientId: ids.clientId, updatedAt, program: says(ids.caseId) });
    case 'need':
      return aNeed({ id: `need-${n}`, ...ids, updatedAt, description: says(`need-${n}`) });
    case 'goal':
      return aGoal({ id: `goal-${n}`, ...ids, needIds: links.needIds, updatedAt, statement: says(`goal-${n}`) });
    case 'carePlan':
      return aCarePlan({ id: `plan-${n}`, ...ids, ...links, updatedAt, title: says(`plan-${n}`) });
    case 'referral':
      return aReferral({ id: `referral-${n}`, ...ids, ...links, updatedAt, requestedText: says(`referral-${n}`) });
    default:
      return type satisfies never;
  }
}
