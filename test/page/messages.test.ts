// A partner is told of each event of a referral once: by a row that outlives crashes and faults of the mail server, and in words that say nothing
// about anybody.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { reason } from '../../src/errors.ts';
import { type JsonObject, objectsAt } from '../../src/json.ts';
import { openAlert } from '../../src/lanes/lanes.ts';
import { endUntold } from '../../src/page/page.ts';
import { sql } from '../../src/store/store.ts';
import { anAppointment, aReferral } from '../builders.ts';
import { type PageSite, pantryAddress, startPageSite } from '../support/page-site.ts';
import { permittedCaseload } from '../support/partners.ts';
import { startReceiver, webhookKey } from '../support/receiver.ts';
import { accept, eventually, idle } from '../support/rig.ts';
import { linkId, Visitor } from '../support/visitor.ts';

let site: PageSite;
let link: string;

beforeAll(async () => {
  site = await startPageSite();
  link = await site.linkTo('referral-pantry');
}, 60_000);
afterAll(() => site?.stop());
afterEach(() => {
  site.mail.refuseWith = undefined;
});

async function messages(referral: string) {
  const rows = await site.store.db
    .selectFrom('partner_message')
    .innerJoin('link', 'link.remote_id', 'partner_message.task_id')
    .select(['partner_message.id', 'event', 'partner_message.state', 'attempts', 'partner_message.reason', 'task_id'])
    .where('link.type', '=', 'referral')
    .where('link.id', '=', referral)
    .orderBy('partner_message.id')
    .execute();
  return rows;
}

async function settled(): Promise<void> {
  await idle(site.gateway);
  // Looks at everything again, as a process that has just started does.
  await sql`update partner_watch set seen = ''`.execute(site.store.db);
  for (let n = 0; n < 3; n += 1) await site.gateway.api.page?.tell();
}

/** Lets so many hours pass for what waits. */
async function later(hours: number): Promise<void> {
  const by = sql`${hours} * interval '1 hour'`;
  await sql`update partner_message set next_at = next_at - ${by}, failing_since = failing_since - ${by},
    lease_until = lease_until - ${by}`.execute(site.store.db);
}

function referral(id: string, minute = 0, more: Parameters<typeof aReferral>[0] = {}) {
  return ['referral', aReferral({ id, updatedAt: `2026-02-05T10:0${minute}:00-05:00`, ...more })] as const;
}

/** As its source has it once the partner has accepted. */
const accepted = {
  status: 'accepted' as const,
  decidedAt: '2026-02-05T10:01:00-05:00',
  history: [
    { id: 'h1', status: 'sent' as const, at: '2026-02-04T10:00:00-05:00' },
    { id: 'h2', status: 'accepted' as const, at: '2026-02-05T10:01:00-05:00' },
  ],
};

/** As its source has it once it has called it off. */
const cancelled = {
  status: 'cancelled' as const,
  history: [
    ...accepted.history.slice(0, 1),
    { id: 'h2', status: 'cancelled' as const, at: '2026-02-05T10:01:00-05:00' },
  ],
};

const comment = (n: number) => ({
  id: `c${n}`,
  at: `2026-02-05T09:0${n}:00-05:00`,
  byName: 'Ngozi Okafor',
  text: `Word ${n}`,
  visibility: 'shared' as const,
});

describe('a message', () => {
  test('goes out for a new referral once, however often it is looked at', async () => {
    await settled();
    // The gateway's own round may be at it: the mail is out before the row says so.
    await eventually(async () => (await messages('referral-pantry'))[0]?.state === 'sent', 'the message');
    expect(await messages('referral-pantry')).toMatchObject([{ event: 'new', state: 'sent', attempts: 1 }]);
    const mails = site.links().filter(({ text }) => text.includes(linkId(link)));
    expect(mails).toMatchObject([
      { to: 'referrals@pantry.example.org', subject: 'A referral is waiting for your answer' },
    ]);
  });

  test('goes out again for what the agency says later, once for each, and never for what the partner did itself', async () => {
    await accept(site.gateway, referral('referral-talk'));
    const own = await site.linkTo('referral-talk');
    await accept(site.gateway, referral('referral-talk', 1, { comments: [comment(1)] }));
    await settled();
    await accept(site.gateway, referral('referral-talk', 2, { comments: [comment(1), comment(2)] }));
    await settled();
    const visitor = new Visitor();
    await visitor.isIn(site, own);
    await visitor.send(own, 'comment', { text: 'We are open on Monday' });
    await visitor.send(own, 'accept');
    await settled();
    const isTold = async () => (await messages('referral-talk')).every(({ state }) => state === 'sent');
    await eventually(isTold, 'the messages');
    const rows = await messages('referral-talk');
    expect(rows.map(({ event, state }) => [event.split(':')[0], state])).toEqual([
      ['new', 'sent'],
      ['note', 'sent'],
      ['note', 'sent'],
    ]);
    expect(site.links().filter(({ subject }) => subject === 'There is news about a referral')).toHaveLength(2);
  });

  test('goes out when the agency arranges, moves and calls off an appointment, and not when the partner agrees', async () => {
    await accept(site.gateway, referral('referral-visit'), ['consent', consentForAppointments]);
    const own = await site.linkTo('referral-visit');
    const told = async () => (await messages('referral-visit')).filter(({ event }) => event.startsWith('appointment:'));
    const arrange = async (minute: number, more: Parameters<typeof anAppointment>[0]) => {
      const updatedAt = `2026-02-07T10:0${minute}:00-05:00`;
      const ids = { id: 'visit', referralId: 'referral-visit' };
      await accept(site.gateway, ['appointment', anAppointment({ ...ids, updatedAt, transport: undefined, ...more })]);
      await settled();
      return (await told()).length;
    };
    expect(await arrange(1, { status: 'proposed', startsAt: '2031-02-12T10:00:00-05:00' })).toBe(1);
    const visitor = new Visitor();
    await visitor.isIn(site, own);
    await visitor.send(own, 'confirm');
    await settled();
    expect(await told()).toHaveLength(1);
    const booked = { status: 'booked', startsAt: '2031-02-12T10:00:00-05:00' } as const;
    expect(await arrange(2, { ...booked, title: 'Intake' })).toBe(1);
    expect(await arrange(3, { ...booked, startsAt: '2031-02-13T10:00:00-05:00' })).toBe(2);
    expect(await arrange(4, { ...booked, status: 'cancelled', startsAt: '2031-02-13T10:00:00-05:00' })).toBe(3);
    await settled();
    expect(await told()).toHaveLength(3);
  });

  test('goes out for a time that was proposed before, for what is open again, and for an appointment that is deleted', async () => {
    await accept(site.gateway, referral('referral-moved'), ['consent', consentForAppointments]);
    const own = await site.linkTo('referral-moved');
    const told = async () => (await messages('referral-moved')).filter(({ event }) => event.startsWith('appointment:'));
    const ids = { id: 'moved', referralId: 'referral-moved', transport: undefined } as const;
    const arrange = async (minute: number, status: 'proposed' | 'booked', day: number) => {
      const at = { updatedAt: `2026-02-07T10:0${minute}:00-05:00`, startsAt: `2031-02-${day}T10:00:00-05:00` };
      await accept(site.gateway, ['appointment', anAppointment({ ...ids, ...at, status })]);
      await settled();
      return (await told()).length;
    };
    expect(await arrange(1, 'proposed', 12)).toBe(1);
    expect(await arrange(2, 'proposed', 13)).toBe(2);
    expect(await arrange(3, 'proposed', 12)).toBe(3);
    expect(await arrange(4, 'booked', 12)).toBe(4);
    expect(await arrange(5, 'proposed', 12)).toBe(5);
    const visitor = new Visitor();
    await visitor.isIn(site, own);
    await visitor.send(own, 'confirm');
    await settled();
    expect(await told()).toHaveLength(5);
    await accept(site.gateway, ['appointment', { id: 'moved', updatedAt: '2026-02-07T10:09:00-05:00', deleted: true }]);
    await settled();
    expect(await told()).toHaveLength(6);
    const { html } = await visitor.get(own);
    expect(html).toContain('Appointment, cancelled: Feb 12, 2031, 10:00 AM');
    expect(html).not.toContain('/confirm"');
  });

  test('goes out each time that the agency asks to stop', async () => {
    await accept(site.gateway, referral('referral-stop'));
    const own = await site.linkTo('referral-stop');
    const visitor = new Visitor();
    await visitor.isIn(site, own);
    await visitor.send(own, 'accept');
    const asked = async () => {
      await settled();
      return (await messages('referral-stop')).filter(({ event }) => event.startsWith('cancel-asked:')).length;
    };
    const one = { at: '2026-02-05T10:02:00-05:00', reason: 'Moved away' };
    await accept(site.gateway, referral('referral-stop', 2, { ...accepted, cancelRequest: one }));
    expect(await asked()).toBe(1);
    await accept(site.gateway, referral('referral-stop', 3, accepted));
    expect(await asked()).toBe(1);
    const other = { at: '2026-02-05T10:04:00-05:00', reason: 'Moved away for good' };
    await accept(site.gateway, referral('referral-stop', 4, { ...accepted, cancelRequest: other }));
    expect(await asked()).toBe(2);
  });

  describe('of a referral that the partner has taken on', () => {
    const taken = async (id: string, action: 'accept' | 'decline' = 'accept') => {
      await accept(site.gateway, referral(id));
      const visitor = new Visitor();
      const own = await site.linkTo(id);
      await visitor.isIn(site, own);
      await visitor.send(own, action, { reason: 'no-capacity' });
      await settled();
      return { visitor, own };
    };
    const told = async (id: string) => {
      await settled();
      await eventually(async () => (await messages(id)).every(({ state }) => state === 'sent'), 'the messages');
      return (await messages(id)).map(({ event }) => event.split(':')[0]);
    };
    const deleted = (id: string) => ({ id, updatedAt: '2026-02-05T10:05:00-05:00', deleted: true });

    test.each([
      ['is turned to another organization', referral('turned', 5, { ...accepted, organizationId: 'org-other' })[1]],
      ['is deleted', deleted('erased')],
    ])('goes out once when it %s', async (_, change) => {
      const { visitor } = await taken(String(change.id));
      const before = site.links().length;
      await accept(site.gateway, ['referral', change]);
      await told(String(change.id));
      expect(await told(String(change.id))).toEqual(['new', 'gone']);
      const news = site.links().slice(before);
      expect(news).toMatchObject([{ subject: 'There is news about a referral' }]);
      const page = await visitor.isIn(site, /http\S+\/p\/\S+/.exec(news[0]?.text ?? '')?.[0] ?? '');
      expect([page.status, page.html.includes('This referral is no longer open to you')]).toEqual([404, true]);
    });

    test('goes out no more when it is deleted after its end was told, or after the partner has said no', async () => {
      await taken('wrong');
      const step = { id: 'h3', status: 'entered-in-error' as const, at: '2026-02-05T10:01:00-05:00' };
      const error = { ...accepted, status: step.status, history: [...accepted.history, step] };
      await accept(site.gateway, referral('wrong', 1, error));
      expect(await told('wrong')).toEqual(['new', 'ended']);
      await taken('refused', 'decline');
      await accept(site.gateway, ['referral', deleted('wrong')], ['referral', deleted('refused')]);
      expect(await told('wrong')).toEqual(['new', 'ended']);
      expect(await told('refused')).toEqual(['new']);
    });
  });

  test('waits for a mail server that refuses, and takes no link with it that was never sent', async () => {
    site.mail.refuseWith = '451 try again later';
    await accept(site.gateway, referral('referral-late'));
    await settled();
    await eventually(async () => (await messages('referral-late'))[0]?.reason !== null, 'the refusal');
    const [row] = await messages('referral-late');
    expect(row).toMatchObject({ state: 'waiting', attempts: 1, reason: { code: 'message-refused' } });
    const links = await site.store.db
      .selectFrom('partner_link')
      .select('id')
      .where('task_id', '=', row?.task_id ?? '')
      .execute();
    expect(links).toEqual([]);
    site.mail.refuseWith = undefined;
    await later(1);
    await site.linkTo('referral-late');
    expect(await messages('referral-late')).toMatchObject([{ state: 'sent', attempts: 2 }]);
  });

  test('that a dead process was at goes out when its lease is over', async () => {
    site.mail.refuseWith = '451 try again later';
    await accept(site.gateway, referral('referral-dead'));
    await settled();
    site.mail.refuseWith = undefined;
    const [row] = await messages('referral-dead');
    await sql`update partner_message set next_at = now(), lease_until = now() + interval '1 hour', fence = fence + 1
      where task_id = ${row?.task_id ?? ''}`.execute(site.store.db);
    await settled();
    expect(await messages('referral-dead')).toMatchObject([{ state: 'waiting' }]);
    await later(2);
    await site.linkTo('referral-dead');
  });

  test('that nobody takes for two days is given up: one alert, and its source is offered `undeliverable`', async () => {
    site.mail.refuseWith = '550 no such user';
    await accept(site.gateway, referral('referral-lost'));
    await settled();
    await later(47);
    await settled();
    const [row] = await messages('referral-lost');
    expect(row?.state).toBe('waiting');
    await eventually(async () => {
      await later(2);
      await settled();
      return (await messages('referral-lost'))[0]?.state === 'failed';
    }, 'the end of the tries');
    await settled();
    expect(await messages('referral-lost')).toMatchObject([
      { state: 'failed', reason: { code: 'partner-unreachable' } },
    ]);
    const topic = `partner-unreachable:pantry:${row?.task_id}`;
    const alert = () => site.store.db.selectFrom('alert').selectAll().where('topic', '=', topic).execute();
    expect(await alert()).toMatchObject([{ count: 1, resolved_at: null }]);
    const offered = async () =>
      (
        await site.store.db
          .selectFrom('change')
          .select('body')
          .where('id', '=', 'referral-lost')
          .orderBy('cursor')
          .execute()
      ).map(({ body }) => ({
        status: body?.status,
        steps: body && objectsAt(body, 'history').map(({ status }) => status),
      }));
    const undeliverable = { status: 'undeliverable', steps: ['draft', 'sent', 'undeliverable'] };
    expect(await offered()).toEqual([undeliverable]);

    // An operator mends the address and has the message sent again: the referral goes on as it was.
    site.mail.refuseWith = undefined;
    await site.gateway.api.page?.retryMessage({ message: row?.id ?? 0, by: { kind: 'operator', id: 'ops' } });
    await site.linkTo('referral-lost');
    await settled();
    expect(await messages('referral-lost')).toMatchObject([{ event: 'new', state: 'sent', attempts: 1 }]);
    expect(await offered()).toEqual([
      undeliverable,
      { status: 'sent', steps: ['draft', 'sent', 'undeliverable', 'sent'] },
    ]);
    const audited = await site.store.db.selectFrom('audit').selectAll().where('action', '=', 'message-retry').execute();
    expect(audited).toMatchObject([{ actor: 'operator:ops', partner: 'pantry', resource_id: row?.task_id }]);
    expect((await alert())[0]?.resolved_at).not.toBe(null);
  });

  test('that was given up is over, with its alert, when the referral has ended, also where it was to be sent again', async () => {
    site.mail.refuseWith = '550 no such user';
    const ids = ['referral-over', 'referral-again'];
    await accept(site.gateway, ...ids.map((id) => referral(id)));
    const states = async () =>
      (await Promise.all(ids.map(messages))).flat().flatMap(({ event, state }) => (event === 'new' ? [state] : []));
    await eventually(async () => {
      await settled();
      await later(25);
      return (await states()).join(' ') === 'failed failed';
    }, 'the end of the tries');
    const open = async () => {
      const rows = site.store.db.selectFrom('alert').select('topic').where('resolved_at', 'is', null);
      return (await rows.where('topic', 'like', 'partner-unreachable:%').execute()).length;
    };
    await site.gateway.api.page?.prune();
    expect(await open()).toBe(2);

    await accept(site.gateway, ...ids.map((id) => referral(id, 1, cancelled)));
    await idle(site.gateway);
    const [again] = await messages('referral-again');
    await site.gateway.api.page?.retryMessage({ message: again?.id ?? 0, by: { kind: 'operator', id: 'ops' } });
    await settled();
    expect(await open()).toBe(1);
    await site.gateway.api.page?.prune();
    expect(await open()).toBe(0);
    expect(await states()).toEqual(['needless', 'needless']);
    // Whoever was never told of it is not told of its end either, nor of what is said later.
    await accept(site.gateway, referral('referral-over', 2, { ...cancelled, comments: [comment(1)] }));
    await settled();
    expect((await messages('referral-over')).map(({ event }) => event)).toEqual(['new']);
  });

  type Message = Awaited<ReturnType<typeof messages>>[number];
  test.each<[string, string, string, (given: Message) => Promise<unknown> | undefined]>([
    [
      'was called instead',
      'referral-called',
      'needless',
      ({ id }) => site.gateway.api.page?.withdrawMessage({ message: id, by: { kind: 'operator', id: 'ops' } }),
    ],
    [
      'has found it by FHIR',
      'referral-found',
      'failed',
      ({ task_id: task }) =>
        site.gateway.api.home.addComment('pantry', task, 'We call her', { kind: 'client', id: 'pantry' }, 'W/"1"'),
    ],
  ])('that was given up does not keep the end from a partner who %s', async (_who, id, state, learn) => {
    site.mail.refuseWith = '550 no such user';
    await accept(site.gateway, referral(id));
    const given = async () => (await messages(id)).filter((one) => one.state === 'failed');
    await eventually(async () => {
      await settled();
      await later(25);
      return (await given()).length === 1;
    }, 'the end of the tries');
    for (const message of await given()) await learn(message);
    site.mail.refuseWith = undefined;
    await accept(site.gateway, referral(id, 1, cancelled));
    await settled();
    const rows = async () => (await messages(id)).map((one) => [one.event, one.state]);
    await eventually(async () => (await rows())[1]?.[1] === 'sent', 'the message');
    expect(await rows()).toEqual([
      ['new', state],
      ['ended:cancelled', 'sent'],
    ]);
  });

  test('is not sent of a referral that has ended before it went', async () => {
    site.mail.refuseWith = '451 try again later';
    await accept(site.gateway, referral('referral-short'));
    await settled();
    await accept(site.gateway, referral('referral-short', 1, cancelled));
    await idle(site.gateway);
    site.mail.refuseWith = undefined;
    await later(1);
    await settled();
    const rows = async () => (await messages('referral-short')).map(({ event, state }) => [event, state]);
    await eventually(async () => (await rows())[1]?.[1] === 'sent', 'the message');
    // It was still being tried: somebody may have had it.
    expect(await rows()).toEqual([
      ['new', 'needless'],
      ['ended:cancelled', 'sent'],
    ]);
  });
});

describe('with a number beside the address', () => {
  test('the link goes by e-mail in the partner’s language, and the code to the phone, signed', async () => {
    const receiver = await startReceiver();
    const other = await startPageSite({
      page: { sms: '+15185550100', language: 'es' },
      config: { sms: { url: receiver.url, secrets: [webhookKey], allowPrivate: true } },
    });
    try {
      const own = await other.linkTo('referral-pantry');
      expect(other.links()[0]?.subject).toBe('Una remisión espera su respuesta');
      const visitor = new Visitor();
      const gate = await visitor.get(own);
      expect(gate.html).toContain('•••• 00');
      await visitor.send(own, 'code');
      const [taken] = receiver.journal;
      expect(taken?.body).toMatchObject({ to: '+15185550100' });
      const [code = ''] = /\b\d{6}\b/.exec(String(taken?.body.text)) ?? [];
      expect((await visitor.send(own, 'enter', { name: 'Ana', code })).html).toContain('Rosa');
      expect(other.codes()).toEqual([]);
    } finally {
      await other.stop();
      await receiver.stop();
    }
  }, 60_000);
});

describe('with several contacts', () => {
  const night = 'night@pantry.example.org';
  let team: PageSite;
  beforeAll(async () => {
    const contacts = new Map([
      ['intake', { email: pantryAddress }],
      ['night', { email: night }],
    ]);
    team = await startPageSite({ page: { contacts } });
    await team.linkTo('referral-pantry');
    await eventually(async () => team.links().length >= 2, 'both messages');
  }, 60_000);
  afterAll(() => team?.stop());
  const linkOf = (address: string) =>
    /http\S+\/p\/\S+/.exec(team.links().find(({ to }) => to === address)?.text ?? '')?.[0] ?? '';

  test('each gets a link of their own, and its code goes to them alone', async () => {
    expect(
      team
        .links()
        .map(({ to }) => to)
        .sort(),
    ).toEqual([night, pantryAddress]);
    const [own, other] = [new Visitor(), new Visitor()];
    await own.get(linkOf(night));
    await own.send(linkOf(night), 'code');
    const code = await team.code();
    expect(team.codes().map(({ to }) => to)).toEqual([night]);
    await other.get(linkOf(pantryAddress));
    expect((await other.send(linkOf(pantryAddress), 'enter', { name: 'Ana', code })).html).not.toContain('Rosa');
    expect((await own.send(linkOf(night), 'enter', { name: 'Bea', code })).html).toContain('Rosa');
  });

  test('an operator sends a new link to one of them', async () => {
    const [row] = await team.store.db.selectFrom('partner_message').select('task_id').execute();
    const before = team.links().length;
    const ops = { kind: 'operator', id: 'ops' } as const;
    await team.gateway.api.page?.sendLink('pantry', row?.task_id ?? '', ops, 'night');
    await team.link(before + 1);
    expect(
      team
        .links()
        .slice(before)
        .map(({ to }) => to),
    ).toEqual([night]);
    await expect(team.gateway.api.page?.sendLink('pantry', row?.task_id ?? '', ops, 'nobody')).rejects.toMatchObject({
      code: 'partner-contact-unknown',
    });
  });

  test('a referral of which one of them was told is not undeliverable: the alert names who was not', async () => {
    Object.assign(team.mail, { refuseWith: '550 no such user', refusedTo: night });
    await accept(team.gateway, referral('referral-half'));
    await team.linkTo('referral-half');
    const failing = () =>
      team.store.db
        .selectFrom('partner_message')
        .selectAll()
        .where('contact', '=', 'night')
        .where('state', '<>', 'sent');
    await eventually(async () => (await failing().executeTakeFirst())?.reason != null, 'the refusal');
    await sql`update partner_message set next_at = now(), failing_since = failing_since - interval '49 hours'
      where state = 'waiting'`.execute(team.store.db);
    await eventually(async () => {
      await team.gateway.api.page?.tell();
      return (await failing().executeTakeFirst())?.state === 'failed';
    }, 'the end of the tries');
    const row = await failing().executeTakeFirst();
    const open = team.store.db.selectFrom('alert').select('topic').where('resolved_at', 'is', null);
    const topics = await open.where('topic', 'like', 'partner-%').execute();
    expect(topics).toEqual([{ topic: `partner-unreachable:pantry:${row?.task_id}:night` }]);
    expect(await team.store.db.selectFrom('change').select('body').where('id', '=', 'referral-half').execute()).toEqual(
      [],
    );
  });

  test('whoever is taken from the configuration gets in no more, by no link', async () => {
    const visitor = new Visitor();
    await visitor.isIn(team, linkOf(night));
    const { page } = team.gateway.api.config.partners.get('pantry') ?? {};
    Object.assign(page ?? {}, { contacts: new Map([['intake', { email: pantryAddress }]]) });
    const seen = await visitor.get(linkOf(night));
    expect([seen.status, seen.html.includes('Rosa')]).toEqual([410, false]);
    expect((await new Visitor().get(linkOf(pantryAddress))).status).toBe(200);
    // Nor is anybody told that they could not be told.
    const open = team.store.db.selectFrom('alert').select('topic').where('resolved_at', 'is', null);
    expect(await open.where('topic', 'like', 'partner-%:night').execute()).toHaveLength(1);
    await team.gateway.api.page?.prune();
    expect(await open.where('topic', 'like', 'partner-%').execute()).toEqual([]);
  });

  test('a consent that is withdrawn is told to whoever knows of the referral, and to nobody else', async () => {
    const { page } = team.gateway.api.config.partners.get('pantry') ?? {};
    const contacts = new Map([
      ['intake', { email: pantryAddress }],
      ['new', { email: 'new@pantry.example.org' }],
    ]);
    Object.assign(page ?? {}, { contacts });
    const updatedAt = '2026-02-06T12:00:00-05:00';
    await accept(team.gateway, ['consent', { ...consent, status: 'revoked', revokedAt: updatedAt, updatedAt }]);
    await idle(team.gateway);
    const gone = () =>
      team.store.db
        .selectFrom('partner_message')
        .select(['contact', 'state'])
        .where('event', 'like', 'gone:%')
        .execute();
    await eventually(async () => {
      await team.gateway.api.page?.tell();
      const rows = await gone();
      return rows.length > 0 && rows.every(({ state }) => state === 'sent');
    }, 'the message');
    expect(new Set((await gone()).map(({ contact }) => contact))).toEqual(new Set(['intake']));
  });
});

test('where no partner has a page any more, nothing is told of them; what waits goes on waiting', async () => {
  await site.store.tx(async (trx) => {
    for (const topic of ['partner-unreachable:pantry:task-1', 'partner-link-locked:link-1', 'lane-crashed:general:x'])
      await openAlert(trx, { topic, reason: reason('outcome-unknown') });
    for (const state of ['failed', 'waiting'])
      await sql`insert into partner_message (partner, task_id, contact, event, state, next_at)
        values ('pantry', 'task-1', '', ${state}, ${state}, now() + interval '1 day')`.execute(trx);
  });
  await endUntold(site.store);
  const open = await site.store.db.selectFrom('alert').select('topic').where('resolved_at', 'is', null).execute();
  expect(open.filter(({ topic }) => !topic.startsWith('clock'))).toEqual([{ topic: 'lane-crashed:general:x' }]);
  const rows = await sql`select state from partner_message where task_id = 'task-1' order by id`.execute(site.store.db);
  expect(rows.rows).toEqual([{ state: 'needless' }, { state: 'waiting' }]);
});

test('neither addresses nor the log hold anything of the person, the link or the code', async () => {
  const visitor = new Visitor();
  await visitor.signIn(site, link);
  await visitor.send(link, 'comment', { text: 'zq7canaryword' });
  const log = site.log.join('\n');
  expect(log).toContain('POST /p/{link}');
  const token = link.split('/p/')[1] ?? '';
  const code = await site.code();
  for (const secret of [
    'Rosa',
    'Delgado',
    'zq7canaryword',
    'Ana Ruiz',
    token,
    token.slice(12, 44),
    `"${code}"`,
    ` ${code}`,
  ])
    expect(log).not.toContain(secret);
  for (const table of [
    'partner_message',
    'partner_watch',
    'partner_link',
    'partner_session',
    'partner_form',
    'audit',
    'alert',
  ]) {
    const { rows } = await sql<{
      all: string;
    }>`select coalesce(jsonb_agg(t)::text, '') as all from ${sql.ref(table)} t`.execute(site.store.db);
    for (const secret of ['Rosa', 'Delgado', 'zq7canaryword', token.slice(12, 44), `"${code}"`])
      expect(rows[0]?.all).not.toContain(secret);
  }
  const links = [...visitor.shown.matchAll(/(?:href|action)="([^"]*)"/g)].map(([, address]) => address);
  expect(links.length).toBeGreaterThan(3);
  for (const address of links)
    expect(address).toMatch(/^(\/p\/[A-Za-z0-9_-]{66}(\/[a-z]+|\?lang=es)?|\/p\/style-[0-9a-f]{12}\.css|#[a-z-]+)$/);
});

test('no mail of all that have gone out says anything about the person, the service or the need', () => {
  const words = [...new Set(JSON.stringify(permittedCaseload()).match(/[A-Za-z]{4,}/g))];
  const ours =
    /^(referral|community|agency|organization|waiting|answer|open|code|send|link|works|days|only|this|that|about|person|service|family|your|with|have|more|from|when|sent|each|example|http|county|active|other|care|text|code|need|phone|without)$/i;
  // Links and codes, and news of each kind.
  expect(new Set(site.mail.mails.map(({ raw }) => /^Subject: .*$/im.exec(raw)?.[0])).size).toBeGreaterThan(2);
  // Without its number and the key in the link's address, which may look like anything.
  const texts = site.mail.mails.map(({ raw }) =>
    raw
      .replaceAll(/=\r?\n/g, '')
      .replaceAll(/^Message-ID: .*$/gim, '')
      .replaceAll(/\/p\/[\w-]+/g, '/p/'),
  );
  for (const text of texts.map((one) => one.toLowerCase())) {
    const told = words.filter((word) => !ours.test(word) && new RegExp(`\\b${word.toLowerCase()}\\b`).test(text));
    expect(told.filter((word) => !['Pantry', 'pantry'].includes(word))).toEqual([]);
  }
  expect(texts.join()).not.toMatch(/rosa|delgado|grocer|5185550|\b518\b|\b1984\b/i);
});

const [, consent] = permittedCaseload().find(([type]) => type === 'consent') ?? [];
const consentForAppointments: JsonObject = {
  ...consent,
  updatedAt: '2026-02-06T11:00:00-05:00',
  recordTypes: ['client', 'need', 'goal', 'carePlan', 'referral', 'appointment'],
};
