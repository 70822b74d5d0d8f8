// What is taken in from a look at the server: moved bases, changes offered to the source, questions for a person (lanes.md 13 to 15).

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { settle } from '../../../src/lanes/absorb/settle.ts';
import type { SettleContext, Settlement } from '../../../src/lanes/absorb/settlement.ts';
import type { LaneResource } from '../../../src/lanes/lane-resource.ts';
import { elementTopic, plan } from '../../../src/lanes/plan.ts';
import type { Facts, Owner } from '../../../src/mapping/mapping.ts';
import { aLink, aResource, aSlot, desiredOf, goalKey, seen } from './lane-resources.ts';

const context: SettleContext = {
  timeZone: 'America/New_York',
  resolve: () => undefined,
  offeredOf: () => ({}),
  resultsOf: () => [],
  performerName: () => 'Elm Street Pantry',
  countReverts: () => 0,
  isAskedByTask: () => false,
  openQuestion: () => undefined,
  itemId: (text) => `id of ${text}`,
};

const base = { text: 'Food', note: 'Call', sum: '2' };
const slotOf = (owner: Owner) => aSlot({ text: { owner }, note: { owner }, sum: { owner, derived: true } });

/** A resource that both sides agreed on as `base`; the record says `ours` by now, the server `theirs`. */
function look(ours: Facts, theirs: Facts, owner: Owner = 'source', more: Partial<LaneResource> = {}): LaneResource {
  return aResource({
    slot: slotOf(owner),
    record: { id: 'g1', updatedAt: '2026-02-10T10:00:00Z', ...ours },
    desired: desiredOf(ours),
    link: aLink(base),
    observed: seen(theirs),
    ...more,
  });
}

function settled(resource: LaneResource): Settlement {
  const settlement = settle(resource, context);
  if (settlement === undefined) throw new Error('nothing was settled');
  return settlement;
}

const topics = (...elements: string[]) => new Set(elements.map((element) => elementTopic({ key: goalKey }, element)));

/** Patches, and the questions as `code element`. */
function newsOf(resource: LaneResource): { patches: readonly JsonObject[]; questions: string[] } {
  const { patches, decisions } = settled(resource);
  return { patches, questions: decisions.map(({ reason, detail }) => `${reason.code} ${String(detail.element)}`) };
}

describe('nothing is settled', () => {
  test.each<[string, Partial<LaneResource>]>([
    ['without a link', { link: undefined }],
    ['without a look', { observed: undefined }],
    ['without a mapping of its slot', { slot: undefined }],
    ['without anything wanted', { desired: undefined }],
    ['of what we found: it is theirs', { link: aLink(base, { origin: 'found' }) }],
    ['of what is leaving', { leave: { code: 'deleted-record', text: '' } }],
  ])('%s', (_what, more) => {
    expect(settle(look(base, { ...base, text: 'Rent' }, 'source', more), context)).toBeUndefined();
  });

  test('twice: a look that says what the last one said is no news', () => {
    const observed = seen(base, { hash: 'hash of the first look' });
    expect(settle(look(base, base, 'source', { observed }), context)).toBeUndefined();
  });
});

describe('an element', () => {
  test('that only we changed is left to the plan', () => {
    expect(newsOf(look({ ...base, text: 'Rent' }, base))).toEqual({ patches: [], questions: [] });
  });

  test.each([
    ['changed', { ...base, text: 'Rent' }, { text: 'Rent' }],
    ['took away', { note: 'Call', sum: '2' }, { text: null }],
  ])('that only they %s is offered to the source, once', (_what, theirs, patch) => {
    const first = settled(look(base, theirs));
    expect(first).toMatchObject({ patches: [patch], decisions: [], sent: base, seen: theirs });
    const link = aLink(base, { sent: first.sent, seen: first.seen, seenHash: first.seenHash });
    expect(settle(look(base, theirs, 'source', { link }), context)).toBeUndefined();
  });

  test('that an unknown server field stands beside changes nothing', () => {
    const observed = seen({ ...base, unknown: 'theirs' });
    expect(newsOf(look(base, base, 'source', { observed }))).toEqual({ patches: [], questions: [] });
  });

  test.each<[Owner, JsonObject[], string[]]>([
    ['source', [{ text: 'Ride' }], []],
    ['remote', [{ text: 'Ride' }], []],
    ['ask', [], ['merge-conflict text']],
  ])('that both changed, owner %s', (owner, patches, questions) => {
    expect(newsOf(look({ ...base, text: 'Rent' }, { ...base, text: 'Ride' }, owner))).toEqual({ patches, questions });
  });

  test.each([
    ['ours by ten minutes', '2026-02-10T09:50:00Z', [{ text: 'Ride' }], []],
    ['theirs by ten minutes', '2026-02-10T10:10:00Z', [{ text: 'Ride' }], []],
    ['neither: they are too near', '2026-02-10T10:05:00Z', [], ['merge-conflict text']],
    ['neither: theirs has no time', undefined, [], ['merge-conflict text']],
  ])('that both changed, the later one counts; later is %s', (_what, lastUpdated, patches, questions) => {
    const theirs = { ...base, text: 'Ride' };
    const observed = seen({ ...theirs, ...(lastUpdated === undefined ? {} : { meta: { lastUpdated } }) });
    expect(newsOf(look({ ...base, text: 'Rent' }, theirs, 'latest', { observed }))).toEqual({ patches, questions });
  });

  test('that only we changed, though it is theirs, is for a person', () => {
    expect(newsOf(look({ ...base, text: 'Rent' }, base, 'remote')).questions).toEqual(['merge-conflict text']);
  });

  test('that follows from others and was changed there is for a person, with both sides; its bases wait', () => {
    const { decisions, patches, seen: seenNow } = settled(look(base, { ...base, sum: '9' }));
    expect(patches).toEqual([]);
    expect(decisions).toMatchObject([
      { kind: 'conflict', reason: { code: 'remote-edit' }, detail: { element: 'sum', ours: '2', theirs: '9' } },
    ]);
    expect(seenNow).toEqual(base);
  });

  test('that follows from others and that both changed is for a person, too', () => {
    expect(newsOf(look({ ...base, sum: '3' }, { ...base, sum: '9' })).questions).toEqual(['remote-edit sum']);
  });

  describe('that follows from others and is theirs', () => {
    const told = { kind: 'conflict', topic: 'not-carried:goal/g1#goal', detail: { elements: ['sum'] } };

    test.each([
      ['that only they changed', base, { ...base, sum: '9' }],
      ['that both changed', { ...base, sum: '3' }, { ...base, sum: '9' }],
      ['that they took away', base, { text: 'Food', note: 'Call' }],
    ])('%s is told to a person, once, and stands', (_what, ours, theirs) => {
      const first = settled(look(ours, theirs, 'remote'));
      expect(first).toMatchObject({ patches: [], decisions: [told], sent: ours, seen: theirs });
      const link = aLink(base, { sent: first.sent, seen: first.seen, seenHash: first.seenHash });
      expect(settle(look(ours, theirs, 'remote', { link }), context)).toBeUndefined();
    });

    test('and follows from what is taken over is carried with it', () => {
      const slot = slotOf('remote');
      const resource = look(base, { ...base, text: 'Ride', sum: '9' }, 'remote', {
        slot: { ...slot, says: (key, body, record) => key === 'sum' && body.sum === '9' && record.text === 'Ride' },
      });
      expect(settled(resource)).toMatchObject({ patches: [{ text: 'Ride' }], decisions: [] });
    });
  });

  test('that a person is asked about rests: no patch, no question again, its bases as they were', () => {
    const resource = look(base, { ...base, text: 'Ride', note: 'Write' }, 'ask', { openTopics: topics('text') });
    expect(settled(resource)).toMatchObject({
      patches: [{ note: 'Write' }],
      decisions: [],
      obsolete: [],
      seen: { ...base, note: 'Write' },
    });
  });

  test('that a person was asked about, and on which both agree by now, needs no answer', () => {
    const same = { ...base, text: 'Rent' };
    expect(settled(look(same, same, 'ask', { openTopics: topics('text') })).obsolete).toEqual([...topics('text')]);
  });

  test('questions show both sides and say what each answer does', () => {
    const [decision] = settled(look({ ...base, text: 'Rent' }, { note: 'Call', sum: '2' }, 'ask')).decisions;
    expect(decision).toMatchObject({
      topic: 'goal/g1#goal:text',
      detail: { element: 'text', ours: 'Rent', theirs: null, patch: { text: null } },
      choices: [{ choose: 'ours' }, { choose: 'theirs' }],
    });
    expect(decision?.reason.text).not.toMatch(/Rent|Ride|Food/);
  });

  test('where the server takes no changes, no answer would write ours, to a question or to what the source refuses', () => {
    const asked = settled(look({ ...base, text: 'Rent' }, { ...base, text: 'Ride' }, 'ask', { takesNoChanges: true }));
    expect(asked.decisions.map(({ choices }) => choices.map(({ choose }) => choose))).toEqual([['theirs']]);
    const told = [undefined, true].map((takesNoChanges) =>
      settled(look(base, { ...base, text: 'Ride' }, 'source', { ...(takesNoChanges && { takesNoChanges }) })),
    );
    expect(told.map(({ offered }) => offered)).toEqual([['text'], []]);
  });

  test('that the record has no place for is told to a person, and the rest is offered', () => {
    const slot = slotOf('source');
    const issue = { code: 'does-not-fit', element: 'text', message: 'too long', at: 'goal.yaml:7' } as const;
    const resource = look(base, { ...base, text: 'Ride', note: 'Write' }, 'source', {
      slot: { ...slot, absorb: () => ({ patch: { note: 'Write' }, issues: [issue] }) },
    });
    expect(settled(resource)).toMatchObject({
      patches: [{ note: 'Write' }],
      decisions: [
        { reason: { code: 'not-carried' }, topic: 'not-carried:goal/g1#goal', detail: { elements: ['text'] } },
      ],
    });
  });
});

describe('of what comes back as no change of the record', () => {
  test.each([
    ['another value', { ...base, text: 'Ride' }],
    ['nothing any more', { note: 'Call', sum: '2' }],
  ])('%s is told to a person, once', (_what, theirs) => {
    const slot = { ...slotOf('source'), absorb: () => ({ patch: {}, issues: [] }) };
    const first = settled(look(base, theirs, 'source', { slot }));
    expect(first).toMatchObject({
      patches: [],
      decisions: [{ reason: { code: 'not-carried' }, detail: { elements: ['text'] } }],
      seen: theirs,
    });
    const link = aLink(base, { sent: first.sent, seen: first.seen, seenHash: first.seenHash });
    expect(settle(look(base, theirs, 'source', { slot, link }), context)).toBeUndefined();
  });
});

describe('the base of a write whose reply held nothing (lanes.md 15)', () => {
  const written = { seen: undefined, seenHash: undefined, versionTag: 'W/"2"' } as const;
  const rewritten = { ...base, text: 'FOOD' };

  test('is what a read under its tag shows: the server has rewritten ours', () => {
    const resource = look(base, rewritten, 'source', { link: aLink(base, written) });
    expect(settled(resource)).toMatchObject({ patches: [], decisions: [], sent: base, seen: rewritten });
  });

  test.each([
    ['another tag', 'W/"1"'],
    ['no tag', undefined],
  ])('is what we sent, where the read has %s: what differs is their change', (_what, versionTag) => {
    const resource = look(base, rewritten, 'source', { link: aLink(base, { ...written, versionTag }) });
    expect(settled(resource).patches).toEqual([{ text: 'FOOD' }]);
  });

  test.each([
    ['no tag', undefined, [{ note: 'Write' }]],
    ['another tag', 'W/"1"', [{ text: 'FOOD', note: 'Write' }]],
  ])(
    'where the reply had %s: what the vendor is known to rewrite counts as rewritten, nothing else',
    (_what, versionTag, patches) => {
      const observed = seen({ ...rewritten, note: 'Write' }, { versionTag: 'W/"2"' });
      const link = aLink(base, { ...written, versionTag });
      expect(settled(look(base, {}, 'source', { link, observed, rewritten: ['text'] }))).toMatchObject({ patches });
    },
  );

  test('is none, where nothing was ever agreed: what is empty here is left there, what differs is asked', () => {
    const link = aLink(base, { ...written, sent: undefined, versionTag: undefined });
    const resource = look({ note: 'Call', sum: '2' }, { text: 'Food', note: 'Write', sum: '2' }, 'source', { link });
    expect(newsOf(resource)).toEqual({ patches: [], questions: ['merge-conflict note'] });
  });
});

describe('a status that moves', () => {
  const slot = aSlot({
    text: {},
    status: { owner: 'remote', moves: 'referral-task' },
    statusReason: { owner: 'remote', goesWith: 'status' },
  });
  const recordStatus: Record<string, string> = { requested: 'sent', rejected: 'declined' };
  const lastModified = '2026-02-20T15:00:00Z';

  /** Both agreed on `from`; the record wants `ours` by now, the Task stands at `theirs`. */
  function moved(
    from: string,
    ours: string,
    theirs: string,
    more: { ours?: string; theirs?: string; was?: string } = {},
  ) {
    const withReason = (status: string, text: string | undefined): Facts =>
      text === undefined ? { text: 'Food', status } : { text: 'Food', status, statusReason: { text } };
    return aResource({
      slot,
      record: { id: 'g1', direction: 'outgoing', status: recordStatus[ours] ?? ours },
      desired: desiredOf(withReason(ours, more.ours)),
      link: aLink(withReason(from, more.was)),
      observed: seen({ ...withReason(theirs, more.theirs), lastModified }),
    });
  }

  test.each([
    ['nobody moved it', 'requested', 'requested', 'requested', [], []],
    ['we are to move it: left to the plan', 'requested', 'cancelled', 'requested', [], []],
    ['they moved it', 'requested', 'requested', 'accepted', ['accepted'], []],
    ['they jumped', 'requested', 'requested', 'completed', ['completed'], []],
    ['both came to the same', 'accepted', 'completed', 'completed', [], []],
    ['they moved it, we withdraw it: ours is still to be written', 'requested', 'cancelled', 'accepted', [], []],
    ['they ended it, we withdraw it: theirs wins', 'accepted', 'cancelled', 'completed', ['completed'], []],
    ['the source lags behind', 'accepted', 'requested', 'in-progress', ['in-progress'], []],
    ['we want what is theirs to set', 'requested', 'accepted', 'requested', [], ['status-path']],
    ['they left a final status', 'completed', 'completed', 'in-progress', [], ['status-read']],
    ['they said what is ours to say', 'requested', 'requested', 'entered-in-error', [], ['status-read']],
    ['they set what nobody knows', 'requested', 'requested', 'done', [], ['status-read']],
    ['they went back', 'accepted', 'accepted', 'requested', [], ['status-read']],
  ])('%s', (_what, from, ours, theirs, statuses, questions) => {
    const settlement = settle(moved(from, ours, theirs), context);
    expect(settlement?.patches.map(({ status }) => status) ?? []).toEqual(statuses);
    expect(settlement?.decisions.map(({ reason }) => reason.code) ?? []).toEqual(questions);
  });

  test('what the source lags behind with counts as said: it is not weighed again at the next look', () => {
    expect(settled(moved('accepted', 'requested', 'in-progress')).sent.status).toBe('requested');
  });

  test('names who acted in the history', () => {
    const [patch] = settled(moved('requested', 'requested', 'accepted')).patches;
    expect(patch?.history).toMatchObject([{ status: 'accepted', at: lastModified, byName: 'Elm Street Pantry' }]);
  });

  test('what they moved is seen: the same look is no news', () => {
    const resource = moved('requested', 'requested', 'accepted');
    const { sent, seen: seenNow, seenHash } = settled(resource);
    const link = aLink({}, { sent, seen: seenNow, seenHash });
    expect(settle({ ...resource, link }, context)).toBeUndefined();
  });

  test('a status that a person must look at keeps its bases, and only the answer that writes nothing is offered', () => {
    const settlement = settled(moved('completed', 'completed', 'in-progress'));
    expect(settlement.seen.status).toBe('completed');
    expect(settlement.decisions).toMatchObject([
      { kind: 'status', topic: 'goal/g1#goal:status', choices: [{ choose: 'theirs' }] },
    ]);
  });

  test('a reason of theirs that comes after the refusal is taken in', () => {
    const settlement = settled(moved('rejected', 'rejected', 'rejected', { theirs: 'We are full.' }));
    expect(settlement.patches).toEqual([{ declineText: 'We are full.' }]);
    expect(settlement.decisions).toEqual([]);
  });

  test('our own withdrawal with its reason, when the reply was lost, is nothing new', () => {
    const settlement = settled(
      moved('accepted', 'cancelled', 'cancelled', { ours: 'Moved away', theirs: 'Moved away' }),
    );
    expect(settlement).toMatchObject({
      patches: [],
      decisions: [],
      sent: { status: 'cancelled' },
      seen: { status: 'cancelled' },
    });
  });

  test('how both explain the same status may differ: nobody is asked, and ours is not written over theirs', () => {
    const resource = moved('accepted', 'on-hold', 'on-hold', { ours: 'Closed', theirs: 'Shut' });
    const { decisions, sent, seen: seenNow, seenHash } = settled(resource);
    expect(decisions).toEqual([]);
    expect(plan([{ ...resource, link: aLink({}, { sent, seen: seenNow, seenHash }) }]).operations).toEqual([]);
  });
});
