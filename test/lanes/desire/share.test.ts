// A connection that shares referrals only: nothing of a case goes there but what belongs to a referral to its organization, in whatever order the records
// come (closed-loop B4; `share: referrals`).

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { aCase, aClient, aConsent, aNeed, anOrganization, aReferral, aService } from '../../builders.ts';
import { caseload, type Item } from '../../support/caseload.ts';
import { aConnection, ownCounts, ownValue } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const shared = {
  share: 'referrals',
  basis: 'consent',
  organization: { source: 'county', id: 'org-pantry' },
} as const;
const world = useWorld(shared);

const others: readonly Item[] = [
  ['client', aClient({ id: 'client-two', birthDate: '1990-05-05', identifiers: [] })],
  ['case', aCase({ id: 'case-two', clientId: 'client-two' })],
  ['need', aNeed({ id: 'need-two', clientId: 'client-two', caseId: 'case-two' })],
  ['consent', aConsent({ id: 'consent-two', clientId: 'client-two' })],
  [
    'referral',
    aReferral({
      id: 'referral-two',
      clientId: 'client-two',
      caseId: 'case-two',
      organizationId: 'org-shelter',
      serviceId: undefined,
    }),
  ],
  ['organization', anOrganization({ id: 'org-shelter', name: 'Harbor Shelter' })],
  ['organization', anOrganization({ id: 'org-clinic', name: 'Lake Clinic' })],
  ['need', aNeed({ id: 'need-rent', domain: 'housing-instability' })],
];

const items = (): Item[] => [...caseload(), ['consent', aConsent()], ...others];

/** What belongs to the referral of the builders' case. */
const belonging = [
  'county/client/client-rosa#patient',
  'county/goal/goal-meals#goal',
  'county/need/need-food#condition',
  'county/organization/org-pantry#organization',
  'county/organization/org-riverside#organization',
  'county/referral/referral-pantry#fulfilment',
  'county/referral/referral-pantry#request',
  'county/service/service-groceries#service',
  'county/worker/worker-okafor#practitioner',
  'county/worker/worker-okafor#role',
];

async function held(): Promise<string[]> {
  const counts = await ownCounts(world.server);
  expect(Object.values(counts).every((count) => count === 1)).toBe(true);
  return Object.keys(counts).sort();
}

async function lanes(): Promise<string[]> {
  const rows = await world.store.db.selectFrom('lane').select('subject').orderBy('subject').execute();
  return rows.map(({ subject }) => subject);
}

describe('what belongs to a referral is there, once', () => {
  test.each([
    ['in natural order', (all: Item[]) => all],
    ['in reverse order', (all: Item[]) => all.toReversed()],
    [
      'the referral first',
      (all: Item[]) => all.toSorted(([one], [other]) => Number(other === 'referral') - Number(one === 'referral')),
    ],
    [
      'the client last',
      (all: Item[]) => all.toSorted(([one], [other]) => Number(one === 'client') - Number(other === 'client')),
    ],
  ])('%s', async (_order, arrange) => {
    for (const item of arrange(items())) await world.send(item);
    expect(await held()).toEqual(belonging);
    expect(await lanes()).toEqual([
      'county.case.case-rosa',
      'county.client.client-rosa',
      'county.organization.org-pantry',
      'county.organization.org-riverside',
      'county.service.service-groceries',
      'county.worker.worker-okafor',
    ]);
  });

  test('where the referral names only a service of the organization', async () => {
    const named = items().map(([type, record]): Item => {
      const { organizationId: _organization, ...unnamed } = record;
      return [type, record.id === 'referral-pantry' ? unnamed : record];
    });
    for (const item of named.toSorted(([one], [other]) => Number(one === 'service') - Number(other === 'service')))
      await world.send(item);
    expect(await held()).toEqual(belonging);
  });

  test('where the connection is new', async () => {
    await world.send(...items());
    const second = aConnection(world.server.base, { ...shared, id: 'second' });
    await world.server.control('POST', 'reset');
    await world.connect(second);
    await world.work();
    expect(await held()).toEqual(belonging);
    const rows = await world.store.db.selectFrom('lane').select('subject').where('connection', '=', 'second').execute();
    expect(rows).toHaveLength(6);
  });
});

test('a second look writes nothing', async () => {
  await world.send(...items());
  const before = (await world.server.writes()).length;
  await world.workAgain();
  expect((await world.server.writes()).length).toBe(before);
});

test('a need that leaves the referral is taken back there, and stays where it is in the record', async () => {
  await world.send(...items());
  await world.send(['referral', { ...aReferral({ needIds: [] }), updatedAt: '2026-02-10T10:00:00-05:00' }]);
  const [condition] = (await world.server.all('Condition')).filter((one) => ownValue(one)?.includes('need-food'));
  expect(condition?.note).toBeUndefined();
  expect(JSON.stringify(condition)).toContain('entered-in-error');
  expect(await world.link('need/need-food#condition')).toMatchObject({
    state: 'withheld',
    reason: 'not-referred',
    remoteId: null,
  });
});

test('a service that is found to be of another organization opens nothing', async () => {
  const elsewhere = aService({ organizationId: 'org-clinic' });
  const referral: JsonObject = { ...aReferral() };
  delete referral.organizationId;
  await world.accept(
    ['organization', anOrganization({ id: 'org-clinic' })],
    ['service', elsewhere],
    ['client', aClient()],
  );
  await world.send(['case', aCase()], ['consent', aConsent()], ['referral', referral]);
  expect([await held(), await lanes()]).toEqual([[], []]);
});

describe('once no referral to it is open', () => {
  const at = (hour: number) => `2026-02-10T${String(hour).padStart(2, '0')}:00:00-05:00`;
  const ended = (overrides: JsonObject = {}): JsonObject => {
    const { history = [] } = aReferral();
    const moves = Array.isArray(history) ? history : [];
    const move = { id: 'h9', status: 'cancelled', at: at(9), reason: 'Moved away' };
    return { ...aReferral(), status: 'cancelled', history: [...moves, move], updatedAt: at(9), ...overrides };
  };
  const phone = (number: string, hour: number): Item => [
    'client',
    aClient({ phones: [{ id: 'p1', number }], updatedAt: at(hour) }),
  ];
  const words = (description: string, hour: number): Item => ['need', aNeed({ description, updatedAt: at(hour) })];

  const isOver = async (): Promise<number> => {
    await world.send(...items());
    await world.send(['referral', ended()]);
    return (await world.server.writes()).length;
  };
  const patient = async () => JSON.stringify(await world.server.all('Patient'));
  const conditions = async () => JSON.stringify(await world.server.all('Condition'));

  test('its last words go, nothing new of the client follows them, and what is there stays', async () => {
    const before = await isOver();
    expect((await world.server.all('Task'))[0]).toMatchObject({
      status: 'cancelled',
      statusReason: { text: 'Moved away' },
    });
    await world.send(phone('518-555-0999', 10), words('No stove', 10));
    await world.workAgain();
    expect((await world.server.writes()).length).toBe(before);
    expect(await held()).toEqual(belonging);
    expect(await world.link('client/client-rosa#patient')).toMatchObject({
      state: 'withheld',
      reason: 'referral-over',
      retired: false,
    });
    expect(await world.link('need/need-food#condition')).toMatchObject({ state: 'withheld', reason: 'referral-over' });
  });

  test('what the referral itself says is sent all the same', async () => {
    await isOver();
    const comment = { id: 'c1', at: at(11), byName: 'Ida', text: 'Thank you', visibility: 'shared' };
    await world.send(['referral', ended({ comments: [comment], updatedAt: at(11) })]);
    expect(JSON.stringify(await world.server.all('Task'))).toContain('Thank you');
  });

  test('a new referral lets it go on', async () => {
    await isOver();
    await world.send(phone('518-555-0999', 10), words('No stove', 10));
    await world.send(['referral', aReferral({ id: 'referral-again', updatedAt: at(12) })]);
    expect(await patient()).toContain('518-555-0999');
    expect(await conditions()).toContain('No stove');
    expect((await world.link('client/client-rosa#patient')).state).not.toBe('withheld');
  });

  const takenBack: Readonly<Record<string, Item>> = {
    'a withdrawn record': ['need', { id: 'need-food', updatedAt: at(12), deleted: true }],
    'an error': ['need', aNeed({ status: 'entered-in-error', updatedAt: at(12) })],
    'a consent that is withdrawn': ['consent', aConsent({ status: 'revoked', revokedAt: at(11), updatedAt: at(12) })],
  };
  test.each(Object.entries(takenBack))('%s is taken back there all the same', async (_, item) => {
    await isOver();
    await world.send(item);
    expect(await conditions()).toContain('entered-in-error');
    await world.workAgain();
    expect((await world.openDecisions()).every(({ kind }) => kind === 'recalled')).toBe(true);
  });
});
