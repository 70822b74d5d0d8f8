// Documents of a hospital about a linked patient: offered as notes as far as they can be read.

import { describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { anOrganization } from '../../builders.ts';
import { own } from '../../support/adopting.ts';
import { feed, ops, sourceRefuses } from '../../support/begun.ts';
import { charting, chartOf, daysAgo } from '../../support/chart.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld(charting);
const { clocks, keptFor, rosaIsLinked, shows } = chartOf(world);

const page = `<!DOCTYPE html><html><head><title>x</title><style>p{}</style></head><body><h1>Hospital&nbsp;course</h1>
<!-- <p>not this</p> --><p>Blood pressure &lt; 140
&amp; stable</p><script>if (1 < 2) alert("<p>")</script><ul><li>Rest</li><li>Fluids</li></ul></body></html>`;

describe('a document of the hospital', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const summary = (overrides: JsonObject = {}): JsonObject => ({
    resourceType: 'DocumentReference',
    id: 'summary-1',
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }], text: 'Discharge summary' },
    subject: { reference: 'Patient/rosa' },
    date: daysAgo(1),
    author: [{ display: 'Dr. Lena Aster' }],
    custodian: { display: 'General Hospital' },
    content: [
      { attachment: { contentType: 'text/plain', title: 'Summary', data: base64('Went home.\r\nWalks well.') } },
    ],
    context: { period: { start: daysAgo(4), end: daysAgo(1) } },
    ...overrides,
  });
  const offered = async () => (await feed(world)).at(-1)?.body ?? {};
  const section = (body: JsonObject, code: string) =>
    (Array.isArray(body.sections) ? body.sections : []).find((one) => isObject(one) && one.code === code);

  /** The source's own record of what it was offered last. */
  const adopted = async (changed: JsonObject = {}): Promise<string> => {
    const { id = '', body = {} } = (await feed(world)).at(-1) ?? {};
    const times = { occurredAt: '2026-02-27T10:00:00-05:00', signedAt: '2026-02-28T10:00:00-05:00' };
    const more = { authorId: 'worker-okafor', updatedAt: '2026-03-01T10:00:00-05:00' };
    await world.send(['note', { ...body, ...times, ...more, id: own(id), ...changed }]);
    return own(id);
  };

  test('that a case manager needs is offered once, as a note with what it says, who wrote it, and where', async () => {
    await rosaIsLinked();
    await shows(summary());
    expect((await feed(world)).at(-1)).toMatchObject({ op: 'propose', type: 'note' });
    expect(await offered()).toMatchObject({
      origin: { connection: 'general', resourceType: 'DocumentReference', id: 'summary-1' },
      clientId: 'client-rosa',
      caseId: 'case-rosa',
      kind: 'discharge-planning',
      status: 'signed',
      signedAt: daysAgo(1),
      occurredAt: daysAgo(4),
      text: 'Went home.\nWalks well.',
      sections: [
        { code: 'document', text: 'Discharge summary' },
        { code: 'author', text: 'Dr. Lena Aster' },
        { code: 'hospital', text: 'General Hospital' },
      ],
    });
    expect(await offered()).not.toHaveProperty('authorId');
    const count = (await feed(world)).length;
    await shows(summary());
    await world.workAgain();
    expect((await feed(world)).length).toBe(count);
    const amended = { contentType: 'text/plain', data: base64('Went home by bus.') };
    await shows(summary({ docStatus: 'amended', content: [{ attachment: amended }] }));
    expect(await ops(world, count)).toEqual(['propose note']);
    expect(await offered()).toMatchObject({ text: 'Went home by bus.', status: 'amended' });
  });

  test('labelled there comes with the label; what it does not say is left out, and the hospital is the one whose server it is', async () => {
    await rosaIsLinked(['organization', anOrganization({ id: 'org-hospital', name: 'St. Anne', kind: 'hospital' })]);
    const { author: _, custodian: __, context: ___, ...rest } = summary();
    await shows({ ...rest, meta: { security: [{ code: 'ETH' }] } });
    const body = await offered();
    expect(body).toMatchObject({ sensitivity: ['substance-use-part2'], occurredAt: daysAgo(1) });
    expect(section(body, 'hospital')).toEqual({ code: 'hospital', text: 'St. Anne' });
    expect(section(body, 'author')).toBeUndefined();
  });

  test.each([
    [
      'HTML is told without its markup',
      [{ contentType: 'text/html; charset=utf-8', data: base64(page) }],
      'Hospital course\n\nBlood pressure < 140 & stable\n\n- Rest\n- Fluids',
    ],
    [
      'of several forms the plainest is read',
      [
        { contentType: 'application/pdf', data: 'eA==' },
        { contentType: 'text/html', data: base64('<p>no</p>') },
        { contentType: 'text/plain', data: base64('yes\u0000\u0007') },
      ],
      'yes',
    ],
    [
      'PDF has no text: the title and what it is are told',
      [{ contentType: 'application/pdf', title: 'Summary.pdf', data: 'eA==' }],
      "Discharge summary\n(Its text stands in the hospital's record only.)",
    ],
    [
      'on another server it is not fetched',
      [{ contentType: 'text/plain', url: 'https://elsewhere.example.org/Binary/b1' }],
      "Discharge summary\n(Its text stands in the hospital's record only.)",
    ],
    [
      'a text that is too long for a note ends with the words that say so',
      [{ contentType: 'text/plain', data: base64('🙂'.repeat(15_000)) }],
      expect.stringMatching(/^(?:🙂)+\n\(The rest stands in the hospital's record only\.\)$/u),
    ],
  ])('%s', async (_, attachments, text) => {
    await rosaIsLinked();
    await shows(summary({ content: attachments.map((attachment) => ({ attachment })) }));
    expect((await offered()).text).toEqual(text);
    await adopted();
    expect(await world.openDecisions()).toEqual([]);
  });

  test('a PDF is named beside what is said of it', async () => {
    await rosaIsLinked();
    await shows(summary({ content: [{ attachment: { contentType: 'application/pdf', title: 'Summary.pdf' } }] }));
    expect(section(await offered(), 'attachment')).toEqual({
      code: 'attachment',
      text: 'Summary.pdf (application/pdf)',
    });
  });

  test('taken over is tied to it: nothing is written there, not even an addendum, and no clock of a note runs', async () => {
    await rosaIsLinked();
    await shows(summary());
    const before = (await world.server.journal()).length;
    const addendum = {
      id: 'add-1',
      kind: 'addendum',
      text: 'Told her daughter.',
      authorId: 'worker-okafor',
      signedAt: '2026-02-28T12:00:00-05:00',
    };
    const id = await adopted({ status: 'amended', addenda: [addendum] });
    expect(await world.link(`note/${id}#note`)).toMatchObject({ remoteId: 'summary-1', retired: false });
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
    expect((await clocks()).filter((line) => line.startsWith('note'))).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
    const count = (await feed(world)).length;
    await shows(summary({ status: 'entered-in-error' }));
    expect(await ops(world, count)).toEqual(['patch note']);
    expect((await offered()).status).toBe('entered-in-error');
  });

  test('that the hospital amends after it was taken over is a change of the record, whose text stands', async () => {
    await rosaIsLinked();
    await shows(summary());
    await adopted();
    const before = (await world.server.journal()).length;
    const count = (await feed(world)).length;
    const content = [{ attachment: { contentType: 'text/plain', data: base64('Quite another.') } }];
    await shows(summary({ docStatus: 'amended', content }));
    expect((await feed(world)).slice(count)).toMatchObject([
      { op: 'patch', type: 'note', body: { status: 'amended' } },
    ]);
    expect(await world.server.writes(before)).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('that a newer edition replaces is taken back, and the newer one says which', async () => {
    await rosaIsLinked();
    await shows(summary());
    const { id = '' } = (await feed(world)).at(-1) ?? {};
    const count = (await feed(world)).length;
    const target = { reference: 'DocumentReference/summary-1' };
    const newer = summary({ id: 'summary-2', relatesTo: [{ code: 'replaces', target }] });
    await shows({ ...newer, docStatus: 'preliminary' });
    expect(await ops(world, count)).toEqual([]);
    await shows(newer);
    expect((await ops(world, count)).sort()).toEqual(['propose note', 'withdraw note']);
    const proposal = (await feed(world)).slice(count).find(({ op }) => op === 'propose');
    expect(section(proposal?.body ?? {}, 'replaces')).toEqual({ code: 'replaces', text: id });
    expect(await keptFor()).toEqual(['DocumentReference withdrawn inbound-superseded', 'DocumentReference proposed']);
  });

  test.each([
    [
      'of a type that is not listed',
      { type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] } },
      'inbound-document-type',
    ],
    ['without a type', { type: {} }, 'inbound-document-type'],
    ['of long ago', { date: daysAgo(40) }, 'inbound-past'],
    ['without any time', { date: 'once', context: {} }, 'inbound-unreadable'],
    ['that is not final', { docStatus: 'preliminary' }, 'inbound-draft'],
    ['that was superseded', { status: 'superseded' }, 'inbound-superseded'],
    ['entered in error', { status: 'entered-in-error ' }, 'inbound-cancelled'],
    ['whose text was', { docStatus: 'entered-in-error' }, 'inbound-cancelled'],
    [
      'of ours, of which nobody knows yet that it was filed',
      { content: [{ attachment: { contentType: 'text/plain', data: base64('Note\n\nRef CB-0123456789BC v1\n') } }] },
      'inbound-own-document',
    ],
  ])('%s is kept, and not offered', async (_, changed, code) => {
    await rosaIsLinked();
    await shows(summary(changed));
    expect(await keptFor()).toEqual([`DocumentReference kept ${code}`]);
    expect(await feed(world)).toEqual([]);
  });

  test('that quotes a note of ours is offered all the same', async () => {
    await rosaIsLinked();
    const quoted = 'The agency writes:\nRef CB-0123456789BC v1\nShe goes home today.';
    await shows(summary({ content: [{ attachment: { contentType: 'text/plain', data: base64(quoted) } }] }));
    expect(await ops(world)).toEqual(['propose note']);
  });

  test('that its source refuses is not offered again', async () => {
    await rosaIsLinked();
    await shows(summary());
    const count = (await feed(world)).length;
    await sourceRefuses(world, 'note', 'Not ours.');
    await shows(summary({ date: daysAgo(0) }));
    expect(await ops(world, count)).toEqual([]);
  });
});
