// Replies to creates that are wrong, broken or untrue: what was made is never made again, and nothing is believed that cannot be (reliability section 4).

import { beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject } from '../../../src/json.ts';
import { runByHand } from '../../../src/lanes/lanes.ts';
import { aGoal, anOrganization, aService } from '../../builders.ts';
import { elsewhere, html, large, outcome, renamed, repliesOf, slot, subject } from '../../support/broken-replies.ts';
import { caseload } from '../../support/caseload.ts';
import { atCounts } from '../../support/counts.ts';
import { placesIn, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { type Rewriting, startProxy } from '../../support/proxy.ts';
import { aConnection, identifierSystem } from '../../support/rig.ts';
import { creates, useWorld } from '../../support/world.ts';

const world = useWorld();
const { fault, lookAgain, truth } = repliesOf(world);

const goal = 'goal/goal-meals#goal';

beforeEach(async () => {
  await world.server.settings({ transactions: false });
});

/** The whole case, through a server that answers so. */
async function sendThrough(rewriting: Rewriting): Promise<void> {
  const proxy = await startProxy(world.server.base, rewriting);
  try {
    await world.connect(aConnection(proxy.base));
    await world.accept(...caseload());
    await world.work({ tries: 20 });
  } finally {
    await proxy.stop();
  }
}

async function writesTo(path: string): Promise<JsonObject[]> {
  return (await world.server.journal()).filter(({ method, url }) => method !== 'GET' && String(url).includes(path));
}

async function postsTo(resourceType: string): Promise<number> {
  const journal = await world.server.journal();
  return journal.filter(({ method, url }) => method === 'POST' && String(url).endsWith(`/${resourceType}`)).length;
}

describe('a reply to a create', () => {
  const wrongId = { resourceType: 'Organization', id: '77', name: 'Another' };
  const at77 = { headers: { location: 'Organization/77' } };
  const elm = 'Elm Street Pantry';
  const otherOfOurs = {
    identifier: [{ system: identifierSystem, value: 'county/organization/org-other#organization' }],
  };
  test.each<[string, JsonObject]>([
    ['64: HTML with 200', { status: 200, ...html }],
    ['65: empty with 200', { status: 200 }],
    ['66: 201 without Location', { status: 201 }],
    ['67: 201 with a Location on another host', { status: 201, headers: elsewhere }],
    ['68: another type', { status: 201, body: { resourceType: 'Task', id: '1' } }],
    ['68: a Location of another type', { status: 201, headers: { location: 'Task/1' } }],
    ['68: ids that contradict each other', { status: 201, headers: { location: 'Organization/78' }, body: wrongId }],
    ['67: 201 with a Location on another host, and a body', { status: 201, headers: elsewhere, body: wrongId }],
    [
      '68: 201 with the resource of another record of ours',
      { status: 201, ...at77, body: { ...wrongId, ...otherOfOurs } },
    ],
    ["68: 201 without Location, with somebody else's resource", { status: 201, body: wrongId }],
    ['68: 200 with a resource without our identifier', { status: 200, ...at77, body: { ...wrongId, name: elm } }],
    ['65: 200 without a body for a resource that cannot be read', { status: 200, ...at77 }],
    ['69: a fatal error with 200', { status: 200, body: outcome('fatal', 'exception') }],
    ['75: JSON that is cut', { truncate: 30 }],
    ['75: JSON whose connection breaks off', { breakOff: 30 }],
    ['500 with 10 MB of error', { status: 500, ...large }],
  ])('%s, although it was done: found by our identifier, linked, and made once', async (_title, action) => {
    const at: JsonObject = 'status' in action ? { at: 'after-commit' } : {};
    await world.server.strikeOnce('POST', 'Organization', { ...action, ...at });
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 1 });
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined });
    expect(await truth()).toMatchObject({ links: [], seen: [] });

    await world.work();
    const { id } = await world.server.own('Organization', `county/${slot}`);
    expect(await world.link(slot)).toMatchObject({ remoteId: id, state: 'current' });
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toEqual([]);
  });

  test('cut off anywhere, in the status line, a header or the body: known for lost, and made once', async () => {
    const proxy = await startCuttingProxy(world.server.base);
    try {
      await world.connect(aConnection(proxy.base));
      await world.send(['organization', anOrganization()]);
      const whole = proxy.lastReply();
      const body = whole.indexOf('\r\n\r\n') + 4;
      const location = whole.toString('latin1').toLowerCase().indexOf('location:');
      expect(location).toBeGreaterThan(0);
      const some = [0, 1, 9, 12, location + 4, location + 20, body - 2, body, body + 1, whole.length - 1];
      const places = atCounts({ plain: some, full: placesIn(whole) });
      for (const [at, bytes] of places.entries()) {
        const id = `org-${String(at).padStart(6, '0')}`;
        proxy.cutAfter(bytes);
        await world.accept(['organization', anOrganization({ id, name: 'Elm Street Pantry' })]);
        await world.work({ tries: 1 });
        expect(await world.lane(`county.organization.${id}`)).toMatchObject({ hasWork: true, parked: undefined });
      }
      await world.work();
      expect(await world.server.all('Organization')).toHaveLength(1 + places.length);
      expect(await creates(world.server, 'Organization')).toBe(1 + places.length);
      expect(await world.openDecisions()).toEqual([]);
    } finally {
      await proxy.stop();
    }
  });

  test('65: lost, and the search for it once answered with nothing at all: asked again, and nobody else', async () => {
    await world.server.faults(
      { method: 'POST', path: 'Organization', nth: 1, fault: { drop: 'after-commit' } },
      { method: 'GET', path: 'Organization$', nth: 1, fault: { status: 200 } },
    );
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 2 });
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined, reason: 'server-busy' });
    expect(await world.openDecisions()).toEqual([]);

    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link(slot)).toMatchObject({ state: 'current' });
  });

  test.each([
    ['and nothing is there: made once', {}],
    ['and one with our identifier is there: linked', { at: 'after-commit' }],
  ])('409 once, %s', async (_title, when) => {
    await world.server.strikeOnce('POST', 'Organization', { status: 409, ...when });
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 1 });
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined, reason: 'create-conflict' });
    expect(await world.openDecisions()).toEqual([]);

    await world.work();
    const { id } = await world.server.own('Organization', `county/${slot}`);
    expect(await world.server.all('Organization')).toHaveLength(1);
    expect(await world.link(slot)).toMatchObject({ remoteId: id, state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('409 each time: tried a limited number of times, then a person is asked what stands in its way', async () => {
    await fault('POST', { status: 409 });
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 20 });
    const posts = async () => (await world.server.journal()).filter(({ method }) => method === 'POST').length;
    const tried = await posts();
    expect(tried).toBe(6);
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'conflict', code: 'create-conflict', choices: ['again', 'leave'] },
    ]);
    expect(await world.link(slot)).toMatchObject({ remoteId: null, state: 'parked', reason: 'create-conflict' });
    await lookAgain(4);
    expect(await posts()).toBe(tried);

    await world.server.mend();
    await world.decide('conflict', 'again');
    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link(slot)).toMatchObject({ state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each([
    ['', {}],
    [', with a body', { body: wrongId }],
  ])(
    '67: a Location on another host%s, and not here: asked, and sent once only until somebody answers',
    async (_title, body) => {
      await fault('POST', { status: 201, headers: elsewhere, ...body });
      await world.send(['organization', anOrganization()]);
      await lookAgain(4);
      const posts = async () => (await world.server.journal()).filter(({ method }) => method === 'POST').length;
      expect(await posts()).toBe(1);
      expect(await world.openDecisions()).toMatchObject([
        { kind: 'stored-elsewhere', code: 'stored-elsewhere', choices: ['again', 'leave'] },
      ]);
      expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
      expect(await world.link(slot)).toMatchObject({ remoteId: null, state: 'parked', reason: 'stored-elsewhere' });

      await world.server.mend();
      await world.decide('stored-elsewhere', 'again');
      await world.work();
      expect(await creates(world.server, 'Organization')).toBe(1);
      expect(await world.link(slot)).toMatchObject({ state: 'current' });
    },
  );

  test('… answered "leave": nothing more is sent for it, whatever its record says, until it is asked by hand', async () => {
    await fault('POST', { status: 201, headers: elsewhere });
    await world.send(['organization', anOrganization()]);
    await lookAgain(4);
    await world.server.mend();
    await world.decide('stored-elsewhere', 'leave');
    await world.accept(['organization', renamed()], ['service', aService()]);
    await world.workAgain();
    expect(await creates(world.server, 'Organization')).toBe(0);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
    expect(await world.link(slot)).toMatchObject({ remoteId: null, state: 'parked', reason: 'elsewhere-left' });
    expect(await world.server.own('HealthcareService', 'county/service/service-groceries#service')).toBeDefined();

    await runByHand(world.store, { connection: 'general', subject });
    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(0);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'stored-elsewhere', choices: ['again', 'leave'] }]);
    await world.decide('stored-elsewhere', 'again');
    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link(slot)).toMatchObject({ state: 'current' });
  });
});

describe('a create that is answered with what another patient has', () => {
  const name = 'goal/goal-two#goal';
  const foreign: JsonObject = {
    resourceType: 'Goal',
    id: 'of-another',
    lifecycleStatus: 'active',
    description: { text: 'Walk every day.' },
    subject: { reference: 'Patient/another' },
  };
  const located = { headers: { location: 'Goal/of-another' } };

  /** A linked case, then a second goal whose create is answered so, each time. */
  async function answered(action: JsonObject): Promise<void> {
    await world.server.seed({ resourceType: 'Patient', id: 'another' }, foreign);
    await world.send(...caseload());
    await fault('POST', { ...located, ...action }, 'Goal');
    await world.accept(['goal', aGoal({ id: 'goal-two', statement: 'Cook at home twice a week.' })]);
    await world.work({ tries: 20 });
  }

  test.each<[string, JsonObject]>([
    ['200, as if it were an older one of ours', { status: 200, body: foreign }],
    ['200 without a body', { status: 200 }],
    ['201', { status: 201, body: foreign }],
  ])(
    '%s: it is neither linked nor written, and a person is asked before anything more is sent',
    async (_title, action) => {
      await answered(action);
      expect(await world.server.all('Goal')).toContainEqual(expect.objectContaining(foreign));
      expect(await writesTo('Goal/of-another')).toEqual([]);
      expect(await postsTo('Goal')).toBe(2);
      expect(await world.openDecisions()).toMatchObject([
        {
          kind: 'outcome-untold',
          topic: `untold:${name}`,
          detail: { why: { code: 'server-wrong-resource' } },
          choices: ['look-again', 'not-there'],
        },
      ]);
      expect(await world.link(name)).toMatchObject({ remoteId: null, state: 'parked', reason: 'outcome-untold' });
      expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false, parked: undefined });

      await world.server.mend();
      await world.decide('outcome-untold', 'not-there');
      await world.work();
      const { id } = await world.server.own('Goal', `county/${name}`);
      expect(await world.link(name)).toMatchObject({ remoteId: id, state: 'current' });
      expect(await postsTo('Goal')).toBe(3);
      expect(await writesTo('Goal/of-another')).toEqual([]);
      expect(await world.openDecisions()).toEqual([]);
    },
  );
});

describe('a condition that the server reads as another one', () => {
  test('in a transaction: what it finds is not taken for ours, and what pointed at it points there no more', async () => {
    const another: JsonObject = {
      resourceType: 'Goal',
      id: 'of-another',
      lifecycleStatus: 'active',
      description: { text: 'Walk every day.' },
      subject: { reference: 'Patient/another' },
    };
    await world.server.settings({ transactions: true });
    await world.server.seed({ resourceType: 'Patient', id: 'another' }, another);
    const lenient = (entry: Json): Json => {
      if (!isObject(entry) || !isObject(entry.request) || entry.request.url !== 'Goal') return entry;
      return { ...entry, request: { ...entry.request, ifNoneExist: 'lifecycle-status=active' } };
    };
    await sendThrough({
      request: (body) => (Array.isArray(body.entry) ? { ...body, entry: body.entry.map(lenient) } : body),
    });
    expect(await writesTo('Goal/of-another')).toEqual([]);
    expect(await world.server.all('Goal')).toEqual([expect.objectContaining(another)]);
    expect(await world.link(goal)).toMatchObject({ remoteId: null, state: 'parked', reason: 'outcome-untold' });
    const [plan] = await world.server.all('CarePlan');
    expect(plan).toMatchObject({ subject: { reference: expect.stringMatching(/^Patient\/(?!another)/) } });
    expect(JSON.stringify(plan)).not.toContain('of-another');
  });
});

describe('a create is believed', () => {
  test.each<[string, Rewriting]>([
    ['without a body', { text: (text, path) => (path === 'Goal' ? '' : text) }],
    [
      'although the server shows no identifier of a goal',
      {
        response: ({ identifier, ...rest }, path) =>
          path === 'Goal' || identifier === undefined ? rest : { identifier, ...rest },
      },
    ],
  ])('%s, where nothing contradicts it', async (_title, rewriting) => {
    await sendThrough(rewriting);
    expect(await postsTo('Goal')).toBe(1);
    expect(await world.link(goal)).toMatchObject({ state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toEqual([]);
  });

  test('that finds an older one of ours and shows nothing of it, which is read and cleared of nothing', async () => {
    const identifier = [{ system: identifierSystem, value: `county/${slot}` }];
    const older = {
      resourceType: 'Organization',
      id: 'older',
      name: 'Elm Street Pantry',
      alias: ['The Elm'],
      identifier,
    };
    await world.server.seed(older);
    await sendThrough({ text: (text, path) => (path === 'Organization' ? '' : text) });
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link(slot)).toMatchObject({ remoteId: 'older', state: 'current' });
    expect(await world.server.own('Organization', `county/${slot}`)).toMatchObject({
      alias: ['The Elm'],
      telecom: expect.any(Array),
    });
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toEqual([]);
  });

  test('and asks for no condition that the server does not search by', async () => {
    await world.server.settings({ hiddenSearchParameters: ['Goal.identifier'] });
    await world.send(...caseload());
    const created = (await world.server.journal()).filter(({ method }) => method === 'POST');
    const conditional = created
      .filter(({ requestHeaders }) => isObject(requestHeaders) && requestHeaders['if-none-exist'] !== undefined)
      .map(({ url }) => String(url).split('/').at(-1));
    expect(conditional).toContain('Task');
    expect(conditional).not.toContain('Goal');
    expect(await world.link(goal)).toMatchObject({ state: 'current' });
  });
});
