// Who wrote what is told in the transaction that writes it: once for each create, once for the updates together, and never without the write.
// Read from the server's own store and journal.

import { describe, expect, test } from '@jest/globals';
import { checkBase, checkProfile } from '../../../src/fhir/fhir.ts';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { aCase, aConsent, aGoal, aNeed } from '../../builders.ts';
import { caseWithReferral, directoryAndClient, type Item, slotsOfCaseload } from '../../support/caseload.ts';
import { activityOf, provenanceFaults, requestsIn, targetsOf } from '../../support/provenance.ts';
import { aConnection, ownCounts } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const everySlotOnce = Object.fromEntries(slotsOfCaseload.map((slot) => [slot, 1]));
const lane = 'county.case.case-rosa';

async function sendCase(): Promise<void> {
  await sendDirectory();
  await world.send(...caseWithReferral());
}

async function sendDirectory(): Promise<void> {
  await world.send(...directoryAndClient());
}

async function held(): Promise<JsonObject[]> {
  return world.server.all('Provenance');
}

async function faults(): Promise<string[]> {
  return provenanceFaults(requestsIn(await world.server.journal()), await held(), true);
}

async function toldOf(resourceType: string, value: string): Promise<JsonObject[]> {
  const { id } = await world.server.own(resourceType, value);
  return (await held()).filter((one) => targetsOf(one).includes(`${resourceType}/${id}`));
}

describe('a transaction', () => {
  test('tells of each resource that it creates, in the name of the case’s organization', async () => {
    await sendCase();
    expect(await faults()).toEqual([]);
    const [told, ...others] = await toldOf('Goal', 'county/goal/goal-meals#goal');
    expect(others).toEqual([]);
    const organization = await world.server.own('Organization', 'county/organization/org-riverside#organization');
    const author = { reference: `Organization/${organization.id}` };
    expect(told).toMatchObject({
      meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance'] },
      recorded: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      activity: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code: 'CREATE' }] },
      agent: [
        { type: { coding: [{ code: 'author' }] }, who: author },
        { type: { coding: [{ code: 'transmitter' }] }, who: { display: 'Casebridge' }, onBehalfOf: author },
      ],
    });
  });

  test('sends Provenance that base R4 and US Core allow, and that says nothing of a person', async () => {
    await sendCase();
    for (const provenance of await held()) {
      expect([...checkBase(provenance), ...checkProfile(provenance, 'us-core-provenance')]).toEqual([]);
      const { meta, target: _target, agent: _agent, ...rest } = provenance;
      expect(Object.keys(rest).toSorted()).toEqual(['activity', 'id', 'recorded', 'resourceType']);
      expect(JSON.stringify([meta, rest])).not.toMatch(/rosa|food/i);
    }
  });

  test('tells of what it updates, all together', async () => {
    await sendCase();
    const before = new Set((await held()).map(({ id }) => id));
    await changeTwo();
    expect(await faults()).toEqual([]);
    const added = (await held()).filter(({ id }) => !before.has(id));
    expect(added.map(activityOf)).toEqual(['UPDATE']);
    const goal = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    expect(added.flatMap(targetsOf)).toContain(`Goal/${goal.id}`);
    expect(added.flatMap(targetsOf).length).toBeGreaterThan(1);
  });

  test('counts it towards the entries that a server takes at once', async () => {
    await sendCase();
    const before = (await world.server.journal()).length;
    await world.send(
      ...Array.from({ length: 60 }, (_, at): Item => ['goal', aGoal({ id: `goal-${at}`, statement: `Aim ${at}` })]),
    );
    const sizes = (await world.server.journal(before)).flatMap(({ requestBody }) =>
      isObject(requestBody) && Array.isArray(requestBody.entry) ? [requestBody.entry.length] : [],
    );
    expect(Math.max(...sizes)).toBeGreaterThan(90);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(await world.server.all('Goal')).toHaveLength(61);
    expect(await faults()).toEqual([]);
  });

  test('counts what it weighs in bytes, as the server does', async () => {
    await sendCase();
    const before = (await world.server.journal()).length;
    // 400,000 letters of three bytes each.
    const statement = '食'.repeat(10_000);
    await world.send(...Array.from({ length: 40 }, (_, at): Item => ['goal', aGoal({ id: `goal-${at}`, statement })]));
    const sizes = (await world.server.journal(before)).flatMap(({ method, requestBody }) =>
      method === 'POST' ? [Buffer.byteLength(JSON.stringify(requestBody))] : [],
    );
    expect(Math.max(...sizes)).toBeGreaterThan(900_000);
    expect(Math.max(...sizes)).toBeLessThan(1_010_000);
    expect(await world.server.all('Goal')).toHaveLength(41);
  });

  test('tells nothing more when a second run has nothing to write', async () => {
    await sendCase();
    const before = (await world.server.journal()).length;
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
  });

  test('labels it as what it tells of is labelled', async () => {
    const organization = { source: 'county', id: 'org-pantry' };
    await world.connect(aConnection(world.server.base, { organization }));
    await sendDirectory();
    await world.accept(['consent', aConsent({ sensitivity: ['mental-health'] })]);
    const others = caseWithReferral().filter(([type]) => type !== 'need');
    await world.send(...others, ['need', aNeed({ sensitivity: ['mental-health'] })]);
    const need = await world.server.own('Condition', 'county/need/need-food#condition');
    const labels = isObject(need.meta) ? need.meta.security : undefined;
    expect(labels).toHaveLength(2);
    const [told] = await toldOf('Condition', 'county/need/need-food#condition');
    expect(told?.meta).toMatchObject({ security: labels });
  });
});

function changeTwo(): Promise<void> {
  const updatedAt = '2026-02-20T10:00:00-05:00';
  return world
    .accept(
      ['goal', aGoal({ statement: 'Food every day.', updatedAt })],
      ['case', aCase({ status: 'on-hold', updatedAt })],
    )
    .then(() => world.work());
}

describe('what was written is told once, and what was not is not told, when a reply is', () => {
  const accidents: [string, JsonObject][] = [
    ['lost after the server committed', { drop: 'after-commit' }],
    ['lost before the server did anything', { drop: 'before-commit' }],
    ['500 after the server committed', { status: 500, at: 'after-commit' }],
    ['503 before the server did anything', { status: 503 }],
    ['cut in the middle of its body', { truncate: 40 }],
    ['a refusal of the whole transaction', { status: 422 }],
  ];

  test.each(accidents)('%s: creates', async (_accident, fault) => {
    await sendDirectory();
    await world.server.strikeOnce('POST', '$', fault);
    await sendCase();
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
    expect(await faults()).toEqual([]);
  });

  test.each(accidents)('%s: updates', async (_accident, fault) => {
    await sendCase();
    await world.server.strikeOnce('POST', '$', fault);
    await changeTwo();
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      description: { text: 'Food every day.' },
    });
    expect(await faults()).toEqual([]);
  });
});

test('what another process takes over after a lost reply is told once', async () => {
  await sendDirectory();
  await world.server.faults({ method: 'POST', path: '$', fault: { drop: 'after-commit' } });
  await world.accept(...caseWithReferral());
  await world.run(lane, { deps: { holder: 'one' } });
  await world.server.mend();
  await world.work({ deps: { holder: 'another' } });
  expect(await ownCounts(world.server)).toEqual(everySlotOnce);
  expect(await faults()).toEqual([]);
});

describe('a transaction that finds what an earlier one created', () => {
  test('tells nothing again, when its Provenance is there', async () => {
    await sendCase();
    const before = (await held()).map(({ id }) => id);
    await forgetLinks();
    await world.workAgain();
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
    expect((await held()).filter(({ id }) => !before.includes(id)).map(activityOf)).not.toContain('CREATE');
    expect(await faults()).toEqual([]);
  });

  test('and arrives twice by itself changes nothing the second time', async () => {
    await sendCase();
    const sent = (await world.server.journal()).filter(
      ({ requestBody }) => isObject(requestBody) && requestBody.type === 'transaction',
    );
    const before = (await held()).length;
    for (const { requestBody } of sent) {
      if (!isObject(requestBody)) throw new Error('no body');
      await world.server.fhir('POST', '', requestBody);
    }
    expect(await held()).toHaveLength(before);
  });
});

/** As after a restored store: the server has everything, and we know of none of what the case made. */
async function forgetLinks(): Promise<void> {
  await world.store.db.deleteFrom('operation').where('subject', '=', lane).execute();
  await world.store.db.deleteFrom('link').where('subject', '=', lane).execute();
}

describe('no Provenance goes to a server that', () => {
  test.each([
    ['takes no transactions', { transactions: false }, 'the server takes none'],
    ['creates nothing conditionally', { conditionalCreate: false }, 'conditional create'],
    ['does not search it by its tag', { hiddenSearchParameters: ['Provenance._tag'] }, '_tag'],
  ])('%s, and the report says why', async (_what, settings, why) => {
    await world.server.settings(settings);
    await sendCase();
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
    expect(await held()).toEqual([]);
    expect((await world.report()).provenance).toContain(why);
  });

  test('while one that takes it is reported so', async () => {
    expect((await world.report()).provenance).toMatch(/^Provenance goes with each transaction/);
  });
});
