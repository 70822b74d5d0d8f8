// The source of records: a small caseload whose texts carry the number of their version, sent in batches, again where the answer was lost, and now
// and then late. What it was promised is kept here, to be held against the store and the server.

import type { ConnectionConfig } from '../../src/config.ts';
import { acceptRecords, type RecordType, type StoredRecord } from '../../src/records/records.ts';
import type { SeedPerson } from '../../src/sandbox/hospital-seed.ts';
import type { Store } from '../../src/store/store.ts';
import { aCarePlan, aCase, aClient, aConsent, aGoal, aNeed, anOrganization, aReferral, aWorker } from '../builders.ts';
import { checked, type Item } from '../support/caseload.ts';
import type { Random } from './random.ts';
import type { Swarm } from './swarm.ts';

export interface SentRecord {
  readonly type: RecordType;
  readonly record: StoredRecord;
  readonly version: number;
}

export class Source {
  /** The newest of each record, in the order in which the records began. */
  readonly newest = new Map<string, SentRecord>();
  /** Every version that was made, by its number. */
  readonly made = new Map<number, SentRecord>();
  /** Answered `accepted` or `unchanged`. */
  readonly promised: SentRecord[] = [];
  readonly #random: Random;
  readonly #configs: readonly ConnectionConfig[];
  readonly #swarm: Swarm;
  /** Of records that have moved; another one is in the first case of the client of its number. */
  readonly #homes = new Map<string, Home>();
  /** Sent without an answer, or held back to come late. */
  #open: SentRecord[] = [];
  #versions = 0;

  constructor(random: Random, configs: readonly ConnectionConfig[], swarm: Swarm) {
    this.#random = random;
    this.#configs = configs;
    this.#swarm = swarm;
  }

  get hasOpen(): boolean {
    return this.#open.length > 0;
  }

  /** The first records: everything, or with the rest still to come. */
  begin(now: number): void {
    const all = firstRecords(this.#swarm);
    for (const [type, id] of all) this.#change(type, id, now);
  }

  /** Changes one to three records; now and then a case gets a new one. */
  change(now: number): void {
    if (this.#swarm.moves && this.#random.chance(0.5)) this.#move(now);
    if (this.#random.chance(0.4)) this.#add(now);
    const known = [...this.newest.values()];
    const edited = known.filter(({ type }) => type === 'need' || type === 'goal' || type === 'referral');
    const others = known.filter(({ type }) => type !== 'client' && type !== 'worker');
    const draws = Array.from({ length: this.#random.between(1, 3) }, () =>
      this.#random.pick(this.#random.chance(0.7) ? edited : others),
    );
    const changed = new Set(draws);
    for (const { type, record } of changed) this.#change(type, record.id, now);
  }

  /** A client gives their consent, withdraws it or says something else about it. */
  changeConsent(now: number): void {
    this.#change('consent', `k${this.#random.between(0, this.#swarm.cases - 1)}`, now);
  }

  /** Sends what is open. @throws what the store throws: the answer is lost, and all of it is sent again later */
  async send(store: Store, now: number): Promise<void> {
    const late = this.#swarm.disorder > 0 && this.#random.chance(this.#swarm.disorder);
    const batch = late ? this.#open.toReversed() : [...this.#open];
    const held = late && batch.length > 1 ? batch.splice(this.#random.between(1, batch.length - 1)) : [];
    const items = batch.map(({ type, record }): Item => [type, record]);
    const answers = await store.tx((trx) => acceptRecords(trx, 'county', checked(items, new Date(now)), this.#configs));
    this.promised.push(...batch.filter((_, at) => answers[at]?.outcome !== 'stale'));
    this.#open = held;
  }

  #add(now: number): void {
    const type = this.#random.pick(['need', 'goal', 'referral'] as const);
    const at = this.#random.between(0, this.#swarm.cases - 1);
    this.#change(type, `${type}-x${this.#versions}-${at}`, now);
  }

  /** What nothing else points at turns out to belong to another case, of the same client or of another. */
  #move(now: number): void {
    const movable = [...this.newest.values()].filter(
      ({ type, record }) => type === 'goal' || type === 'referral' || record.id.startsWith('need-x'),
    );
    const { type, record } = this.#random.pick(movable);
    const home = this.#random.pick([
      { client: 0, caseId: 's0' },
      { client: 0, caseId: 'sb0' },
      { client: 1, caseId: 's1' },
    ]);
    this.#homes.set(`${type}/${record.id}`, home);
    this.#change(type, record.id, now);
  }

  #change(type: RecordType, id: string, now: number): void {
    const before = this.newest.get(`${type}/${id}`);
    const version = ++this.#versions;
    // Of one source no two versions are of the same instant.
    const updatedAt = new Date(now - 1_000_000 + version).toISOString();
    const home = this.#homes.get(`${type}/${id}`) ?? homeOf(id);
    const record = nextRecord(type, id, version, updatedAt, home, this.#random, before?.record);
    const sent = { type, record, version };
    this.newest.delete(`${type}/${id}`);
    this.newest.set(`${type}/${id}`, sent);
    this.made.set(version, sent);
    this.#open.push(sent);
  }
}

interface Home {
  /** The number of the client. */
  readonly client: number;
  readonly caseId: string;
}

function homeOf(id: string): Home {
  const [, at = '0'] = /(\d+)$/.exec(id) ?? [];
  return { client: Number(at), caseId: `s${at}` };
}

function firstRecords({ cases, basis, moves }: Swarm): [RecordType, string][] {
  const each = Array.from({ length: cases }, (_, at): [RecordType, string][] => [
    ['client', `c${at}`],
    ...(basis === 'consent' ? [['consent', `k${at}`] satisfies [RecordType, string]] : []),
    ['case', `s${at}`],
    ['need', `n${at}`],
    ['goal', `g${at}`],
    ['referral', `r${at}`],
    ...(at === 0 ? [['carePlan', `p${at}`] satisfies [RecordType, string]] : []),
  ]);
  const second: [RecordType, string][] = moves ? [['case', 'sb0']] : [];
  return [['organization', 'org-pantry'], ['worker', 'worker-okafor'], ...each.flat(), ...second];
}

/** The client of a case, as a hospital knows them. */
export function personOf(at: number): SeedPerson {
  return {
    id: `patient-${at}`,
    mrn: `MRN-${at}`,
    family: `Delgado${at}`,
    given: 'Rosa',
    birthDate: '1984-06-17',
    gender: 'female',
  };
}

/** How a text tells the version that it is of. */
export function told(version: number): string {
  return `(v${version})`;
}

function nextRecord(
  type: RecordType,
  id: string,
  version: number,
  updatedAt: string,
  { client: at, caseId }: Home,
  random: Random,
  before: StoredRecord | undefined,
): StoredRecord {
  const person = personOf(at);
  const common = { id, updatedAt, clientId: `c${at}` };
  const inCase = { ...common, caseId };
  switch (type) {
    case 'organization':
      return anOrganization({ id, updatedAt, name: `Elm Street Pantry ${told(version)}` });
    case 'worker':
      return aWorker({ id, updatedAt, organizationId: 'org-pantry' });
    case 'client':
      return aClient({
        id,
        updatedAt,
        names: [{ use: 'legal', given: [person.given], family: person.family }],
        birthDate: person.birthDate,
        identifiers: [{ kind: 'mrn', value: person.mrn, system: 'urn:oid:1.2.3' }],
      });
    case 'consent': {
      const isActive = before === undefined || random.chance(0.5);
      return aConsent({
        ...common,
        status: isActive ? 'active' : 'revoked',
        revokedAt: isActive ? undefined : '2026-06-01T11:00:00Z',
        recipients: [{ organizationId: 'org-pantry' }],
        // Without an end: a history does not wait for it.
        period: { from: '2026-02-02' },
      });
    }
    case 'case':
      return aCase({
        ...common,
        organizationId: 'org-pantry',
        program: `Food ${told(version)}`,
        status: random.pick(['open', 'open', 'on-hold']),
      });
    case 'need':
      return aNeed({
        ...inCase,
        description: `Runs out of food ${told(version)}`,
        status: random.pick(['identified', 'addressing', 'met']),
      });
    case 'goal':
      return aGoal({
        ...inCase,
        statement: `Food on the table ${told(version)}`,
        needIds: [`n${at}`],
        responsible: [{ kind: 'client' }],
        status: random.pick(['active', 'active', 'on-hold']),
        deleted: before !== undefined && random.chance(0.08) ? true : undefined,
      });
    case 'referral':
      return aReferral({
        ...inCase,
        serviceId: undefined,
        requestedById: undefined,
        organizationId: 'org-pantry',
        requesterOrganizationId: 'org-pantry',
        needIds: [`n${at}`],
        goalIds: undefined,
        requestedText: `Weekly groceries ${told(version)}`,
        urgency: random.pick(['routine', 'urgent', 'asap']),
      });
    case 'carePlan':
      return aCarePlan({ ...inCase, title: `Enough food ${told(version)}`, needIds: [`n${at}`], goalIds: undefined });
    default:
      throw new Error(`The simulated source has no ${type}.`);
  }
}
