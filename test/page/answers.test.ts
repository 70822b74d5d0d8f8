// What a partner does on the page happens once, by the rules, and to the referral that was shown; what it writes is shown as text.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { part2Notice } from '../../src/documents/page.ts';
import { type JsonObject, objectAt, objectsAt } from '../../src/json.ts';
import { formName } from '../../src/page/forms.ts';
import { words } from '../../src/page/words.ts';
import { sql } from '../../src/store/store.ts';
import { anAppointment, aReferral } from '../builders.ts';
import { type PageSite, startPageSite } from '../support/page-site.ts';
import { permittedCaseload } from '../support/partners.ts';
import { accept, eventually, idle } from '../support/rig.ts';
import { linkId, Visitor } from '../support/visitor.ts';

let site: PageSite;
let count = 0;
let link: string;
let visitor: Visitor;

beforeAll(async () => {
  site = await startPageSite();
  await site.link();
}, 60_000);
afterAll(() => site?.stop());

/** A referral and a link of its own for each test, and somebody who is in. */
beforeEach(async () => {
  count += 1;
  await accept(site.gateway, ['referral', aReferral({ id: `referral-${count}` })]);
  link = await site.linkTo(`referral-${count}`);
  visitor = new Visitor();
  await visitor.isIn(site, link);
});

async function taskId(): Promise<string> {
  const row = await site.store.db
    .selectFrom('partner_link')
    .select('task_id')
    .where('id', '=', linkId(link))
    .executeTakeFirstOrThrow();
  return row.task_id;
}

async function task(): Promise<JsonObject> {
  const referral = await site.gateway.api.home.referral('pantry', await taskId());
  if (referral === undefined) throw new Error('there is no such referral');
  return referral.task;
}

async function versions(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from home_version where resource_type = 'Task' and id = ${await taskId()}`.execute(
    site.store.db,
  );
  return rows[0]?.count ?? 0;
}

async function held(resourceType: string): Promise<JsonObject[]> {
  const own = await task();
  const focus = (own.focus as JsonObject).reference;
  const rows = await site.store.db
    .selectFrom('home_resource')
    .select('body')
    .where('resource_type', '=', resourceType)
    .where('based_on', '=', String(focus))
    .execute();
  return rows.map(({ body }) => body);
}

/** The agency's own doing, between two looks of the partner. */
async function meanwhile(change: Parameters<typeof aReferral>[0]): Promise<void> {
  await accept(site.gateway, [
    'referral',
    aReferral({ id: `referral-${count}`, updatedAt: '2026-02-05T10:00:00-05:00', ...change }),
  ]);
  await idle(site.gateway);
}

/** The agency proposes an appointment, or another time for it. */
async function proposeVisit(startsAt: string, updatedAt = '2026-02-07T10:00:00-05:00'): Promise<void> {
  const ids = { id: `appointment-${count}`, referralId: `referral-${count}` };
  await accept(
    site.gateway,
    ['appointment', anAppointment({ ...ids, status: 'proposed', startsAt, updatedAt })],
    ['consent', consentForAppointments],
  );
  await idle(site.gateway);
}

/** As the agency knows it once the partner has accepted. */
const accepted = {
  status: 'accepted',
  decidedAt: '2026-02-05T09:00:00-05:00',
  history: [
    { id: 'h1', status: 'sent', at: '2026-02-04T10:00:00-05:00' },
    { id: 'h2', status: 'accepted', at: '2026-02-05T09:00:00-05:00' },
  ],
} satisfies Parameters<typeof aReferral>[0];

const aCall = { at: '2026-02-05T09:00', mode: 'phone' };
const aVisit = { at: '2031-03-04T09:30', minutes: '30', agreement: 'proposed' };

const aComment = {
  id: 'c1',
  at: '2026-02-05T09:00:00-05:00',
  byName: 'Ngozi Okafor',
  text: 'She prefers mornings',
  visibility: 'shared',
} as const;

test('of what is written no control character is kept, and a form of a name that is none is no form', async () => {
  const seen = await visitor.send(link, 'comment', { text: 'a\0b\u0007\nand\tmore' });
  expect(seen.status).toBe(200);
  expect(objectsAt(await task(), 'note').map(({ text }) => text)).toEqual(['a b \nand\tmore']);
  expect((await visitor.get(`${link}?done=comment-%00`)).status).toBe(200);
});

describe('a form that is sent twice', () => {
  test('one after the other does one thing, and says so both times', async () => {
    const fields = visitor.fields('accept');
    const first = await visitor.send(link, 'accept', {}, fields);
    const before = await versions();
    const second = await visitor.send(link, 'accept', {}, fields);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.html).toContain('You have accepted this referral.');
    // What has been done is told of a form that was sent, whatever somebody writes into the address.
    for (const form of ['finish', formName('accept', 'another', fields), formName('finish', 'another', fields)])
      expect((await visitor.get(`${link}?done=${form}`)).html).not.toContain('class="card done"');
    expect(await versions()).toBe(before);
  });

  test.each([
    ['accept', {}, 'accepted', 0],
    ['comment', { text: 'We open at nine' }, 'requested', 1],
  ])('at the same time does one thing: %s', async (action, more, status, notes) => {
    const fields = visitor.fields(action);
    const before = await versions();
    const seen = await Promise.all(Array.from({ length: 4 }, () => visitor.send(link, action, more, fields)));
    expect(seen.map(({ status: answered }) => answered)).toEqual([200, 200, 200, 200]);
    expect(await versions()).toBe(before + 1);
    const { status: now, note = [] } = await task();
    expect([now, Array.isArray(note) && note.length]).toEqual([status, notes]);
  });

  test('that makes something else makes it once', async () => {
    const contact = { ...aCall, outcome: 'reached' };
    const fields = visitor.fields('contact');
    await Promise.all([visitor.send(link, 'contact', contact, fields), visitor.send(link, 'contact', contact, fields)]);
    expect(await held('Communication')).toHaveLength(1);
    const visit = { ...aVisit, place: 'Room 2' };
    const form = visitor.fields('propose');
    await Promise.all([visitor.send(link, 'propose', visit, form), visitor.send(link, 'propose', visit, form)]);
    expect(await held('Appointment')).toMatchObject([
      { status: 'proposed', start: '2031-03-04T14:30:00.000Z', end: '2031-03-04T15:00:00.000Z' },
    ]);
  });

  test.each([
    ['comment', { text: 'We open at nine' }, { text: 'We open at ten' }, 409],
    ['contact', { ...aCall, outcome: 'no-answer' }, { ...aCall, outcome: 'reached' }, 200],
    ['propose', { ...aVisit, place: 'Room 2' }, { ...aVisit, place: 'Room 3' }, 409],
  ])('with something else in it is another one: %s', async (action, one, other, status) => {
    // As a browser shows it that has gone back.
    const fields = visitor.fields(action);
    await visitor.send(link, action, one, fields);
    const seen = await visitor.send(link, action, other, fields);
    expect(seen.status).toBe(status);
    if (status === 409) {
      expect(seen.html).toContain(Object.values(other).at(-1));
      expect((await visitor.send(link, action, other)).status).toBe(200);
    }
    const { note = [] } = await task();
    const said = [note, await held('Communication'), await held('Appointment')].map((all) => [all].flat().length);
    expect(said.reduce((sum, n) => sum + n)).toBe(2);
  });

  test('after a process has died with it does what is left, and nothing twice', async () => {
    const fields = visitor.fields('accept');
    await site.store.db
      .insertInto('partner_form')
      .values({ link: linkId(link), key: formName('accept', fields.get('key') ?? '', fields) })
      .execute();
    // As long as another process may be at it, it is waited for.
    const sending = visitor.send(link, 'accept', {}, fields);
    await site.store.db.updateTable('partner_form').set({ done: true }).execute();
    expect((await sending).html).toContain('You have accepted');
    expect((await task()).status).toBe('requested');
  });
});

test('what somebody says of a contact is kept, also where one of the same minute is logged already', async () => {
  await visitor.send(link, 'contact', { ...aCall, outcome: 'no-answer' });
  await visitor.send(link, 'contact', { ...aCall, outcome: 'no-answer', text: 'Her sister says she is in hospital' });
  const logged = await held('Communication');
  expect(logged.map(({ note }) => note)).toEqual(
    expect.arrayContaining([undefined, [{ authorString: 'Ana Ruiz', text: 'Her sister says she is in hospital' }]]),
  );
  const other = new Visitor();
  await other.isIn(site, link, 'Ben Cole');
  await other.send(link, 'contact', { ...aCall, outcome: 'no-answer' });
  expect(await held('Communication')).toHaveLength(3);
});

test('the same comment, said again later, is kept again', async () => {
  for (const _day of [1, 2]) await visitor.send(link, 'comment', { text: 'Called, no answer' });
  expect((await task()).note).toMatchObject([{ text: 'Called, no answer' }, { text: 'Called, no answer' }]);
});

describe('an appointment for a time and place that there is one for', () => {
  const visit = { ...aVisit, place: 'Room 2' };
  const statuses = async () => (await held('Appointment')).map(({ status }) => status);

  test('is booked when it is agreed now, and the source is offered so', async () => {
    const proposed = await visitor.send(link, 'propose', visit);
    expect(proposed.html).toContain('The client has agreed: book it</button>');
    expect(proposed.html).not.toContain('Confirm this appointment</button>');
    const seen = await visitor.send(link, 'propose', { ...visit, agreement: 'booked' });
    expect(seen.status).toBe(200);
    expect(await statuses()).toEqual(['booked']);
    const [appointment] = await held('Appointment');
    const { rows } = await sql<{ status: string }>`select body ->> 'status' as status from change
      where type = 'appointment' and body -> 'origin' ->> 'id' = ${String(appointment?.id)} order by cursor`.execute(
      site.store.db,
    );
    expect(rows).toEqual([{ status: 'proposed' }, { status: 'booked' }]);
  });

  test('is refused in words when it is agreed or off already, and what was written stays', async () => {
    await visitor.send(link, 'propose', { ...visit, agreement: 'booked' });
    const seen = await visitor.send(link, 'propose', visit);
    expect(seen.status).toBe(409);
    expect(seen.html).toContain('There is already an appointment for this time and place');
    expect(seen.html).toContain('value="Room 2"');
    expect(await statuses()).toEqual(['booked']);
  });
});

describe('a form that shows an older state', () => {
  test('is not taken: what is new is shown, what was written stays, and the next try counts', async () => {
    const fields = visitor.fields('decline');
    await meanwhile({ comments: [aComment] });
    const written = { reason: 'other', text: 'Our van is broken' };
    const seen = await visitor.send(link, 'decline', written, fields);
    expect(seen.status).toBe(409);
    expect(seen.html).toContain('Something has changed');
    expect(seen.html).toMatch(/role="alert".*She prefers mornings.*<\/ol><\/div>/s);
    expect(seen.html).toContain('Our van is broken');
    expect((await task()).status).toBe('requested');

    const again = await visitor.send(link, 'decline', written);
    expect(again.status).toBe(200);
    expect(await task()).toMatchObject({ status: 'rejected', statusReason: { text: 'Our van is broken' } });
  });

  test('is not taken either where the agency has ended it', async () => {
    const fields = visitor.fields('accept');
    const comment = visitor.fields('comment');
    await meanwhile({
      status: 'cancelled',
      history: [
        { id: 'h1', status: 'sent', at: '2026-02-04T10:00:00-05:00' },
        { id: 'h2', status: 'cancelled', at: '2026-02-05T10:00:00-05:00', reason: 'She has moved' },
      ],
    });
    const seen = await visitor.send(link, 'accept', {}, fields);
    expect(seen.status).toBe(409);
    expect(seen.html).toContain('There is nothing left for you to do');
    expect(seen.html).not.toContain('What you wrote, not sent');
    expect((await task()).status).toBe('cancelled');

    // What was written meanwhile has no form any more, and is not lost for that.
    const text = 'We could come <b>twice</b> a week';
    const written = await visitor.send(link, 'comment', { text }, comment);
    expect(written.status).toBe(409);
    expect(written.html).toContain('this cannot be done any more');
    expect(written.html).not.toContain('send the form again');
    expect(written.html).toMatch(/What you wrote, not sent.*We could come &#60;b&#62;twice&#60;\/b&#62; a week/s);
    const version = String(objectAt(await task(), 'meta')?.versionId);
    const late = await visitor.send(link, 'comment', { text, version }, comment);
    expect([late.status, late.html.includes('This cannot be done now')]).toEqual([409, true]);
    expect(late.html).toContain('What you wrote, not sent');
    expect((await task()).note).toBeUndefined();
  });

  test('confirms no time of an appointment that was not shown', async () => {
    await proposeVisit('2031-02-12T10:00:00-05:00');
    await visitor.get(link);
    const old = visitor.fields('confirm');
    await proposeVisit('2031-02-20T16:00:00-05:00', '2026-02-08T10:00:00-05:00');
    const seen = await visitor.send(link, 'confirm', {}, old);
    expect(seen.status).toBe(409);
    expect(seen.html).toMatch(/role="alert".*Appointment, proposed: Feb 20, 2031, 4:00 PM.*<\/ol><\/div>/s);
    expect(await held('Appointment')).toMatchObject([{ status: 'proposed' }]);
    expect((await visitor.send(link, 'confirm')).status).toBe(200);
    expect(await held('Appointment')).toMatchObject([{ status: 'booked', start: '2031-02-20T16:00:00-05:00' }]);
  });

  test('is not taken where the agency asks to stop by now', async () => {
    await visitor.send(link, 'accept');
    await idle(site.gateway);
    await visitor.get(link);
    const old = visitor.fields('start');
    await meanwhile({ ...accepted, cancelRequest: { at: '2026-02-05T10:00:00-05:00', reason: 'She is not safe' } });
    const seen = await visitor.send(link, 'start', {}, old);
    expect(seen.status).toBe(409);
    expect(seen.html).toMatch(/role="alert".*The agency asks you to stop.*She is not safe.*<\/ol><\/div>/s);
    expect((await task()).status).toBe('accepted');
    expect((await visitor.send(link, 'start')).status).toBe(200);
  });
});

describe('a move that is not legal', () => {
  test('is not offered, and refused with the legal ones named when it is asked for all the same', async () => {
    expect(visitor.shown).not.toContain('/finish"');
    const seen = await visitor.send(link, 'finish', { outcome: 'service-received' }, visitor.fields('accept'));
    expect(seen.status).toBe(409);
    expect(seen.html).toContain('The referral is: Waiting for your answer. What can be done: Accept,');
    await visitor.send(link, 'accept');
    const twice = await visitor.send(link, 'accept', {}, visitor.fields('start'));
    expect([twice.status, twice.html.includes('The referral is: Accepted.')]).toEqual([409, true]);
    await visitor.get(link);
    await visitor.send(link, 'start');
    await visitor.get(link);
    const late = await visitor.send(link, 'decline', { reason: 'no-capacity' }, visitor.fields('hold'));
    expect([late.status, (await task()).status]).toEqual([409, 'in-progress']);
  });

  test('a form that does not exist is none', async () => {
    const seen = await visitor.send(link, 'erase', {}, visitor.fields('accept'));
    expect([seen.status, (await task()).status]).toEqual([404, 'requested']);
  });
});

describe('what a form must say', () => {
  test.each([
    ['decline', { reason: '' }, 'Choose a reason.'],
    ['decline', { reason: 'nonsense' }, 'Choose a reason.'],
    ['decline', { reason: 'other', text: '  ' }, 'Say the reason in a few words.'],
    ['comment', { text: '' }, 'Write something first.'],
    ['contact', { at: '', mode: 'phone', outcome: 'reached' }, 'Give a date and a time.'],
    ['contact', { at: '2099-01-01T00:00', mode: 'phone', outcome: 'reached' }, 'This time has not come yet.'],
    [
      'contact',
      { at: '2026-02-04T09:59', mode: 'phone', outcome: 'no-answer' },
      'This is before the referral was sent to you. Check the date.',
    ],
    ['contact', { at: '2026-03-08T02:30', mode: 'phone', outcome: 'reached' }, 'This time does not exist'],
    ['contact', { at: '2026-02-05T09:00', mode: '', outcome: 'reached' }, 'Choose how.'],
    ['propose', { at: '2020-01-01T09:00', minutes: '30', agreement: 'booked' }, 'This time is over.'],
    ['propose', { at: '2031-01-01T09:00', minutes: '3000', agreement: 'booked' }, 'Give a length'],
  ])('%s with %j is told: %s', async (action, more, told) => {
    const seen = await visitor.send(link, action, more);
    expect(seen.status).toBe(422);
    expect(seen.html).toContain(told);
    expect(seen.html).toMatch(/aria-invalid="true"/);
    expect([(await task()).status, await versions()]).toEqual(['requested', 1]);
  });
});

test('a contact of the minute in which the referral was sent counts; one of years ago is refused in Spanish too', async () => {
  await visitor.get(`${link}?lang=es`);
  const seen = await visitor.send(link, 'contact', { at: '2021-02-05T09:00', mode: 'phone', outcome: 'reached' });
  expect([seen.status, seen.html.includes('Esto es anterior al envío de la remisión.')]).toEqual([422, true]);
  const same = await visitor.send(link, 'contact', { at: '2026-02-04T10:00', mode: 'phone', outcome: 'reached' });
  expect([same.status, (await held('Communication')).length]).toEqual([200, 1]);
});

test('a comment that is too long is not cut, but refused', async () => {
  const seen = await visitor.send(link, 'comment', { text: 'long '.repeat(900) });
  expect([seen.status, seen.html.includes('This text is too long.'), await versions()]).toEqual([422, true, 1]);
});

describe('what the partner does', () => {
  test('on hold, on again, and ended without the service, each with its words', async () => {
    await visitor.send(link, 'accept');
    await visitor.send(link, 'hold', { text: 'Until her papers are here' });
    expect(await task()).toMatchObject({ status: 'on-hold', statusReason: { text: 'Until her papers are here' } });
    await visitor.send(link, 'start');
    expect((await task()).status).toBe('in-progress');
    const seen = await visitor.send(link, 'finish', { outcome: 'no-show' });
    expect(await task()).toMatchObject({
      status: 'failed',
      statusReason: { coding: [{ code: 'no-show' }], text: 'The client did not come' },
    });
    expect(seen.html).toContain('There is nothing left for you to do');
  });

  test('declined after it was accepted', async () => {
    await visitor.send(link, 'accept');
    await visitor.send(link, 'decline', { reason: 'out-of-area' });
    expect(await task()).toMatchObject({ status: 'cancelled', statusReason: { coding: [{ code: 'out-of-area' }] } });
  });

  test('asked to stop, it stops', async () => {
    await visitor.send(link, 'accept');
    await meanwhile({
      ...accepted,
      cancelRequest: { at: '2026-02-05T10:00:00-05:00', reason: 'She found another pantry' },
    });
    const seen = await visitor.get(link);
    expect(seen.html).toContain('The agency asks you to stop');
    expect(seen.html).toContain('Reason: <span class="said" dir="auto">She found another pantry</span>');
    await visitor.send(link, 'stop');
    expect((await task()).status).toBe('cancelled');
  });

  test('confirms an appointment that the agency has proposed, and no other', async () => {
    await proposeVisit('2031-02-12T10:00:00-05:00');
    const seen = await visitor.get(link);
    expect(seen.html).toContain('Appointment, proposed: Feb 12, 2031, 10:00 AM');
    expect(seen.html).toMatch(/id="appointments">Appointments<\/h2><p class="hint">Time zone: Eastern Time\.<\/p>/);
    expect(seen.html).toContain('Confirm this appointment</button>');
    const foreign = await visitor.send(link, 'confirm', { appointment: 'another-one' });
    expect(foreign.status).toBe(409);
    await visitor.get(link);
    const done = await visitor.send(link, 'confirm');
    expect(done.html).toContain('The appointment is confirmed.');
    expect(await held('Appointment')).toMatchObject([{ status: 'booked' }]);
  });

  test('is audited: each look and each move, by the link and without what it says', async () => {
    await visitor.send(link, 'accept');
    const rows = await site.store.db
      .selectFrom('audit')
      .selectAll()
      .where('actor', '=', `contact:${linkId(link)}`)
      .orderBy('id')
      .execute();
    expect(rows.map(({ action, resource_type: type, outcome }) => `${action} ${type} ${outcome}`)).toEqual([
      'read Task done',
      'read Patient done',
      'update Task done',
      'read Task done',
      'read Patient done',
    ]);
    expect(rows.every(({ request_id: id }) => id !== null)).toBe(true);
  });

  test('that is refused is audited with what stood in the way, and so is asking for a code', async () => {
    const old = visitor.fields('comment');
    await visitor.send(link, 'accept');
    await visitor.send(link, 'comment', { text: 'Too late' }, old);
    await visitor.send(link, 'accept', {}, visitor.fields('comment'));
    const stranger = new Visitor();
    await stranger.get(link);
    await stranger.send(link, 'code');
    await stranger.get(link);
    await stranger.send(link, 'code');
    const rows = await site.store.db
      .selectFrom('audit')
      .selectAll()
      .where('actor', '=', `contact:${linkId(link)}`)
      .where('action', 'not in', ['read', 'create', 'update', 'sign-in'])
      .orderBy('id')
      .execute();
    expect(rows.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'comment version-conflict',
      'accept task-move-illegal',
      'code done',
      'code code-sent-before',
    ]);
    expect(JSON.stringify(rows)).not.toContain('Too late');
  });

  test('reaches the source as a change', async () => {
    await visitor.send(link, 'accept');
    await eventually(async () => {
      const rows = await site.store.db.selectFrom('change').select(['id', 'body']).execute();
      return rows.some(({ id, body }) => id === `referral-${count}` && body?.status === 'accepted');
    }, 'the change');
  });
});

describe('text that looks like markup', () => {
  const script = '<script>alert("x")</script><img src=x onerror=alert(1)>';

  test('is shown as text on the page and in narratives', async () => {
    await meanwhile({ comments: [{ ...aComment, text: script }], reason: script, requestedText: script });
    const seen = await visitor.get(link);
    expect(seen.html).not.toMatch(/<script|<img/);
    expect(seen.html.split('&#60;script&#62;').length).toBeGreaterThan(3);
    await visitor.send(link, 'comment', { text: `${script} from the partner` });
    expect(visitor.shown).not.toMatch(/<script|<img/);
    expect(visitor.shown).toContain('&#60;img src=x onerror=alert(1)&#62; from the partner');
    const bodies = await site.store.db.selectFrom('home_version').select('body').execute();
    const narratives = bodies.map(({ body }) => JSON.stringify(body?.text ?? ''));
    expect(narratives.filter((text) => /<script|<img/.test(text))).toEqual([]);
  });

  test('comes back into the form as it was written', async () => {
    const seen = await visitor.send(link, 'decline', { reason: '', text: `${script}</textarea>` });
    expect(seen.html).toContain('&#60;/textarea&#62;</textarea>');
    expect(seen.html).not.toMatch(/<script|<img/);
  });
});

test('what 42 CFR part 2 covers is shown with its notice in the words of the page, and nothing else is (2.32)', async () => {
  const isNoticed = async (address: string, notice: string) => (await visitor.get(address)).html.includes(notice);
  expect(await isNoticed(link, '42 CFR')).toBe(false);
  await accept(site.gateway, [
    'consent',
    {
      ...consentForAppointments,
      updatedAt: '2026-02-06T12:00:00-05:00',
      sensitivity: ['substance-use-part2'],
      part2: { redisclosureNotice: true },
    },
  ]);
  await meanwhile({
    consentId: 'consent-rosa',
    sensitivity: ['substance-use-part2'],
    requestedText: 'Methadone program',
  });
  expect(await isNoticed(link, 'Methadone program')).toBe(true);
  expect(await isNoticed(link, part2Notice)).toBe(true);
  expect(await isNoticed(`${link}?lang=es`, words.es.part2)).toBe(true);
});

const [, consent] = permittedCaseload().find(([type]) => type === 'consent') ?? [];
const consentForAppointments: JsonObject = {
  ...consent,
  updatedAt: '2026-02-06T11:00:00-05:00',
  recordTypes: ['client', 'need', 'goal', 'carePlan', 'referral', 'appointment'],
};
