// Messages that say that something is new: each wakes the polls that it concerns and changes nothing else, but for a visit that no poll can read.

import { beforeEach, describe, expect, test } from '@jest/globals';
import { type HookConfig, polledTypes } from '../../src/config.ts';
import { takeMessage } from '../../src/hooks/hooks.ts';
import { isObject, type Json, type JsonObject, objectAt } from '../../src/json.ts';
import { refreshRoster, reviewAlerts, reviewSubscriptions } from '../../src/lanes/lanes.ts';
import { sql } from '../../src/store/store.ts';
import { aCase, aClient } from '../builders.ts';
import { pollDue, pollEverybody } from '../support/roster.ts';
import { useWorld } from '../support/world.ts';

const systems = { mrn: 'urn:oid:1.2.3', medicaid: 'urn:oid:1.2.4' };
const hook = { key: 'key-of-the-general-hospital', heartbeatMs: 600_000 };
const polls = { types: polledTypes, performers: [], referralCodes: [], documentTypes: [], lookBackMs: 90 * 86_400_000 };
const world = useWorld({ polls, hook, identifierSystems: systems, pollEveryMs: 3_600_000 });
let patient = '';

beforeEach(async () => {
  await world.send(['client', aClient()], ['case', aCase()]);
  patient = (await world.link('client/client-rosa#patient')).remoteId ?? '';
  await pollEverybody(world);
});

function connection() {
  const found = world.deps.connections.get('general');
  if (found === undefined) throw new Error('no connection');
  return found;
}

async function take(body: string | Json, resourceType?: string) {
  const { store, identifierSystem, timeZone, newId, wake } = world.deps;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const message = { body: Buffer.from(text), ...(resourceType !== undefined && { resourceType }) };
  return takeMessage({ store, identifierSystem, timeZone, newId, wake }, connection().config, message);
}

/** The polls that are due now, as `Type` of all patients and `Type/patient`. */
async function due(): Promise<string[]> {
  const rows = await sql<{ name: string }>`
    select resource_type || case about when '' then '' else '/' || about end as name from poll where next_at <= now() order by 1`.execute(
    world.store.db,
  );
  return rows.rows.map(({ name }) => name);
}

const subscriptions = () => world.store.db.selectFrom('subscription').selectAll().execute();

describe('R4 rest-hook', () => {
  test('with nothing in it wakes the polls of all patients', async () => {
    expect(await take('')).toMatchObject({ status: 200 });
    expect(await due()).toEqual(['ServiceRequest', 'Task']);
  });

  test('with the resource wakes the polls of its type and patient; its content is not believed', async () => {
    const task = { resourceType: 'Task', id: 't1', status: 'completed', for: { reference: `Patient/${patient}` } };
    await take(task);
    expect(await due()).toEqual(['Task', `Task/${patient}`]);
    await pollDue(world);
    expect(await world.store.db.selectFrom('seen').selectAll().where('remote_id', '=', 't1').execute()).toEqual([]);
  });

  test('with an appointment wakes the polls of each patient who takes part in it', async () => {
    const named = ['somebody-else', patient].map((id) => ({ actor: { reference: `Patient/${id}` } }));
    await take({ resourceType: 'Appointment', id: 'a1', status: 'booked', participant: named });
    expect(await due()).toEqual([`Appointment/${patient}`]);
  });

  test('with the type in the address', async () => {
    await take('', 'ServiceRequest');
    expect(await due()).toEqual(['ServiceRequest']);
  });

  test.each<[string, string]>([
    ['no JSON', '{"resourceType":'],
    ['a list', '[]'],
    ['half a character', '{"resourceType":"Task","id":"\\ud800"}'],
  ])('that is %s is refused and wakes nobody', async (_name, text) => {
    await expect(take(text)).rejects.toMatchObject({ name: 'CasebridgeError' });
    expect(await due()).toEqual([]);
  });
});

describe('Subscription to a topic, R5 Backport 1.1.0', () => {
  const notification = (type: string, ...more: JsonObject[]): JsonObject => notificationOf('s1', type, ...more);
  const notificationOf = (id: string, type: string, ...more: JsonObject[]): JsonObject => ({
    resourceType: 'Bundle',
    type: 'history',
    entry: [
      {
        resource: {
          resourceType: 'Parameters',
          meta: {
            profile: [
              'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-status-r4',
            ],
          },
          parameter: [
            {
              name: 'subscription',
              valueReference: { reference: `${connection().config.baseUrl}/Subscription/${id}` },
            },
            {
              name: 'topic',
              valueCanonical: 'http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task',
            },
            { name: 'status', valueCode: type === 'handshake' ? 'requested' : 'active' },
            { name: 'type', valueCode: type },
            { name: 'events-since-subscription-start', valueString: '2' },
            ...more,
          ],
        },
      },
    ],
  });
  const event = (focus: string, number = '2'): JsonObject => ({
    name: 'notification-event',
    part: [
      { name: 'event-number', valueString: number },
      { name: 'focus', valueReference: { reference: focus } },
    ],
  });

  test('a handshake and a heartbeat are kept and wake nobody', async () => {
    for (const type of ['handshake', 'heartbeat'])
      expect(await take(notification(type))).toMatchObject({ status: 200 });
    expect(await subscriptions()).toMatchObject([
      { id: 'Subscription/s1', status: 'active', topic: expect.stringContaining('SubscriptionTopic/Task'), events: 2 },
    ]);
    // The Subscription itself is looked at once in a while.
    expect(await due()).toEqual(['Subscription/s1']);
  });

  test('an event wakes the polls of what it is about', async () => {
    await take(notification('event-notification', event('Task/t9', '3')));
    expect(await due()).toEqual(['Subscription/s1', 'Task']);
    expect(await subscriptions()).toMatchObject([{ events: 3 }]);
  });

  test('silence for twice the heartbeat is one alert, which the next heartbeat ends; polling goes on', async () => {
    await take(notification('heartbeat'));
    const review = () => reviewSubscriptions(world.store, [connection().config]);
    await review();
    expect(await world.alerts()).toEqual([]);
    await sql`update subscription set last_heard_at = now() - interval '21 minutes'`.execute(world.store.db);
    await review();
    await review();
    expect(await world.alerts()).toEqual([
      { topic: 'subscription-silent:general:Subscription/s1', code: 'subscription-silent', count: 1 },
    ]);
    expect(await pollEverybody(world)).toBeGreaterThan(0);
    await take(notification('heartbeat'));
    expect(await world.alerts()).toEqual([]);
  });

  test('of several each is judged by itself, but for those without heartbeats and those that have ended', async () => {
    for (const id of ['s1', 's2', 's3', 's4']) await take(notificationOf(id, 'heartbeat'));
    await sql`insert into own_subscription (connection, resource_type, id) values ('general', 'Goal', 's3')`.execute(
      world.store.db,
    );
    await sql`update subscription set status = 'off' where id = 'Subscription/s4'`.execute(world.store.db);
    await sql`update subscription set last_heard_at = now() - interval '21 minutes' where id <> 'Subscription/s1'`.execute(
      world.store.db,
    );
    const review = () => reviewSubscriptions(world.store, [connection().config]);
    await review();
    expect((await world.alerts()).map(({ topic }) => topic)).toEqual(['subscription-silent:general:Subscription/s2']);
    await take(notificationOf('s1', 'heartbeat'));
    await review();
    expect((await world.alerts()).map(({ topic }) => topic)).toEqual(['subscription-silent:general:Subscription/s2']);
    // Once the server has ended it there is nothing to be heard from it.
    await sql`update subscription set status = 'off' where id = 'Subscription/s2'`.execute(world.store.db);
    await review();
    expect(await world.alerts()).toEqual([]);
  });

  test('so is silence from the beginning', async () => {
    const review = () => reviewSubscriptions(world.store, [connection().config]);
    await review();
    await sql`update subscription set last_heard_at = now() - interval '21 minutes'`.execute(world.store.db);
    await review();
    expect(await world.alerts()).toMatchObject([{ topic: 'subscription-silent:general' }]);
  });

  test('one that the server has ended, or that ends soon, is an alert', async () => {
    const end = new Date(Date.now() + 3_600_000).toISOString();
    const there = { resourceType: 'Subscription', id: 's1', status: 'active', criteria: 'Task?', reason: 'news', end };
    await world.server.seed({
      ...there,
      channel: { type: 'rest-hook', endpoint: 'https://casebridge.example.org/hooks' },
    });
    await take(notification('heartbeat'));
    await pollDue(world);
    await reviewSubscriptions(world.store, [connection().config]);
    expect(await world.alerts()).toMatchObject([{ topic: 'subscription-ends:general:Subscription/s1', count: 1 }]);
    await world.server.fhir('DELETE', 'Subscription/s1');
    await world.store.db.updateTable('poll').set({ next_at: sql<Date>`now()` }).execute();
    await pollDue(world);
    expect((await world.alerts()).map(({ topic }) => topic)).toContain('subscription-ended:general:Subscription/s1');
  });

  test('nobody waits for a heartbeat, or for anything, that is not configured any more', async () => {
    await take(notification('heartbeat'));
    await take(JSON.stringify(notificationOf('s2', 'heartbeat')).replaceAll('active', 'error'));
    await sql`update subscription set last_heard_at = now() - interval '21 minutes', ends_at = now()`.execute(
      world.store.db,
    );
    const { id } = connection().config;
    const told = async (...hooks: HookConfig[]) => {
      await reviewSubscriptions(world.store, hooks.length === 0 ? [{ id }] : hooks.map((one) => ({ id, hook: one })));
      return (await world.alerts()).map(({ topic }) => topic.replace(':general', '')).sort();
    };
    const others = [
      'subscription-ended:Subscription/s2',
      'subscription-ends:Subscription/s1',
      'subscription-ends:Subscription/s2',
    ];
    expect(await told(hook)).toEqual([...others, 'subscription-silent:Subscription/s1']);
    expect(await told({ key: hook.key })).toEqual(others);
    expect(await told()).toEqual([]);
    expect(await subscriptions()).toEqual([]);
    await world.store.db.updateTable('poll').set({ next_at: sql<Date>`now()` }).execute();
    expect((await due()).filter((name) => name.startsWith('Subscription'))).toEqual([]);
  });

  test('of a connection that is used no more nothing is told', async () => {
    await take(notification('heartbeat'));
    await sql`update subscription set ends_at = now()`.execute(world.store.db);
    await reviewSubscriptions(world.store, [connection().config]);
    expect(await world.alerts()).toMatchObject([{ topic: 'subscription-ends:general:Subscription/s1' }]);
    await world.disconnect('general');
    await reviewAlerts(world.deps);
    await reviewSubscriptions(world.store, []);
    expect(await world.alerts()).toEqual([]);
  });

  test('one that has ended is forgotten once another one to its topic is heard from', async () => {
    const there = { resourceType: 'Subscription', status: 'active', criteria: 'Task?', reason: 'news' };
    const channel = { type: 'rest-hook', endpoint: 'https://casebridge.example.org/hooks' };
    await world.server.seed(...['s8', 's9'].map((id) => ({ ...there, id, channel })));
    const review = () => reviewSubscriptions(world.store, [connection().config]);
    const told = async () => (await world.alerts()).map(({ topic }) => topic);
    const ended = 'subscription-ended:general:Subscription/s1';
    for (const id of ['s1', 's9']) await take(notificationOf(id, 'heartbeat'));
    await pollDue(world);
    await review();
    expect(await told()).toEqual([ended]);
    await take(
      JSON.stringify(notificationOf('s8', 'heartbeat')).replace('SubscriptionTopic/Task', 'SubscriptionTopic/X'),
    );
    await review();
    expect(await told()).toEqual([ended]);
    await take(notificationOf('s9', 'heartbeat'));
    await review();
    expect(await told()).toEqual([]);
    expect((await subscriptions()).map(({ id }) => id).sort()).toEqual(['Subscription/s8', 'Subscription/s9']);
    await world.store.db.updateTable('poll').set({ next_at: sql<Date>`now()` }).execute();
    const looked = (await due()).filter((name) => name.startsWith('Subscription'));
    expect(looked).toEqual(['Subscription/s8', 'Subscription/s9']);
    await pollDue(world);
    await review();
    expect(await told()).toEqual([]);
  });
});

describe('HL7 v2 ADT', () => {
  const pid = 'PID|1||MRN-20417^^^GENERAL&1.2.3&ISO^MR~900123456^^^^SS||Delgado^Rosa||19840617|F';
  const pv1 = (status: string, ...last: string[]) =>
    [
      'PV1',
      '1',
      status,
      '4W^12^A',
      ...Array(15).fill(''),
      'V-7^^^GENERAL&1.2.9&ISO',
      ...Array(16).fill(''),
      ...last,
    ].join('|');
  const message = (event: string, ...segments: string[]) =>
    [
      `MSH|^~\\&|ADT|GENERAL|CASEBRIDGE|COUNTY|20260302101500-0500||ADT^${event}^ADT_A01|M-1|P|2.5.1`,
      `EVN|${event}|20260302101500-0500`,
      ...segments,
    ].join('\r');
  const admitted = ['', ...Array(7).fill(''), '20260302095500-0500'];
  const discharged = ['01', ...Array(7).fill(''), '20260302095500-0500', '20260304160000-0500'];

  const answered = async (text: string) => {
    const { status, type, text: ack } = await take(text);
    const msa = ack.split('\r').find((line) => line.startsWith('MSA'));
    return { status, type, msa };
  };
  const visits = () => world.store.db.selectFrom('seen').selectAll().where('resource_type', '=', 'Encounter').execute();

  test.each(['A01', 'A03', 'A04', 'A08', 'A02'])(
    '%s about one of ours wakes the polls of their visits',
    async (event) => {
      expect(await answered(message(event, pid, pv1('I', ...admitted)))).toEqual({
        status: 200,
        type: 'application/hl7-v2',
        msa: 'MSA|AA|M-1|',
      });
      expect(await due()).toEqual([`Encounter/${patient}`, `Patient/${patient}`]);
      // Visits can be read here, so the message itself is not kept.
      expect(await visits()).toEqual([]);
    },
  );

  test('a poll that fails for a moment, or has not come to the patient yet, is woken all the same: the visit is told of once', async () => {
    const failing = sql`update poll set reason = '{"code": "connection-timeout", "text": ""}' where resource_type = 'Encounter'`;
    const notYet = sql`update poll set about = 'somebody-else' where resource_type = 'Encounter' and about = ${patient}`;
    for (const state of [failing, notYet]) {
      await state.execute(world.store.db);
      expect((await answered(message('A01', pid, pv1('I', ...admitted)))).msa).toBe('MSA|AA|M-1|');
      expect(await visits()).toEqual([]);
    }
  });

  test('a number of an authority that has no OID counts with the birth date alone', async () => {
    const elsewhere = pid.replace(/\^\^\^[^|]*?\^MR/, '^^^OTHERHOSP^MR');
    expect((await answered(message('A08', elsewhere))).msa).toBe('MSA|AA|M-1|');
    const without = message('A08', elsewhere.replace('19840617', ''));
    expect((await answered(without)).msa).toMatch(/^MSA\|AE\|M-1\|PID-7: the birth date is needed/);
  });

  test('the answer goes back to who asked, and names the event', async () => {
    const { text } = await take(message('A01', pid, pv1('I', ...admitted)));
    expect(text).toMatch(
      /^MSH\|\^~\\&\|CASEBRIDGE\|COUNTY\|ADT\|GENERAL\|\d{14}\+0000\|\|ACK\^A01\^ACK\|[^|]+\|P\|2\.5\.1\rMSA\|AA\|M-1\|\r$/,
    );
  });

  test('with what frames it on a wire, and with other line ends', async () => {
    const framed = `\u000b${message('A08', pid).replaceAll('\r', '\r\n')}\r\n\u001c\r`;
    expect((await answered(framed)).msa).toBe('MSA|AA|M-1|');
  });

  describe('where visits cannot be read', () => {
    beforeEach(async () => {
      await sql`update poll set reason = '{"code": "route-not-declared", "text": ""}', last_ok_at = null where resource_type = 'Encounter'`.execute(
        world.store.db,
      );
    });

    test('the message makes the visit, the next one goes on with it, an older one changes nothing', async () => {
      await answered(message('A01', pid, pv1('I', ...admitted)));
      const [first] = await visits();
      expect(first).toMatchObject({
        origin: 'adt',
        patient,
        news_since: expect.any(Date),
        body: {
          resourceType: 'Encounter',
          status: 'in-progress',
          class: { code: 'IMP' },
          identifier: [{ system: 'urn:oid:1.2.9', value: 'V-7' }],
          subject: { reference: `Patient/${patient}` },
          period: { start: '2026-03-02T14:55:00.000Z' },
        },
      });
      const later = message('A03', pid, pv1('I', ...discharged)).replaceAll('20260302101500', '20260304161000');
      expect((await answered(later)).msa).toBe('MSA|AA|M-1|');
      await answered(message('A01', pid, pv1('I', ...admitted)));
      const all = await visits();
      expect(all).toHaveLength(1);
      expect(all[0]?.body).toMatchObject({
        status: 'finished',
        period: { start: '2026-03-02T14:55:00.000Z', end: '2026-03-04T21:00:00.000Z' },
        hospitalization: { dischargeDisposition: { coding: [{ code: '01' }] } },
      });
      expect(await world.lane('county.client.client-rosa')).toMatchObject({ hasWork: true });
    });

    test('a cancelled admission is told, a cancelled discharge opens the visit again', async () => {
      const at = (event: string, time: string, ...fields: string[]) =>
        answered(message(event, pid, pv1('I', ...fields)).replaceAll('20260302101500', time));
      await at('A01', '20260302101500', ...admitted);
      await at('A03', '20260304161000', ...discharged);
      await at('A13', '20260304170000', ...admitted);
      expect((await visits())[0]?.body).toMatchObject({ status: 'in-progress', period: { start: expect.any(String) } });
      const period = (await visits())[0]?.body?.period;
      expect(isObject(period) && 'end' in period).toBe(false);
      await at('A11', '20260304180000', ...admitted);
      expect((await visits())[0]?.body).toMatchObject({ status: 'cancelled' });
    });

    test('an explicit null says that there is no value, and a visit that goes on has no discharge', async () => {
      const at = (event: string, time: string, ...fields: string[]) =>
        answered(message(event, pid, pv1('I', ...fields)).replaceAll('20260302101500', time));
      expect((await at('A01', '20260302101500', '""', ...admitted.slice(1), '""')).msa).toBe('MSA|AA|M-1|');
      const [first] = await visits();
      expect(first?.body).toMatchObject({ status: 'in-progress', period: { start: '2026-03-02T14:55:00.000Z' } });
      expect(first?.body).not.toHaveProperty('hospitalization');
      await at('A03', '20260304161000', ...discharged);
      expect((await at('A13', '20260304170000', '01', ...admitted.slice(1), '""')).msa).toBe('MSA|AA|M-1|');
      await at('A08', '20260304180000', ...discharged.slice(0, 9));
      const [open] = await visits();
      expect(open?.body).toMatchObject({ status: 'in-progress', period: { start: '2026-03-02T14:55:00.000Z' } });
      expect(open?.body).not.toHaveProperty('period.end');
      expect(open?.body).not.toHaveProperty('hospitalization');
    });

    test.each<[string, string, string | undefined]>([
      // 10:15 in the morning of the 2nd is when the message says that it happened.
      ['the day of the event', '20260302', '2026-03-02T15:15:00.000Z'],
      ['the hour of the event, with an offset', '2026030210-0500', '2026-03-02T15:15:00.000Z'],
      ['another day', '20260228', '2026-02-28'],
      ['another hour', '2026030123', '2026-03-01'],
      ['another month', '202602', undefined],
      ['no day of the calendar', '20260230', undefined],
      ['no time at all', 'yesterday', undefined],
    ])('an admission that tells %s', async (_what, time, start) => {
      const text = message('A01', pid, pv1('I', '', ...admitted.slice(1, -1), time));
      expect((await answered(text)).msa).toBe('MSA|AA|M-1|');
      const [visit] = await visits();
      expect(objectAt(visit?.body ?? {}, 'period')?.start).toBe(start);
      expect(visit?.body).toMatchObject({ status: 'in-progress' });
    });

    test('the same message twice is one piece of news', async () => {
      await answered(message('A01', pid, pv1('I', ...admitted)));
      await world.store.db.updateTable('seen').set({ news_since: null }).execute();
      await answered(message('A01', pid, pv1('I', ...admitted)));
      expect((await visits())[0]?.news_since).toBeNull();
    });
  });

  test('about nobody of ours it is taken, and nothing is kept or asked', async () => {
    const others = pid.replace('MRN-20417', 'MRN-99999');
    expect((await answered(message('A01', others, pv1('I', ...admitted)))).msa).toBe('MSA|AA|M-1|');
    const elsewhere = pid.replace('1.2.3', '1.2.77');
    expect((await answered(message('A01', elsewhere, pv1('I', ...admitted)))).msa).toBe('MSA|AA|M-1|');
    expect(await due()).toEqual([]);
    expect(await visits()).toEqual([]);
  });

  test.each<[string, string, string]>([
    [
      'another kind of message',
      message('A01', pid).replace('ADT^A01^ADT_A01', 'ORU^R01'),
      'AR|M-1|MSH-9: only ADT messages are taken',
    ],
    ['no event', message('A01', pid).replace('ADT^A01^ADT_A01', 'ADT'), 'AR|M-1|MSH-9.2: the event is not readable'],
    ['version 3', message('A01', pid).replace('|2.5.1', '|3'), 'AR|M-1|MSH-12: only version 2 is taken'],
    ['a header that is cut', 'MSH|^~', 'AR||MSH is not readable'],
    ['no control id', message('A01', pid).replace('|M-1|', '||'), 'AE||MSH-10: the control id is missing'],
    ['no patient', message('A08'), 'AE|M-1|PID-3: an identifier is needed'],
    ['a patient without identifier', message('A08', 'PID|1||||Delgado^Rosa'), 'AE|M-1|PID-3: an identifier is needed'],
    ['no visit', message('A01', pid), 'AE|M-1|PV1 is missing'],
    ['a visit without number', message('A03', pid, 'PV1|1|I'), 'AE|M-1|PV1-19: the visit number is needed'],
    [
      'an unknown class',
      message('A01', pid, pv1('Z', ...admitted)),
      'AE|M-1|PV1-2: the class of the patient is missing or unknown',
    ],
    [
      'no time of its own',
      message('A08', pid).replaceAll('20260302101500-0500', 'now'),
      'AE|M-1|EVN-2: the time is missing or not readable',
    ],
    [
      'another birth date',
      message('A08', pid.replace('19840617', '19840618')),
      'AE|M-1|PID-7: the identifiers belong to a patient with another birth date',
    ],
  ])('with %s is answered clearly, and changes nothing', async (_name, text, msa) => {
    expect(await answered(text)).toEqual({ status: 400, type: 'application/hl7-v2', msa: `MSA|${msa}` });
    expect(await due()).toEqual([]);
    expect(await visits()).toEqual([]);
  });

  test('an identifier that two patients have is nobody', async () => {
    await world.accept(['client', { ...aClient(), id: 'client-twin', birthDate: '1984-06-17' }]);
    await sql`insert into link (connection, source, type, id, slot, subject, resource_type, remote_id, route, state)
      values ('general', 'county', 'client', 'client-twin', 'patient', 'county.client.client-twin', 'Patient', 'twin', 'read', 'read')`.execute(
      world.store.db,
    );
    await refreshRoster(world.store, connection().config, connection().vendor);
    expect((await answered(message('A08', pid))).msa).toContain(
      'AE|M-1|PID-3: the identifiers belong to several patients',
    );
  });
});
