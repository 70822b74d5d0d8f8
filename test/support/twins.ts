// Twin-rich patient searches: an invented hospital whose patients share names, birth dates, phones and numbers with each other, and clients of
// whom it is known who they are there. What the gateway links is compared with that truth.

import type { JsonObject } from '../../src/json.ts';
import type { ClientRecord, RecordType } from '../../src/records/records.ts';
import { aClient } from '../builders.ts';
import { freshEmbedded } from './embedded.ts';
import { aConfig, aConnection, accept, idle, startServer, startTestGateway } from './rig.ts';

export type TwinVendor = 'standard' | 'epic' | 'oracle';

export interface TwinFigures {
  readonly vendor: TwinVendor;
  readonly seed: number;
  readonly searches: number;
  readonly linked: number;
  /** Linked to a patient who is somebody else. */
  readonly wrong: number;
  readonly asked: number;
  readonly created: number;
  /** Created although the client was there already. */
  readonly doubled: number;
  readonly parked: number;
  /** Neither linked, asked about, created nor parked. */
  readonly unexplained: number;
  readonly byScenario: Readonly<Record<string, Record<Outcome, number>>>;
}

type Outcome = 'linked' | 'wrong' | 'asked' | 'created' | 'doubled' | 'parked' | 'unexplained';

const mrnSystem = 'urn:oid:1.2.3';

interface Person {
  readonly given: string;
  readonly family: string;
  readonly birthDate: string;
  readonly sex: 'female' | 'male';
  readonly phone: string;
  readonly street: string;
  readonly mrn: string;
}

interface Scene {
  /** Patients of the hospital; `self` is the client. */
  readonly patients: readonly { readonly person: Person; readonly isSelf: boolean; readonly more?: JsonObject }[];
  /** The client as the agency has them. */
  readonly client: Person;
  readonly knowsNumber: boolean;
  readonly merged?: boolean;
  readonly restricted?: boolean;
}

type Scenario = (self: Person, twin: Person, other: Person) => Scene;

const is = (person: Person) => ({ person, isSelf: true });
const isNot = (person: Person) => ({ person, isSelf: false });
const padded = (person: Person) => ({ person: { ...person, mrn: `     ${person.mrn}` }, isSelf: true });
const namesake = (self: Person, other: Person): Person => ({
  ...other,
  given: self.given,
  family: self.family,
  birthDate: self.birthDate,
  sex: self.sex,
});

const scenarios: Readonly<Record<string, Scenario>> = {
  'known by number': (self) => ({ patients: [is(self)], client: self, knowsNumber: true }),
  'known by a padded number': (self) => ({ patients: [padded(self)], client: self, knowsNumber: true }),
  'known by phone and address': (self) => ({ patients: [is(self)], client: self, knowsNumber: false }),
  'nobody there': (self, _twin, other) => ({ patients: [isNot(other)], client: self, knowsNumber: true }),
  'only the twin is there': (self, twin) => ({ patients: [isNot(twin)], client: self, knowsNumber: true }),
  'both twins are there': (self, twin) => ({ patients: [isNot(twin), is(self)], client: self, knowsNumber: true }),
  'both twins, no number': (self, twin) => ({ patients: [is(self), isNot(twin)], client: self, knowsNumber: false }),
  "the twin's number, only the twin is there": (self, twin) => ({
    patients: [isNot(twin)],
    client: { ...self, mrn: twin.mrn },
    knowsNumber: true,
  }),
  "the twin's number, both are there": (self, twin) => ({
    patients: [isNot(twin), is(self)],
    client: { ...self, mrn: twin.mrn },
    knowsNumber: true,
  }),
  'only a namesake is there': (self, _twin, other) => ({
    patients: [isNot(namesake(self, other))],
    client: self,
    knowsNumber: true,
  }),
  'only a namesake is there, no number': (self, _twin, other) => ({
    patients: [isNot(namesake(self, other))],
    client: self,
    knowsNumber: false,
  }),
  'a namesake too': (self, _twin, other) => ({
    patients: [isNot(namesake(self, other)), is(self)],
    client: self,
    knowsNumber: true,
  }),
  'a namesake too, no number': (self, _twin, other) => ({
    patients: [is(self), isNot(namesake(self, other))],
    client: self,
    knowsNumber: false,
  }),
  'a parent of the same name': (self, _twin, other) => ({
    patients: [isNot({ ...self, birthDate: '1935-05-05', mrn: other.mrn }), is(self)],
    client: self,
    knowsNumber: false,
  }),
  'our number on somebody else': (self, _twin, other) => ({
    patients: [isNot({ ...other, mrn: self.mrn })],
    client: self,
    knowsNumber: true,
  }),
  'our number on another birth date': (self, _twin, other) => ({
    patients: [isNot({ ...self, birthDate: other.birthDate })],
    client: self,
    knowsNumber: true,
  }),
  merged: (self) => ({ patients: [is(self)], client: self, knowsNumber: true, merged: true }),
  restricted: (self) => ({ patients: [is(self)], client: self, knowsNumber: true, restricted: true }),
};

/** Looks for `count` clients, the scenarios in turn. */
export async function searchTwins(options: {
  readonly vendor: TwinVendor;
  readonly count: number;
  readonly seed: number;
  readonly withinMs?: number;
}): Promise<TwinFigures> {
  const { vendor, count, seed } = options;
  // Only Epic keeps patients behind a glass.
  const names = Object.keys(scenarios).filter((name) => vendor === 'epic' || name !== 'restricted');
  const random = numbers(seed);
  const scenes = Array.from({ length: count }, (_, at) => {
    const name = names[at % names.length] ?? '';
    const make = scenarios[name];
    if (make === undefined) throw new Error('There are no scenarios.');
    const self = aPerson(random, at);
    return { name, id: `client-${at}`, at, scene: make(self, twinOf(self, random, at), aPerson(random, at + count)) };
  });
  const server = await startServer(vendor);
  const store = await freshEmbedded();
  const isSelf = new Map<string, string>();
  try {
    const merged: Record<string, string> = {};
    const restricted: string[] = [];
    const patients = scenes.flatMap(({ id, at, scene }) => {
      const made = scene.patients.map(({ person, isSelf: self, more }, index) => {
        const patientId = `p${at}-${index}`;
        if (self) isSelf.set(patientId, id);
        if (scene.restricted) restricted.push(patientId);
        return aPatient(patientId, person, more);
      });
      const [first] = scene.patients;
      if (!scene.merged || first === undefined) return made;
      const old = `p${at}-old`;
      merged[old] = `p${at}-0`;
      const link = [{ type: 'replaced-by', other: { reference: `Patient/p${at}-0` } }];
      return [...made, aPatient(old, first.person, vendor === 'standard' ? { active: false, link } : {})];
    });
    for (let from = 0; from < patients.length; from += 500) await server.seed(...patients.slice(from, from + 500));
    if (vendor === 'epic') await server.settings({ auth: 'none', merged, restricted });
    if (vendor === 'oracle') await server.settings({ auth: 'none', combined: merged });
    const connection = aConnection(server.base, { vendor, createPatients: vendor === 'standard', task: 'off' });
    const gateway = await startTestGateway(store, aConfig([connection]));
    try {
      const clients = scenes.map(({ id, scene }) => aRecord(id, scene));
      for (let from = 0; from < clients.length; from += 100) await accept(gateway, ...clients.slice(from, from + 100));
      await idle(gateway, options.withinMs ?? 60_000);
      const outcomes = await outcomesOf(store, isSelf, scenes);
      return figures(vendor, seed, outcomes);
    } finally {
      await gateway.stop();
    }
  } finally {
    await server.stop();
  }
}

type Scenes = readonly { readonly name: string; readonly id: string }[];

async function outcomesOf(
  { db }: Awaited<ReturnType<typeof freshEmbedded>>,
  isSelf: ReadonlyMap<string, string>,
  scenes: Scenes,
): Promise<{ name: string; outcome: Outcome }[]> {
  const links = await db
    .selectFrom('link')
    .selectAll()
    .where('type', '=', 'client')
    .where('retired_at', 'is', null)
    .execute();
  const byId = new Map(links.map((link) => [link.id, link]));
  const open = await db.selectFrom('decision').select('record_id').where('state', '=', 'open').execute();
  const asked = new Set(open.map(({ record_id: id }) => id));
  const isThere = new Set(isSelf.values());
  return scenes.map(({ name, id }) => {
    const link = byId.get(id);
    const remoteId = link?.remote_id;
    if (remoteId === null || remoteId === undefined) {
      return { name, outcome: asked.has(id) ? 'asked' : link?.state === 'parked' ? 'parked' : 'unexplained' };
    }
    if (link?.origin === 'created') return { name, outcome: isThere.has(id) ? 'doubled' : 'created' };
    return { name, outcome: isSelf.get(remoteId) === id ? 'linked' : 'wrong' };
  });
}

function figures(vendor: TwinVendor, seed: number, all: readonly { name: string; outcome: Outcome }[]): TwinFigures {
  const count = (of: readonly { outcome: Outcome }[]) => {
    const counted: Record<Outcome, number> = {
      linked: 0,
      wrong: 0,
      asked: 0,
      created: 0,
      doubled: 0,
      parked: 0,
      unexplained: 0,
    };
    for (const { outcome } of of) counted[outcome] += 1;
    return counted;
  };
  const byScenario = Object.fromEntries(
    [...Map.groupBy(all, ({ name }) => name)].map(([name, of]) => [name, count(of)]),
  );
  return { vendor, seed, searches: all.length, ...count(all), byScenario };
}

function aRecord(id: string, { client, knowsNumber }: Scene): readonly [RecordType, JsonObject] {
  const identifiers: ClientRecord['identifiers'] = knowsNumber
    ? [{ kind: 'mrn', value: client.mrn.trim(), system: mrnSystem }]
    : [];
  const record = aClient({
    id,
    names: [{ use: 'legal', given: [client.given], family: client.family }],
    birthDate: client.birthDate,
    sex: client.sex,
    identifiers,
    phones: [{ id: 'p1', number: client.phone, kind: 'voice' }],
    addresses: [{ id: 'a1', use: 'home', lines: [client.street], city: 'Albany', state: 'NY', postalCode: '12208' }],
  });
  return ['client', record];
}

function aPatient(id: string, person: Person, more: JsonObject = {}): JsonObject {
  return {
    resourceType: 'Patient',
    id,
    active: true,
    identifier: [{ system: mrnSystem, value: person.mrn }],
    name: [{ family: person.family, given: [person.given] }],
    birthDate: person.birthDate,
    gender: person.sex,
    telecom: [{ system: 'phone', value: person.phone }],
    address: [{ line: [person.street], city: 'Albany', state: 'NY', postalCode: '12208' }],
    ...more,
  };
}

const givens = {
  female: ['Rosa', 'Rita', 'Ines', 'Ana', 'Anna', 'Maria', 'Mariana', 'Jo', 'Joanna', 'Thi', 'Grace', 'Dana'],
  male: ['Dan', 'Daniel', 'Samuel', 'Saul', 'Earl', 'Harold', 'Harry', 'Walter', 'Walt', 'Jo', 'Luis', 'Leo'],
} as const;
const families = [
  'Delgado',
  'Baker',
  'Greene',
  'Finch',
  'Yusuf',
  'Thompson',
  'Kim',
  'Kimura',
  'Lim',
  'Ødegård',
  "O'Neil",
  'van Dyk',
];

/** Few names and few birth dates, so that strangers meet too. */
function aPerson(random: () => number, at: number): Person {
  const sex = random() < 0.5 ? 'female' : 'male';
  const day = new Date(Date.UTC(1940, 0, 1 + Math.floor(random() * 4000)));
  return {
    given: pick(givens[sex], random),
    family: pick(families, random),
    birthDate: day.toISOString().slice(0, 10),
    sex,
    phone: `518-${String(200 + Math.floor(at / 10_000)).padStart(3, '0')}-${String(at % 10_000).padStart(4, '0')}`,
    street: `${at + 1} Larch Avenue`,
    mrn: `MRN-${100_000 + at}`,
  };
}

/** Born the same day to the same family, under the same roof and phone, with a number of their own and another first name. */
function twinOf(self: Person, random: () => number, at: number): Person {
  const sex = random() < 0.7 ? self.sex : self.sex === 'female' ? 'male' : 'female';
  const others = givens[sex].filter((given) => given !== self.given);
  return { ...self, given: pick(others, random), sex, mrn: `MRN-${900_000 + at}` };
}

function pick<T>(list: readonly T[], random: () => number): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('Nothing to pick from.');
  return found;
}

/** A repeatable stream of numbers from 0 to 1 (a linear congruential generator, modulus 2^32). */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
