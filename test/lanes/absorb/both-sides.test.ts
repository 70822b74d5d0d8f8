// Both sides go on with a record before either has heard the other: what the other side said is offered whole, whatever resources it says it in, and
// nothing that it added or qualified is taken from it (lanes.md 13, 14).

import { describe, expect, test } from '@jest/globals';
import { type JsonObject, objectAt, objectsAt } from '../../../src/json.ts';
import { refuseChange } from '../../../src/lanes/lanes.ts';
import { aClient, aGoal, anIntervention } from '../../builders.ts';
import { caseload, directoryAndClient, type Item } from '../../support/caseload.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const goalSlot = 'county/goal/goal-meals#goal';
const day = (of: number) => `2026-02-${String(of).padStart(2, '0')}T10:00:00-05:00`;

async function edit(resourceType: string, slot: string, change: (held: JsonObject) => JsonObject): Promise<void> {
  const { id } = await world.server.own(resourceType, slot);
  await partnerEdits(world.server, `${resourceType}/${id}`, change);
}

/** The bodies of all changes so far. */
async function bodies(): Promise<JsonObject[]> {
  return (await world.changes()).map((change) => objectAt(change, 'body') ?? {});
}

/** What the other side says of a record, by field. */
async function remote(id: string): Promise<JsonObject> {
  const rows = await world.store.db
    .selectFrom('remote_value')
    .select(['pointer', 'value'])
    .where('id', '=', id)
    .execute();
  return Object.fromEntries(rows.map(({ pointer, value }) => [pointer.slice(1), value]));
}

const notesOf = (body: JsonObject | undefined, list: string) =>
  objectsAt(body, list).map(({ id, note, value }) => [id, note, value].filter((one) => one !== undefined).join(' '));

describe('edits of one record in several of its resources', () => {
  const delivered = (id: string, at: number, note: string) => {
    return { id, at: day(at), byId: 'worker-okafor', outcome: 'delivered' as const, note };
  };
  const snap = (one: string, two: string, at?: string): Item => [
    'intervention',
    anIntervention({ deliveries: [delivered('d1', 6, one), delivered('d2', 7, two)], ...(at && { updatedAt: at }) }),
  ];
  const say = (id: string, text: string) =>
    edit('Procedure', `county/intervention/intervention-snap#delivery[${id}]`, (held) => ({
      ...held,
      note: [{ text }],
    }));
  const deliveries = async () => (await bodies()).map((body) => notesOf(body, 'deliveries'));

  test('in one look are one change that says all of them', async () => {
    await world.send(...caseload(), snap('one', 'two'));
    await say('d1', 'ONE');
    await say('d2', 'TWO');
    await world.workAgain();
    expect(await deliveries()).toEqual([['d1 ONE', 'd2 TWO']]);
    expect(notesOf(await remote('intervention-snap'), 'deliveries')).toEqual(['d1 ONE', 'd2 TWO']);
  });

  test('in resources of two kinds are one change too', async () => {
    const progress = [{ id: 'p1', at: day(6), note: 'Fine', value: 3 }];
    await world.send(...caseload(), ['goal', aGoal({ progress })]);
    await edit('Observation', 'county/goal/goal-meals#progress[p1]', (held) => ({
      ...held,
      valueQuantity: { value: 9 },
    }));
    await edit('Goal', goalSlot, (held) => ({
      ...held,
      note: objectsAt(held, 'note').map((note) => ({ ...note, text: 'Better' })),
    }));
    await world.workAgain();
    expect((await bodies()).map((body) => notesOf(body, 'progress'))).toEqual([['p1 Better 9']]);
  });

  test('in two looks: the later change says the earlier one again, and what the source itself has said since', async () => {
    await world.send(...caseload(), snap('one', 'two'));
    await say('d1', 'ONE');
    await world.workAgain();
    await say('d2', 'TWO');
    await world.workAgain();
    expect(await deliveries()).toEqual([
      ['d1 ONE', 'd2 two'],
      ['d1 ONE', 'd2 TWO'],
    ]);
    await world.send(snap('one', 'TWO, and on', day(8)));
    await say('d1', 'ONE more');
    await world.workAgain();
    expect((await deliveries()).at(-1)).toEqual(['d1 ONE more', 'd2 TWO, and on']);
  });

  test('that the source has refused are not said again', async () => {
    await world.send(...caseload(), snap('one', 'two'));
    await say('d1', 'ONE');
    await world.workAgain();
    await refuseChange(world.store, { source: 'county', cursor: 1, reason: 'Not so.' });
    await say('d2', 'TWO');
    await world.workAgain();
    expect((await deliveries()).at(-1)).toEqual(['d1 one', 'd2 TWO']);
  });

  test('of which one is taken back before it was taken over: the source is told, and it is no longer said', async () => {
    await world.send(...caseload(), snap('one', 'two'));
    await say('d1', 'ONE');
    await say('d2', 'TWO');
    await world.workAgain();
    await say('d1', 'one');
    await world.workAgain();
    expect((await deliveries()).at(-1)).toEqual(['d1 one', 'd2 TWO']);
    await say('d2', 'two');
    await world.workAgain();
    expect((await deliveries()).at(-1)).toEqual(['d1 one', 'd2 two']);
    expect(await remote('intervention-snap')).toEqual({});
  });

  test('of which a person has let two stand are both said', async () => {
    await world.remap('intervention.yaml', (text) => text.replace('- { text: {', '- { owner: ask, text: {'));
    await world.send(...caseload(), snap('one', 'two'));
    await say('d1', 'ONE');
    await say('d2', 'TWO');
    await world.accept(snap('uno', 'dos', day(8)));
    await world.workAgain();
    await world.decide('conflict', 'theirs');
    await world.decide('conflict', 'theirs');
    await world.workAgain();
    expect((await deliveries()).at(-1)).toEqual(['d1 ONE', 'd2 TWO']);
    expect(notesOf(await remote('intervention-snap'), 'deliveries')).toEqual(['d1 ONE', 'd2 TWO']);
  });

  test('leave what is said of the record once its source has taken over all of them', async () => {
    await world.send(...caseload(), snap('one', 'two'));
    await say('d1', 'ONE');
    await say('d2', 'TWO');
    await world.workAgain();
    await world.send(snap('ONE', 'two', day(8)));
    expect(notesOf(await remote('intervention-snap'), 'deliveries')).toEqual(['d1 ONE', 'd2 TWO']);
    await world.send(snap('ONE', 'TWO', day(9)));
    expect(await remote('intervention-snap')).toEqual({});
    expect(await deliveries()).toHaveLength(1);
  });
});

describe('whoever lets theirs stand when the source has sent a version that the lane has not taken in', () => {
  const slot = 'county/intervention/intervention-snap#delivery[d1]';
  const question = () => world.openDecisions().then((open) => open.map(({ code, detail }) => [code, detail.ours]));

  /** The partner has changed what was done, a person is asked about it, and the source sends this. */
  async function asked(newVersion: Parameters<typeof anIntervention>[0]): Promise<void> {
    await world.send(...caseload(), ['intervention', anIntervention()]);
    await edit('Procedure', slot, (held) => ({ ...held, code: { ...objectAt(held, 'code'), text: 'Theirs' } }));
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ code: 'remote-edit', detail: { element: 'code' } }]);
    await world.accept(['intervention', anIntervention({ ...newVersion, updatedAt: day(9) })]);
    const before = await question();
    await expect(world.decide('conflict', 'theirs')).rejects.toMatchObject({ code: 'decision-outdated' });
    expect(await question()).toEqual(before);
    await world.work();
  }

  async function theirsHolds(): Promise<void> {
    await world.decide('conflict', 'theirs');
    await world.workAgain();
    expect(await world.server.own('Procedure', slot)).toMatchObject({ code: { text: 'Theirs' } });
    expect(await world.openDecisions()).toEqual([]);
  }

  test('which says something else of it: is asked again, and nothing is written over it', async () => {
    await asked({ description: 'Help with WIC.' });
    expect(await world.server.own('Procedure', slot)).toMatchObject({ code: { text: 'Theirs' } });
    expect(await question()).toEqual([['remote-edit', expect.objectContaining({ text: 'Help with WIC.' })]]);
    await theirsHolds();
  });

  test('which says the same of it: is told so, and the answer holds once the lane has looked', async () => {
    const at = '2026-02-06T09:00:00-05:00';
    await asked({ deliveries: [{ id: 'd1', at, minutes: 50, byId: 'worker-okafor', outcome: 'delivered' }] });
    expect(await question()).toHaveLength(1);
    await theirsHolds();
  });
});

describe('a list of ours to which the other side has added', () => {
  const progress = (...notes: [string, string][]) => notes.map(([id, note]) => ({ id, at: day(6), note }));
  const goal = (notes: [string, string][], at?: string): Item => [
    'goal',
    aGoal({ progress: progress(...notes), ...(at && { updatedAt: at }) }),
  ];
  const theirs: JsonObject[] = [
    { id: 'n77', time: day(7), text: 'Theirs' },
    { time: day(8), text: 'Theirs too' },
  ];
  const add = () => edit('Goal', goalSlot, (held) => ({ ...held, note: [...objectsAt(held, 'note'), ...theirs] }));
  const notes = async () => objectsAt(await world.server.own('Goal', goalSlot), 'note').map(({ text }) => text);

  test('keeps it when the source edits its own items before it has taken that over', async () => {
    await world.send(
      ...caseload(),
      goal([
        ['p1', 'Ours'],
        ['p2', 'Ours too'],
      ]),
    );
    await add();
    await world.workAgain();
    await world.send(goal([['p1', 'Ours, better']], day(9)));
    expect(await notes()).toEqual(['Ours, better', 'Theirs', 'Theirs too']);
    expect((await bodies()).map((body) => notesOf(body, 'progress'))).toMatchObject([
      ['p1 Ours', 'p2 Ours too', 'n77 Theirs', expect.stringMatching(/^r-\w+ Theirs too$/)],
    ]);
  });

  test('in which each side has changed an item of its own: both stand, and only theirs is offered', async () => {
    await world.send(
      ...caseload(),
      goal([
        ['p1', 'Ours'],
        ['p2', 'Ours too'],
        ['p3', 'Third'],
      ]),
    );
    await edit('Goal', goalSlot, (held) => ({
      ...held,
      note: objectsAt(held, 'note').flatMap((one) =>
        one.id === 'p3' ? [] : [one.id === 'p2' ? { ...one, text: 'Theirs' } : one],
      ),
    }));
    await world.accept(
      goal(
        [
          ['p1', 'Ours, better'],
          ['p2', 'Ours too'],
          ['p3', 'Third'],
        ],
        day(9),
      ),
    );
    await world.workAgain();
    expect(await notes()).toEqual(['Ours, better', 'Theirs']);
    expect((await bodies()).map((body) => notesOf(body, 'progress'))).toEqual([['p1 Ours, better', 'p2 Theirs', 'p3']]);
    await world.send(
      goal(
        [
          ['p1', 'Ours, best'],
          ['p2', 'Ours too'],
          ['p3', 'Third'],
        ],
        day(10),
      ),
    );
    expect(await notes()).toEqual(['Ours, best', 'Theirs']);
    expect(await bodies()).toHaveLength(1);
  });

  test('loses what the source has taken over and then taken out', async () => {
    await world.send(...caseload(), goal([['p1', 'Ours']]));
    await add();
    await world.workAgain();
    await world.send(
      goal(
        [
          ['p1', 'Ours'],
          ['n77', 'Theirs'],
        ],
        day(9),
      ),
    );
    await world.send(goal([['p1', 'Ours']], day(10)));
    expect(await notes()).not.toContain('Theirs');
  });

  test('of which it has taken a note out: the note is offered as gone, and what was measured stays', async () => {
    const measured = [{ id: 'p1', at: day(6), note: 'Fine', value: 3 }];
    await world.send(...caseload(), ['goal', aGoal({ progress: measured })]);
    await edit('Goal', goalSlot, ({ note: _note, ...held }) => held);
    await world.workAgain();
    expect(await bodies()).toEqual([{ progress: [{ id: 'p1', at: day(6), value: 3 }] }]);
    expect(await remote('goal-meals')).toEqual({ progress: [{ id: 'p1', at: day(6), value: 3 }] });
    expect(await world.openDecisions()).toEqual([]);
  });
});

test('what is said beside a value goes with it, and stays with what is not changed', async () => {
  const born = {
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime', valueDateTime: day(1) }],
  };
  const street = {
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-streetName', valueString: 'Larch' }],
  };
  const lives = (lines: string[]) => [
    { id: 'a1', use: 'home' as const, lines, city: 'Springfield', state: 'MA', from: '2020-01-01' },
  ];
  const rosa = (birthDate: string, lines: string[], at: string): Item => [
    'client',
    aClient({ birthDate, addresses: lives(lines), updatedAt: at }),
  ];
  await world.send(...directoryAndClient(), rosa('1984-06-17', ['7 Larch Avenue', 'Flat 2'], day(3)));
  await edit('Patient', 'county/client/client-rosa#patient', (held) => ({
    ...held,
    _birthDate: born,
    address: objectsAt(held, 'address').map((one) => ({ ...one, _line: [street, born], _city: street })),
  }));
  await world.workAgain();
  await world.send(rosa('1984-06-18', ['7 Oak Street', 'Flat 2'], day(4)));
  const patient = await world.server.own('Patient', 'county/client/client-rosa#patient');
  expect(patient).toMatchObject({ birthDate: '1984-06-18' });
  expect(patient).not.toHaveProperty('_birthDate');
  const [address] = objectsAt(patient, 'address');
  expect(address).toMatchObject({ line: ['7 Oak Street', 'Flat 2'], _line: [null, born], _city: street });
});
