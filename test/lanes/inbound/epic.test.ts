// The hospital refers and we perform, at Epic: its Task is answered by moves that this server takes, each over what was last read, and nothing else is
// written there but notes (closed-loop B1, B7; ehr-behaviour E17, E22, E24).

import { describe, expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject } from '../../../src/json.ts';
import { aConsent } from '../../builders.ts';
import { own } from '../../support/adopting.ts';
import {
  feed,
  foodCondition,
  foodOrder,
  hospitalHas,
  hospitalShows,
  ines,
  only,
  ops,
  sourceAdopts,
  sourceIsThere,
  sourceMoves,
  sourceRefuses,
  task,
} from '../../support/begun.ts';
import { anEncounter } from '../../support/documents.ts';
import { pollEverybody } from '../../support/roster.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld({
  vendor: 'epic',
  inboundTo: 'county',
  task: 'answer',
  createPatients: false,
  identifierSystems: { mrn: 'urn:oid:1.2.3' },
  documents: { quietMs: 0, atMostEveryMs: 0, encounter: 'latest-open' },
  polls: {
    types: ['Communication', 'DocumentReference', 'ServiceRequest', 'Task'],
    performers: [],
    referralCodes: [],
    documentTypes: ['18842-5'],
    lookBackMs: 90 * 86_400_000,
  },
});

const communityTask: JsonObject = {
  ...task,
  code: { coding: [{ system: 'urn:oid:1.2.840.114350', code: 'community-resource' }] },
};

async function begins(): Promise<void> {
  await hospitalHas(world, ines, anEncounter('visit', 'in-progress', '2026-02-18T10:00:00Z', 'ines'));
  await hospitalHas(world, foodCondition, foodOrder, communityTask);
  await hospitalShows(world, 'Task/task-1');
}

async function isAdopted(): Promise<void> {
  await sourceIsThere(world);
  await begins();
  await sourceAdopts(world);
}

/** What was asked of the Task, in order: reads and the status that each write set. */
async function talk(after: number): Promise<string[]> {
  return (await world.server.journal(after)).flatMap(({ method, url, requestBody, status }) => {
    if (!String(url).includes('/Task/task-1')) return [];
    const body = typeof requestBody === 'string' ? JSON.parse(requestBody) : requestBody;
    return [method === 'PUT' ? `PUT ${body?.status} ${status}` : `${method} ${status}`];
  });
}

async function nothingIsDoubled(): Promise<void> {
  for (const [type, id] of [
    ['Patient', 'ines'],
    ['Task', 'task-1'],
    ['ServiceRequest', 'order-1'],
    ['Condition', 'food-need'],
  ] as const)
    expect(await only(world, type)).toMatchObject({ id });
}

/** The messages of ours in the hospital's store, the oldest first, each with one text. */
async function posted(): Promise<JsonObject[]> {
  const writes = (await world.server.writes()).flatMap(({ writes }) => objects(writes));
  const ids = writes.filter(({ resourceType }) => resourceType === 'Communication').map(({ id }) => String(id));
  const all = (await world.server.all('Communication')).filter(({ id }) => ids.includes(String(id)));
  return all.sort((a, b) => ids.indexOf(String(a.id)) - ids.indexOf(String(b.id)));
}

/** What a message says, its last line left out. */
function words({ payload }: JsonObject): string {
  const [only, ...more] = objects(payload);
  if (more.length > 0) throw new Error('several texts');
  return String(only?.contentString).replace(/\n\nRef CB-[0-9A-Z]{12} v\d+$/, '');
}

function objects(value: Json | undefined): JsonObject[] {
  return (Array.isArray(value) ? value : []).filter(isObject);
}

const journalled = async () => (await world.server.journal()).length;

test('becomes proposals, once, read with what it points at', async () => {
  await begins();
  expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
  expect((await feed(world))[3]?.body).toMatchObject({ domain: 'food', urgency: 'urgent', status: 'received' });
  await hospitalShows(world, 'Task/task-1', 'ServiceRequest/order-1');
  expect((await feed(world)).length).toBe(4);
  expect(await world.server.writes()).toEqual([]);
});

const polled = async () => {
  await pollEverybody(world);
  await world.work();
};

test('is heard of by the polls alone, from its beginning to its cancellation', async () => {
  await world.server.settings({ taskSearchNeedsPatient: false });
  await sourceIsThere(world);
  await hospitalHas(world, ines, foodCondition, foodOrder, communityTask);
  await polled();
  await polled();
  expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
  await sourceAdopts(world);
  await hospitalHas(world, { ...communityTask, status: 'cancelled' });
  await polled();
  expect(await ops(world, 4)).toEqual(['patch referral']);
});

describe('taken over', () => {
  test('is tied to the hospital own resources', async () => {
    await isAdopted();
    await nothingIsDoubled();
    expect(await world.openDecisions()).toEqual([]);
  });

  test('each answer goes over what was just read, and completed goes through in-progress', async () => {
    await isAdopted();
    const before = await journalled();
    await sourceMoves(world, 'accepted');
    await sourceMoves(world, 'completed', {
      outcome: { code: 'other', at: '2026-03-05T09:00:00-05:00', text: 'Got help' },
    });
    expect(await only(world, 'Task')).toMatchObject({ status: 'completed', requester: task.requester });
    const said = await talk(before);
    expect(said.filter((line) => line.startsWith('PUT'))).toEqual([
      'PUT accepted 200',
      'PUT in-progress 200',
      'PUT completed 200',
    ]);
    said.forEach((line, at) => {
      if (line.startsWith('PUT')) expect(said[at - 1]).toBe('GET 200');
    });
    await nothingIsDoubled();
    expect((await world.openDecisions()).map(({ code }) => code)).toEqual([]);
  });

  test('declined after acceptance ends there as cancelled, through in-progress, with the reason', async () => {
    await isAdopted();
    await sourceMoves(world, 'accepted');
    await sourceMoves(world, 'declined', { declineReason: 'no-capacity', declineText: 'The kitchen has closed' });
    expect(await only(world, 'Task')).toMatchObject({
      status: 'cancelled',
      statusReason: { text: 'The kitchen has closed' },
    });
  });

  describe('what is said in words', () => {
    const comment = { id: 'c1', byName: 'Ngozi Okafor', at: '2026-03-01T08:00:00-05:00', text: 'Ask for Ana' };
    const first = { ...comment, visibility: 'shared' };
    const second = { ...first, id: 'a2', at: '2026-03-01T08:00:00-05:00', text: 'Ask for Ana' };
    const third = {
      ...first,
      id: 'z3',
      at: '2026-03-01T07:00:00-05:00',
      text: '<script>alert("x")</script> <b>5 < 6</b>',
    };
    const internal = { ...first, id: 'c4', text: 'For us alone', visibility: 'internal' };
    const outcome = { code: 'partly-received', at: '2026-03-05T09:00:00-05:00', text: 'Got help, no delivery' };

    test('goes as one message each in the order in which it was said, and not into the notes', async () => {
      await isAdopted();
      await sourceMoves(world, 'accepted', { comments: [first, internal, third] });
      await sourceMoves(world, 'completed', { outcome });
      expect((await posted()).map(words)).toEqual([
        '<script>alert("x")</script> <b>5 < 6</b>',
        'Ask for Ana',
        'Completed.\nservice partly received\nGot help, no delivery',
      ]);
      const [message] = await posted();
      expect(message).toMatchObject({
        status: 'completed',
        basedOn: [{ reference: 'ServiceRequest/order-1' }],
        partOf: [{ reference: 'Task/task-1' }],
        subject: { reference: 'Patient/ines' },
        category: [{ coding: [{ code: 'notification' }] }],
        sent: '2026-03-01T12:00:00Z',
      });
      expect(message).not.toHaveProperty('text');
      const answered = await only(world, 'Task');
      expect(answered).toMatchObject({ status: 'completed' });
      expect(answered).not.toHaveProperty('note');
      expect(await world.openDecisions()).toEqual([]);
      const { id } = (await feed(world)).find(({ type }) => type === 'referral') ?? { id: '' };
      expect(await world.link(`referral/${own(id)}#message[c1]`)).toMatchObject({ reason: 'message-posted' });
      expect(await world.link(`referral/${own(id)}#request`)).toMatchObject({ reason: 'document-current' });
    });

    test('is there once when the reply to each write is lost, alike as two may be', async () => {
      await isAdopted();
      await world.server.faults(
        { method: 'PUT', path: 'Task', probability: 1, seed: 1, fault: { drop: 'after-commit' } },
        { method: 'POST', path: 'Communication', probability: 1, seed: 1, fault: { drop: 'after-commit' } },
      );
      await sourceMoves(world, 'accepted', { comments: [first, second, third] });
      await sourceMoves(world, 'completed', { outcome });
      expect((await posted()).map(words)).toEqual([
        '<script>alert("x")</script> <b>5 < 6</b>',
        'Ask for Ana',
        'Ask for Ana',
        'Completed.\nservice partly received\nGot help, no delivery',
      ]);
      const puts = (await talk(0)).filter((line) => line.startsWith('PUT'));
      expect(puts).toEqual(['PUT accepted 0', 'PUT in-progress 0', 'PUT completed 0']);
      await world.workAgain();
      expect(await posted()).toHaveLength(4);
      expect(await world.openDecisions()).toEqual([]);
      await nothingIsDoubled();
    });

    test('a message that never arrived is posted once, after it was looked for twice', async () => {
      await isAdopted();
      await world.server.strikeOnce('POST', 'Communication', { drop: 'before-commit' });
      await sourceMoves(world, 'accepted', { comments: [first] });
      expect((await posted()).map(words)).toEqual(['Ask for Ana']);
    });

    test('changed later: a second message says what it corrects, and the first stays as it was', async () => {
      await isAdopted();
      await sourceMoves(world, 'accepted', { comments: [first] });
      await sourceMoves(world, 'in-progress', { comments: [{ ...first, text: 'Ask for Bea' }] });
      const texts = (await posted()).map(words);
      expect(texts).toEqual(['Ask for Ana', expect.stringMatching(/^Ask for Bea\n\nThis corrects our message of /)]);
      await world.workAgain();
      expect(await posted()).toHaveLength(2);
    });

    test('taken out later: another message takes it back, and a person is told', async () => {
      await isAdopted();
      await sourceMoves(world, 'accepted', { comments: [first, second] });
      await sourceMoves(world, 'in-progress', { comments: [second] });
      const [, , last] = await posted();
      expect(words(last ?? {})).toMatch(/^Our message of .* has been taken back/);
      expect(last).toMatchObject({ subject: { reference: 'Patient/ines' }, partOf: [{ reference: 'Task/task-1' }] });
      expect(await world.openDecisions()).toMatchObject([{ kind: 'recalled', code: 'message-recalled' }]);
      await world.workAgain();
      expect(await posted()).toHaveLength(3);
    });

    test('a decline in words is a message beside the reason of the Task', async () => {
      await isAdopted();
      await sourceMoves(world, 'declined', { declineReason: 'no-capacity', declineText: 'The kitchen has closed' });
      expect((await posted()).map(words)).toEqual(['Declined: The kitchen has closed']);
      expect(await only(world, 'Task')).toMatchObject({ statusReason: { text: 'The kitchen has closed' } });
    });

    test('stands in the notes of the Task where the site takes no message, and stays there', async () => {
      await world.server.settings({ undeclaredInteractions: ['Communication.create'] });
      await isAdopted();
      await sourceMoves(world, 'accepted', { comments: [first, internal] });
      expect(await posted()).toEqual([]);
      expect(await only(world, 'Task')).toMatchObject({ note: [{ text: 'Ask for Ana' }] });
    });

    test('of a labelled referral nothing is said without a consent that names the label; with one, the label and the notice go along', async () => {
      await isAdopted();
      const { clientId } = (await feed(world)).find(({ type }) => type === 'referral')?.body ?? {};
      const consent = aConsent({
        clientId: own(String(clientId)),
        recipients: [{ name: 'general' }],
        recordTypes: ['client', 'case', 'referral'],
        part2: { redisclosureNotice: true },
      });
      await world.accept(['consent', consent]);
      const labelled = { sensitivity: ['substance-use-part2'], consentId: consent.id };
      await sourceMoves(world, 'accepted', { ...labelled, comments: [first] });
      expect(await posted()).toEqual([]);
      await world.send([
        'consent',
        { ...consent, sensitivity: labelled.sensitivity, updatedAt: '2026-03-02T09:00:00Z' },
      ]);
      const [message, ...more] = await posted();
      expect(more).toEqual([]);
      expect(words(message ?? {})).toMatch(/^Ask for Ana\n\n42 CFR part 2 prohibits/);
      expect(JSON.stringify(message?.meta)).toContain('"code":"R"');
    });
  });

  describe('what the hospital says in a message', () => {
    const said: JsonObject = {
      resourceType: 'Communication',
      id: 'said-1',
      status: 'completed',
      subject: { reference: 'Patient/ines' },
      partOf: [{ reference: 'Task/task-1' }],
      sender: { display: 'Lena Aster' },
      sent: '2026-03-01T15:00:00Z',
      payload: [{ contentString: '<i>Please</i> call her sister' }],
    };
    const ours = { id: 'c1', at: '2026-03-01T08:00:00-05:00', text: 'Ask for Ana', visibility: 'shared' };
    // Who is asked about is found by the first.
    const heard = async () => {
      await polled();
      await polled();
    };
    const patches = async () => (await feed(world)).filter(({ op }) => op === 'patch').map(({ body }) => body);

    test('is offered as a comment once, and neither sent back nor written into the notes once it is taken over', async () => {
      await isAdopted();
      await sourceMoves(world, 'accepted', { comments: [ours] });
      await hospitalHas(world, said);
      await heard();
      const [patch = {}, ...more] = await patches();
      expect(more).toEqual([]);
      expect(patch).toMatchObject({
        comments: [ours, { text: '<i>Please</i> call her sister', byName: 'Lena Aster', visibility: 'shared' }],
      });
      await sourceMoves(world, 'in-progress', patch);
      await heard();
      expect(await posted()).toHaveLength(1);
      expect(await world.server.all('Communication')).toHaveLength(2);
      expect(await only(world, 'Task')).not.toHaveProperty('note');
      expect(await patches()).toHaveLength(1);
      expect(await world.openDecisions()).toEqual([]);
    });

    test('at a time that no calendar has comes with the time at which it was received, or seen', async () => {
      await isAdopted();
      await hospitalHas(
        world,
        { ...said, sent: '2026-02-30T25:00:00Z', received: '2026-03-01T15:05:00Z' },
        { ...said, id: 'said-2', sent: 'soon', received: '2026' },
      );
      await heard();
      const [patch = {}] = await patches();
      const times = objects(patch.comments).map(({ at }) => String(at));
      expect(times[0]).toBe('2026-03-01T15:05:00Z');
      expect(new Date(String(times[1])).toISOString()).toBe(times[1]);
      await sourceMoves(world, 'accepted', patch);
      expect(await world.openDecisions()).toEqual([]);
    });

    test('comes with what was offered before, and again when the hospital says it otherwise', async () => {
      await isAdopted();
      await hospitalHas(world, said);
      await heard();
      await hospitalHas(world, { ...said, id: 'said-2', payload: [{ contentString: 'She is back home' }] });
      await hospitalHas(world, {
        ...communityTask,
        note: [{ time: '2026-03-01T16:00:00Z', text: 'Noted on the Task' }],
      });
      await heard();
      await hospitalHas(world, { ...said, payload: [{ contentString: 'Please call her brother' }] });
      await heard();
      const texts = objects((await patches()).at(-1)?.comments).map(({ text }) => text);
      expect(texts.sort()).toEqual(['Noted on the Task', 'Please call her brother', 'She is back home']);
    });

    const texts = async () => objects((await patches()).at(-1)?.comments).map(({ text }) => text);

    test.each([
      [
        'another message',
        { ...said, id: 'said-2', sent: '2026-03-01T14:00:00Z', payload: [{ contentString: 'Next' }] },
      ],
      [
        'a note of the Task',
        { ...communityTask, status: 'accepted', note: [{ time: '2026-03-01T14:00:00Z', text: 'Next' }] },
      ],
    ])('corrected after it was taken over stays so, whatever comes next: %s', async (_, next) => {
      await isAdopted();
      await hospitalHas(world, said);
      await heard();
      await sourceMoves(world, 'accepted', (await patches())[0]);
      await hospitalHas(world, { ...said, payload: [{ contentString: 'Do NOT call her sister' }] });
      await heard();
      expect(await texts()).toEqual(['Do NOT call her sister']);
      await hospitalHas(world, next);
      await heard();
      expect(await texts()).toEqual(['Next', 'Do NOT call her sister']);
    });

    test.each([
      ['entered in error', { status: 'entered-in-error' }],
      ['not done, of which it shows no more than that', { status: 'not-done', partOf: [], payload: [] }],
    ])(
      'and takes back, %s, is told once, taken over or not, and never as words that it did not hear',
      async (_, more) => {
        await isAdopted();
        const never = { ...said, id: 'said-2', ...more };
        await hospitalHas(world, said, { ...said, id: 'said-3', payload: [{ contentString: 'She is home' }] }, never);
        await heard();
        const [patch = {}] = await patches();
        await sourceMoves(world, 'accepted', { comments: objects(patch.comments).slice(0, 1) });
        await hospitalHas(world, { ...said, ...more }, { ...said, id: 'said-3', ...more });
        await heard();
        await world.workAgain();
        const takenBack = 'The hospital has taken this back.';
        expect(await patches()).toHaveLength(2);
        expect((await patches())[1]).toEqual({
          comments: objects(patch.comments).map((comment) => ({ ...comment, text: takenBack })),
        });
        await hospitalHas(world, said);
        await heard();
        expect(await texts()).toEqual(['<i>Please</i> call her sister', takenBack]);
      },
    );

    test('and deletes is told to be taken back, once', async () => {
      await isAdopted();
      await hospitalHas(world, said);
      await heard();
      const none = { resourceType: 'Bundle', type: 'searchset', total: 0 };
      await world.server.faults(
        { method: 'GET', path: 'Communication$', fault: { status: 200, body: none } },
        { method: 'GET', path: 'Communication/said-1$', fault: { status: 410 } },
      );
      await heard();
      await world.workAgain();
      expect(await patches()).toHaveLength(2);
      expect((await patches())[1]).toMatchObject({ comments: [{ text: 'The hospital has taken this back.' }] });
    });

    test('before the referral was adopted is heard then; about another patient, or of nothing of ours, it is not', async () => {
      await sourceIsThere(world);
      await begins();
      const another = { ...ines, id: 'other', identifier: [], name: [{ family: 'Other' }] };
      await hospitalHas(world, another, { ...said, id: 'said-2', subject: { reference: 'Patient/other' } }, said);
      await hospitalHas(world, { ...said, id: 'said-3', partOf: [{ reference: 'Task/task-9' }] });
      await hospitalHas(world, { ...said, id: 'said-4', payload: [{ contentReference: { display: 'A scan' } }] });
      await heard();
      await sourceAdopts(world);
      await heard();
      expect(objects((await patches()).at(-1)?.comments).map(({ text }) => text)).toEqual([
        '<i>Please</i> call her sister',
      ]);
    });
  });

  test('a pause has no move there: a person is asked, and nothing is written', async () => {
    await isAdopted();
    await sourceMoves(world, 'accepted');
    const before = await journalled();
    await sourceMoves(world, 'on-hold');
    expect(await only(world, 'Task')).toMatchObject({ status: 'accepted' });
    expect(await world.openDecisions()).toMatchObject([{ kind: 'status', code: 'status-path' }]);
    expect((await talk(before)).filter((line) => line.startsWith('PUT'))).toEqual([]);
  });

  test('cancelled by the hospital meanwhile: seen before the write, nothing is written over it', async () => {
    await isAdopted();
    await sourceMoves(world, 'accepted');
    const before = await journalled();
    await hospitalHas(world, { ...communityTask, status: 'cancelled' });
    await sourceMoves(world, 'completed', { outcome: { code: 'other', at: '2026-03-05T09:00:00-05:00' } });
    expect(await only(world, 'Task')).toMatchObject({ status: 'cancelled' });
    expect((await talk(before)).filter((line) => line.startsWith('PUT'))).toEqual([]);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'status' }]);
  });

  test('what the hospital changes in its order is a change of the record', async () => {
    await isAdopted();
    await hospitalHas(world, { ...foodOrder, priority: 'stat' });
    await hospitalShows(world, 'ServiceRequest/order-1');
    expect((await feed(world)).filter(({ op }) => op === 'patch')).toMatchObject([
      { type: 'referral', body: { urgency: 'emergency' } },
    ]);
  });
});

describe('a discharge summary', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const written = new Date(Date.now() - 86_400_000).toISOString().replace(/\.\d+/, '');
  const rendition = (contentType: string, text: string): Json => ({ attachment: { contentType, data: base64(text) } });
  const summary: JsonObject = {
    resourceType: 'DocumentReference',
    id: 'summary-1',
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }], text: 'Discharge Summary' },
    category: [{ coding: [{ code: 'clinical-note' }] }],
    subject: { reference: 'Patient/ines' },
    date: written,
    author: [{ display: 'Lena Aster, MD' }],
    content: [rendition('text/rtf', '{\\rtf1}'), rendition('text/html', '<p>Went home.</p>')],
    context: { encounter: [{ reference: 'Encounter/visit' }], period: { start: written } },
  };
  const proposals = async () => (await feed(world)).filter(({ type }) => type === 'note');

  test('is read from its Binary, offered once, and taken over without a second document', async () => {
    await isAdopted();
    await hospitalHas(world, summary);
    await pollEverybody(world);
    await world.work();
    expect(await proposals()).toMatchObject([
      { op: 'propose', body: { text: 'Went home.', kind: 'discharge-planning', status: 'signed' } },
    ]);
    await pollEverybody(world);
    await world.workAgain();
    expect((await proposals()).length).toBe(1);
    const read = (await world.server.journal()).filter(({ url }) => String(url).includes('/Binary/'));
    expect(read.length).toBe(1);
    const { id = '', body = {} } = (await proposals())[0] ?? {};
    const more = { authorId: 'worker-okafor', updatedAt: '2026-03-02T10:00:00-05:00' };
    const times = { occurredAt: '2026-02-27T10:00:00-05:00', signedAt: '2026-02-28T10:00:00-05:00' };
    await world.send(['note', { ...body, ...more, ...times, id: own(id) }]);
    await world.workAgain();
    expect(await world.link(`note/${own(id)}#note`)).toMatchObject({ remoteId: 'summary-1', retired: false });
    const texts = (await world.server.all('DocumentReference')).flatMap(({ content }) => objects(content));
    const telling = texts.filter(({ attachment }) => {
      const data = isObject(attachment) && typeof attachment.data === 'string' ? attachment.data : '';
      return Buffer.from(data, 'base64').toString('utf8').includes('Went home.');
    });
    expect(telling.length).toBe(1);
  });

  test('whose Binary cannot be read now waits with the reason, holds up nothing, and is offered later', async () => {
    await isAdopted();
    await hospitalHas(world, summary);
    const fault = { status: 504, body: '<html>busy</html>' };
    await world.server.faults({ method: 'GET', path: '/Binary/', times: 2, fault });
    await pollEverybody(world);
    await world.work();
    expect(await proposals()).toEqual([]);
    const [row] = await world.store.db.selectFrom('inbound').selectAll().where('type', '=', 'note').execute();
    expect(row).toMatchObject({ state: 'kept', reason: { code: 'inbound-text-unread' } });
    const lane = await world.store.db
      .selectFrom('lane')
      .selectAll()
      .where('subject', '=', String(row?.subject))
      .executeTakeFirstOrThrow();
    expect(lane).toMatchObject({ parked: null, attempts: 0 });
    expect(lane.next_look_at?.getTime()).toBeGreaterThan(Date.now() + 50 * 60_000);
    await world.workAgain();
    expect(await proposals()).toMatchObject([{ body: { text: 'Went home.' } }]);
  });

  test('whose Binary nobody like us may read is told by its title', async () => {
    await isAdopted();
    await hospitalHas(world, summary);
    await world.server.strikeOnce('GET', '/Binary/', { status: 403, body: '' });
    await pollEverybody(world);
    await world.work();
    expect((await proposals())[0]?.body.text).toMatch(/^Discharge Summary\n\(Its text stands/);
  });
});

test('refused by the source: rejected there, after it was read again', async () => {
  await begins();
  const before = await journalled();
  await sourceRefuses(world, 'referral', 'Outside our county');
  expect(await only(world, 'Task')).toMatchObject({ status: 'rejected', statusReason: { text: 'Outside our county' } });
  expect((await talk(before)).slice(0, 2)).toEqual(['GET 200', 'PUT rejected 200']);
  expect((await posted()).map(words)).toEqual(['Declined: Outside our county']);
  await nothingIsDoubled();
  expect(await world.openDecisions()).toEqual([]);
});

test('cancelled before anybody answered: taken back', async () => {
  await begins();
  await hospitalHas(world, { ...communityTask, status: 'cancelled' });
  await hospitalShows(world, 'Task/task-1');
  expect(await ops(world, 4)).toEqual(['withdraw referral', 'withdraw need', 'withdraw case', 'withdraw client']);
});
