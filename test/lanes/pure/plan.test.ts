// From what should be and what we believe is, to what to do: one state and at most one operation for each resource of a lane.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { reason } from '../../../src/errors.ts';
import type { LaneResource } from '../../../src/lanes/lane-resource.ts';
import { elementTopic, type Operation, plan } from '../../../src/lanes/plan.ts';
import { type TaskStatus, taskPath, taskStatuses } from '../../../src/referrals/referrals.ts';
import { aLink, aResource, aSlot, desiredOf, goalKey, seen } from './lane-resources.ts';

const food = { text: 'Food' };
const rent = { text: 'Rent' };
const off = {
  route: 'off',
  reason: reason('route-not-declared', { resourceType: 'Goal', interaction: 'create' }),
} as const;
const withheld = { route: 'withheld', reason: reason('consent-missing', { recordType: 'goal' }) } as const;
const withdrawn = reason('consent-withdrawn', { recordType: 'goal' });
const deleted = reason('deleted-record');
const refused = reason('server-refused', { status: 422, issue: 'invalid' });
const wait = {
  target: { type: 'client', id: 'c1', slot: 'patient' },
  reason: reason('waits-for-link', { target: 'client/c1#patient' }),
} as const;
const unsent = {
  target: { type: 'organization', id: 'o1', slot: 'organization' },
  reason: reason('waits-for-record', { target: 'organization/o1#organization' }),
} as const;
const invalid = [
  {
    severity: 'error',
    rule: 'gol-1',
    path: 'Goal.target',
    profile: 'Goal',
    message: 'broken',
    at: 'goal.yaml:30',
    pointers: ['/targets/0/detail'],
  },
] as const;

/** State and operation of one resource in words: `due: create`, `parked (server-refused)`, … */
function inWords(overrides: Partial<LaneResource>): string {
  const { operations, states } = plan([aResource(overrides)]);
  const [one] = states;
  const code = one?.reason === undefined ? '' : ` (${one.reason.code})`;
  return `${one?.state}${code}${operations.map(({ kind }) => `: ${kind}`).join('')}`;
}

function onlyOperation(overrides: Partial<LaneResource>): Operation {
  const [operation, ...more] = plan([aResource(overrides)]).operations;
  if (operation === undefined || more.length > 0) throw new Error('the plan does not have one operation');
  return operation;
}

describe('a resource without a link', () => {
  test.each<[string, Partial<LaneResource>, string]>([
    ['is created', {}, 'due: create'],
    ['is searched for first, where a search comes first', { search: 'pending' }, 'due: find'],
    ['is created after a search that found nobody', { search: 'not-found' }, 'due: create'],
    [
      'rests while a person is asked who it is',
      { search: 'blocked', parked: reason('patient-left') },
      'parked (patient-left)',
    ],
    ['waits for what it needs', { waits: [wait] }, 'waiting (waits-for-link)'],
    ['says first what it waits for that nobody has sent', { waits: [wait, unsent] }, 'waiting (waits-for-record)'],
    ['is parked where it breaks FHIR itself', { desired: desiredOf(food, { invalid }) }, 'parked (resource-invalid)'],
    ['rests after a refusal', { parked: refused }, 'parked (server-refused)'],
    ['is nothing where nothing is wanted', { desired: undefined }, 'current'],
    ['is withheld without consent', { route: withheld }, 'withheld (consent-missing)'],
    ['is left alone without a route', { route: off }, 'current (route-not-declared)'],
    ['is looked for where the route is to read', { route: { ...off, route: 'read' }, search: 'pending' }, 'due: find'],
    [
      'is not looked for again where the route is to read',
      { route: { ...off, route: 'read' }, search: 'not-found' },
      'current (route-not-declared)',
    ],
    ['is left alone after it was deleted unsent', { leave: deleted, desired: undefined }, 'current (deleted-record)'],
  ])('%s', (_what, overrides, expected) => {
    expect(inWords(overrides)).toBe(expected);
  });

  test('that is parked says which rule it breaks, which line of the mapping does so, and from which fields', () => {
    const [state] = plan([aResource({ desired: desiredOf(food, { invalid }) })]).states;
    expect(state?.reason?.text).toContain('gol-1 at Goal.target, which goal.yaml:30 makes from /targets/0/detail.');
  });

  test('goes out as the record wants it', () => {
    const desired = desiredOf(food);
    expect(onlyOperation({ desired })).toMatchObject({ kind: 'create', body: desired.resource });
  });

  test('and whose earlier link was retired makes a new one', () => {
    expect(inWords({ link: aLink(food, { retired: true }), nextGeneration: 2 })).toBe('due: create');
  });
});

describe('a resource that we made', () => {
  const link = aLink(food);

  test.each<[string, Partial<LaneResource>, string]>([
    ['is read before anything is said about it', {}, 'due: read'],
    ['is current where both sides say the same', { observed: seen(food) }, 'current'],
    ['is current by an older look, too', { observed: seen(food, { isFresh: false }) }, 'current'],
    [
      'is read again before it is written over',
      { desired: desiredOf(rent), observed: seen(food, { isFresh: false }) },
      'due: read',
    ],
    ['is updated where ours changed', { desired: desiredOf(rent), observed: seen(food) }, 'due: update'],
    ['is left where theirs changed', { observed: seen(rent), link: aLink(food, { seen: rent }) }, 'current'],
    ['is never created again, even where its references are missing', { waits: [wait] }, 'waiting (waits-for-link)'],
    ['is for a person where it is gone', { isGone: true }, 'parked (remote-gone)'],
    [
      'stays for a person where it cannot be looked at now',
      { isGone: true, unread: reason('outcome-unknown') },
      'parked (remote-gone)',
    ],
    [
      'is not written where it breaks FHIR itself',
      { desired: desiredOf(rent, { invalid }), observed: seen(food) },
      'parked (resource-invalid)',
    ],
    [
      'rests after a refusal',
      { desired: desiredOf(rent), observed: seen(food), parked: refused },
      'parked (server-refused)',
    ],
    [
      'stays where its route is lost',
      { desired: desiredOf(rent), observed: seen(food), route: off },
      'current (route-not-declared)',
    ],
    ['stays where the mapping no longer knows its slot', { slot: undefined, desired: undefined }, 'current'],
    [
      'is left to a person where one is asked',
      { desired: desiredOf(rent), observed: seen(food), openTopics: new Set([elementTopic({ key: goalKey }, 'text')]) },
      'current',
    ],
    [
      'is left as it is where the server takes no changes of its type',
      { desired: desiredOf(rent), observed: seen(food), takesNoChanges: true },
      'parked (update-not-offered)',
    ],
    [
      'is read before that is said',
      { desired: desiredOf(rent), observed: seen(food, { isFresh: false }), takesNoChanges: true },
      'due: read',
    ],
    ['is current there, too', { observed: seen(food), takesNoChanges: true }, 'current'],
  ])('%s', (_what, overrides, expected) => {
    expect(inWords({ link, ...overrides })).toBe(expected);
  });

  test('says what has changed here only, where the server takes no changes', () => {
    const [state] = plan([
      aResource({ link, desired: desiredOf(rent), observed: seen(food), takesNoChanges: true }),
    ]).states;
    expect(state?.reason?.text).toContain('no way to change Goal');
    expect(state?.reason?.text).toContain('Changed here only: text.');
  });

  test('is written with what the server holds beside ours, under the tag of the look', () => {
    const operation = onlyOperation({ link, desired: desiredOf(rent), observed: seen({ ...food, note: 'theirs' }) });
    expect(operation).toMatchObject({ kind: 'update', elements: ['text'], versionTag: 'W/"2"' });
    expect(operation).toMatchObject({ body: { id: '17', theirs: 'kept', text: 'Rent', note: 'theirs' } });
  });

  test('loses the element that the record no longer has, and no other', () => {
    const facts = { text: 'Food', note: 'Call' };
    const operation = onlyOperation({ link: aLink(facts), desired: desiredOf(food), observed: seen(facts) });
    expect(operation).toMatchObject({ elements: ['note'], body: { text: 'Food', theirs: 'kept' } });
    expect('body' in operation && operation.body).not.toHaveProperty('note');
  });

  test('what a person is asked about does not hold back the rest', () => {
    const openTopics = new Set([elementTopic({ key: goalKey }, 'text')]);
    const desired = desiredOf({ text: 'Rent', note: 'Call' });
    expect(onlyOperation({ link, desired, observed: seen(food), openTopics })).toMatchObject({
      elements: ['note'],
      body: { text: 'Food', note: 'Call' },
    });
  });
});

describe('a resource that we found', () => {
  const link = aLink(food, { origin: 'found', sent: undefined, seen: undefined });

  test.each<[string, Partial<LaneResource>, string]>([
    ['is read once', {}, 'read (directory-found): read'],
    [
      'is not written, whatever we know better',
      { desired: desiredOf(rent), observed: seen(food) },
      'read (directory-found)',
    ],
    [
      'is not retired with its record',
      { leave: deleted, desired: undefined, observed: seen(food) },
      'read (deleted-record)',
    ],
    [
      'is not retired without consent',
      { leave: withdrawn, route: withheld, observed: seen(food) },
      'read (consent-withdrawn)',
    ],
    ['is not made again where it is gone', { isGone: true }, 'parked (remote-gone)'],
  ])('%s', (_what, overrides, expected) => {
    expect(inWords({ link, ...overrides })).toBe(expected);
  });
});

describe('leaving', () => {
  const link = aLink(food);

  test.each<[string, Partial<LaneResource>, string]>([
    [
      'a deleted record: retired',
      { leave: deleted, desired: undefined, observed: seen(food) },
      'leaving (deleted-record): retire',
    ],
    [
      'a condition that is false: retired',
      { leave: reason('condition-false'), desired: undefined, observed: seen(food) },
      'leaving (condition-false): retire',
    ],
    [
      'a consent that is withdrawn: recalled',
      { leave: withdrawn, route: withheld, observed: seen(food) },
      'leaving (consent-withdrawn): retire',
    ],
    ['read first', { leave: deleted, desired: undefined }, 'leaving (deleted-record): read'],
    [
      'read again before it is written over',
      { leave: deleted, observed: seen(food, { isFresh: false }) },
      'leaving (deleted-record): read',
    ],
    [
      'a type that cannot say it: the link stays, with its reason',
      { leave: deleted, slot: aSlot({ text: {} }, 'never'), observed: seen(food) },
      'leaving (deleted-record)',
    ],
    [
      'retired already: nothing',
      { leave: deleted, desired: undefined, link: aLink(food, { retired: true }) },
      'current (deleted-record)',
    ],
    ['withdrawn, and never sent: withheld', { route: withheld, link: undefined }, 'withheld (consent-missing)'],
    [
      'a server that takes no changes of its type: it stays there',
      { leave: deleted, desired: undefined, observed: seen(food), takesNoChanges: true },
      'parked (update-not-offered)',
    ],
    ['gone as well: no write', { leave: deleted, desired: undefined, isGone: true }, 'parked (remote-gone)'],
  ])('%s', (_what, overrides, expected) => {
    expect(inWords({ link, ...overrides })).toBe(expected);
  });

  test('is written over what the server holds, with the retirement alone', () => {
    expect(onlyOperation({ link, leave: deleted, desired: desiredOf(rent), observed: seen(food) })).toMatchObject({
      kind: 'retire',
      elements: ['status'],
      versionTag: 'W/"2"',
      body: { id: '17', text: 'Food', theirs: 'kept', status: 'entered-in-error' },
    });
  });

  // A refused PUT would otherwise be sent again and again within the run.
  test('a retirement that the server refused rests like any other write', () => {
    expect(inWords({ link, leave: deleted, desired: undefined, observed: seen(food), parked: refused })).toBe(
      'parked (server-refused)',
    );
  });

  test.each(['off', 'read', 'manual', 'document', 'answer'] as const)(
    'nothing is written over a route that is %s, not even a retirement: the link stays, with the reason of the route',
    (route) => {
      const overrides = { leave: deleted, desired: undefined, observed: seen(food), route: { ...off, route } };
      expect(inWords({ link, ...overrides })).toBe(`leaving (${off.reason?.code})`);
    },
  );
});

describe('a status that moves', () => {
  const slot = aSlot({
    text: {},
    status: { owner: 'remote', moves: 'referral-task' },
    statusReason: { owner: 'remote', goesWith: 'status' },
  });
  const moving = (from: string, to: string, party: LaneResource['party'], more: Partial<LaneResource> = {}) =>
    aResource({
      slot,
      party,
      link: aLink({ ...food, status: from }),
      desired: desiredOf({ ...food, status: to, statusReason: { text: 'Why' } }),
      observed: seen({ ...food, status: from }),
      ...more,
    });
  const moves = (resource: LaneResource) =>
    plan([resource]).operations.map((operation) =>
      operation.kind === 'move' ? `${operation.from} > ${operation.to}` : operation.kind,
    );

  test.each([
    ['one step', 'requested', 'cancelled', 'requester', ['requested > cancelled']],
    ['the first of two steps', 'requested', 'completed', 'performer', ['requested > accepted']],
    ['the last of two steps', 'accepted', 'completed', 'performer', ['accepted > completed']],
    ['a step of the other party', 'requested', 'accepted', 'requester', []],
    ['no legal way', 'accepted', 'rejected', 'performer', []],
    ['back', 'accepted', 'requested', 'requester', []],
    ['out of a final status', 'completed', 'in-progress', 'performer', []],
    ['our withdrawal, after they ended it', 'completed', 'cancelled', 'requester', []],
    ['to a status that is none', 'requested', 'done', 'performer', []],
    ['from a status that is none', 'done', 'accepted', 'performer', []],
  ] as const)('%s: %s -> %s by the %s', (_what, from, to, party, expected) => {
    expect(moves(moving(from, to, party))).toEqual(expected);
  });

  test('the last step carries its reason and the other news; a step on the way carries the status alone', () => {
    const news = { desired: desiredOf({ ...rent, status: 'completed', statusReason: { text: 'Why' } }) };
    const [onTheWay] = plan([moving('requested', 'completed', 'performer', news)]).operations;
    expect(onTheWay).toMatchObject({ elements: ['status'], body: { text: 'Food', status: 'accepted' } });
    expect(onTheWay && 'body' in onTheWay && onTheWay.body).not.toHaveProperty('statusReason');
    const [last] = plan([moving('accepted', 'completed', 'performer', news)]).operations;
    expect(last).toMatchObject({
      elements: ['text', 'statusReason', 'status'],
      body: { text: 'Rent', status: 'completed', statusReason: { text: 'Why' }, theirs: 'kept' },
    });
  });

  test('is not moved where the server takes no changes of its type', () => {
    const { operations, states } = plan([moving('requested', 'cancelled', 'requester', { takesNoChanges: true })]);
    expect([operations, states.map(({ reason }) => reason?.code)]).toEqual([[], ['update-not-offered']]);
  });

  test('what we did not change is not moved back', () => {
    const link = aLink({ ...food, status: 'requested' });
    const lagging = {
      link,
      observed: seen({ ...food, status: 'accepted' }),
      desired: desiredOf({ ...food, status: 'requested' }),
    };
    expect(plan([moving('requested', 'requested', 'requester', lagging)]).operations).toEqual([]);
  });

  test('while a person is asked about it, it stands still, and the rest goes on', () => {
    const openTopics = new Set([elementTopic({ key: goalKey }, 'status')]);
    const more = { openTopics, desired: desiredOf({ ...rent, status: 'cancelled', statusReason: { text: 'Why' } }) };
    const [operation] = plan([moving('requested', 'cancelled', 'requester', more)]).operations;
    expect(operation).toMatchObject({
      kind: 'update',
      elements: ['text'],
      body: { text: 'Rent', status: 'requested' },
    });
  });

  test.each([
    ['source', ['statusReason']],
    ['remote', []],
  ] as const)('a new reason beside the same status is written where the %s owns it', (owner, elements) => {
    const reasons = aSlot({
      text: {},
      status: { moves: 'referral-task' },
      statusReason: { owner, goesWith: 'status' },
    });
    const same = { ...food, status: 'cancelled' };
    const resource = aResource({
      slot: reasons,
      link: aLink({ ...same, statusReason: { text: 'Old' } }),
      desired: desiredOf({ ...same, statusReason: { text: 'New' } }),
      observed: seen({ ...same, statusReason: { text: 'Old' } }),
    });
    expect(
      plan([resource]).operations.flatMap((operation) => ('elements' in operation ? operation.elements : [])),
    ).toEqual(elements);
  });

  test('step by step it ends where it should, by legal moves of the party alone', () => {
    const status = fc.constantFrom(...taskStatuses);
    fc.assert(
      fc.property(status, status, fc.constantFrom('requester', 'performer'), (from, to, party) => {
        const walked: string[] = [];
        let at: TaskStatus = from;
        for (let steps = 0; steps < 10; steps += 1) {
          const now = {
            link: aLink({ ...food, status: from }),
            observed: seen({ ...food, status: at, statusReason: { text: 'Why' } }),
          };
          const [operation] = plan([moving(from, to, party, now)]).operations;
          if (operation?.kind !== 'move') break;
          expect(operation.from).toBe(at);
          walked.push(operation.to);
          at = taskStatuses.find((one) => one === operation.to) ?? at;
        }
        expect(walked).toEqual(from === to ? [] : (taskPath(from, to, party) ?? []));
      }),
      { seed: 28, numRuns: 300 },
    );
  });
});

describe('a lane', () => {
  test('what is pointed at is created first; what stands in one resource’s way stands in no other’s', () => {
    const client = aResource({ key: { type: 'client', id: 'c1', slot: 'patient' }, placeholder: 'urn:uuid:c1' });
    const need = aResource({ key: { type: 'need', id: 'n1', slot: 'condition' }, parked: refused });
    const goal = aResource({ desired: desiredOf(food, { resource: { subject: { reference: 'urn:uuid:c1' } } }) });
    const { operations, states } = plan([goal, need, client]);
    expect(operations.map(({ resource }) => resource.key.type)).toEqual(['client', 'goal']);
    expect(states.map(({ state }) => state)).toEqual(['due', 'parked', 'due']);
  });

  test('of nothing is nothing', () => {
    expect(plan([])).toEqual({ operations: [], states: [] });
  });
});
