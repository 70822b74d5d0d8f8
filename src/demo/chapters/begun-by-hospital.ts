// The hospital begins: its staff refer a patient to the agency. Casebridge offers that as proposals, the agency's system adopts them, and what it does is
// told by the hospital's own Task.

import type { JsonObject } from '../../json.ts';
import { type Adopting, adopted } from '../adopt.ts';
import { dayThere } from '../agency-day.ts';
import { begunThere, order, ruth, task } from '../begun-there.ts';
import { consentRecord } from '../caseload.ts';
import { agencyName } from '../directory.ts';
import { objectsAt, textAt } from '../reading.ts';
import type { Server } from '../server.ts';
import { expectThat, only, type Stage } from '../stage.ts';
import { toldAt } from '../told.ts';
import { type Look, until } from '../until.ts';

const ownIds: Readonly<Record<string, string>> = {
  client: 'client-ruth',
  case: 'case-ruth',
  need: 'need-ruth-food',
  referral: 'referral-ruth-food',
};
const byId = 'worker-okafor';
const minuteMs = 60_000;

/** @returns how many records were accepted */
export async function answerHospital(stage: Stage): Promise<number> {
  const { story, gateway, larchValley, exchange } = stage;
  const { name, connection, organizationId } = larchValley.place;
  const after = await larchValley.lastRequest();
  story.chapter(`${name} begins: it refers a patient to the agency`);
  const asked = Date.now() - 40 * minuteMs;
  await larchValley.seed(begunThere(new Date(asked).toISOString()));
  story.say(
    `A doctor there orders help for ${ruth.given} ${ruth.family}, whom the agency does not know. The poll finds the Task, and the`,
  );
  story.say("agency's system reads in its change feed:");
  const proposals = await gateway.untilProposed(connection);
  story.table(proposals.map((item) => [textAt(item, 'op'), textAt(item, 'type'), shownProposal(item)]));
  const now = new Date().toISOString();
  const adopting: Adopting = {
    ids: new Map(proposals.map((item) => [textAt(item, 'id'), ownIds[textAt(item, 'type')] ?? textAt(item, 'id')])),
    own: {
      case: {
        organizationId: 'org-riverside',
        status: 'open',
        openedOn: dayThere(now),
        assignments: [{ id: 'primary', workerId: byId, role: 'primary', from: now }],
      },
      need: { riskLevel: 'moderate', identifiedOn: dayThere(now) },
      referral: { requesterOrganizationId: organizationId },
    },
    at: now,
  };
  const consent = consentRecord('ruth', 'consent-ruth', [organizationId], now);
  const records = await gateway.send([
    ...proposals.map((item) => adopted(item, adopting)),
    { type: 'consent', record: consent },
  ]);
  story.say(
    `It adopts all ${proposals.length} under ids of its own, with the consent that ${ruth.given} signs for the hospital alone, and gets to work:`,
  );
  await workOnIt(stage);
  await showMoves(stage, after);
  await gateway.untilClock('referral-ruth-food', 'first-contact-72h', ['met']);
  await showNothingDoubled(stage);
  const told = await toldAt(exchange, [ruth.family]);
  expectThat(told.length === 0, `${exchange.place.name} hears nothing of ${ruth.given}.`, told.join(', '));
  story.say(`${name} has one Patient, one order and one Task of hers, as before; ${exchange.place.name}`);
  story.say('has not heard her name. The clock of the first contact, 72 hours, is met.');
  return records;
}

/** The referral goes its way in the agency's system; each step is waited for at the hospital. */
async function workOnIt({ gateway, larchValley, signal }: Stage): Promise<void> {
  const steps: readonly { status: string; there: string; more: (at: string) => JsonObject }[] = [
    { status: 'accepted', there: 'accepted', more: (at) => ({ decidedAt: at }) },
    {
      status: 'in-progress',
      there: 'in-progress',
      more: (at) => ({ firstContact: { at, mode: 'phone', outcome: 'reached' } }),
    },
    {
      status: 'completed',
      there: 'completed',
      more: (at) => ({
        outcome: { code: 'service-received', at, text: 'SNAP application filed, first groceries picked up' },
      }),
    },
  ];
  for (const { status, there, more } of steps) {
    const record = await gateway.record('referral', 'referral-ruth-food');
    const at = new Date().toISOString();
    const history = [...objectsAt(record, 'history'), { id: status, status, at, byId }];
    await gateway.put('referral', { ...record, ...more(at), status, history, updatedAt: at });
    await untilTask(larchValley, there, signal);
  }
}

function untilTask(server: Server, status: string, signal: AbortSignal): Promise<JsonObject> {
  return until(`the hospital's Task to be ${status}`, { seconds: 30, signal }, async (): Promise<Look<JsonObject>> => {
    const found = (await server.resources('Task')).find(({ id }) => id === task);
    return found?.status === status ? { found } : { missing: `it is ${textAt(found, 'status')}` };
  });
}

/** By the hospital's journal: each write to its Task, and that each followed a look at it. */
async function showMoves({ story, larchValley }: Stage, after: number): Promise<void> {
  const calls = (await larchValley.journalled(after)).filter(({ url }) => String(url).endsWith(`/Task/${task}`));
  const moves = calls.filter(({ method }) => method === 'PUT');
  const statuses = moves.map(({ requestBody }) => statusIn(requestBody));
  const looked = moves.every((move) => calls[calls.indexOf(move) - 1]?.method === 'GET');
  expectThat(
    looked && statuses.join() === 'accepted,in-progress,completed' && moves.every(({ status }) => status === 200),
    "The hospital's own Task is moved step by step, each time after a look at it.",
    JSON.stringify(calls.map(({ method, status, requestBody }) => [method, status, statusIn(requestBody)])),
  );
  story.table([
    ['Task', 'status', 'who'],
    [task, 'requested', larchValley.place.name],
    ...statuses.map((status) => [task, status, agencyName]),
  ]);
}

function statusIn(body: JsonObject[string] | undefined): string {
  return textAt(typeof body === 'string' ? JSON.parse(body) : body, 'status');
}

async function showNothingDoubled({ larchValley }: Stage): Promise<void> {
  const patients = await larchValley.resources('Patient');
  const hers = patients.filter((one) => objectsAt(one, 'name').some(({ family }) => family === ruth.family));
  const promise = 'Nothing of hers is there twice.';
  expectThat(only(hers, promise).id === ruth.id, promise, JSON.stringify(hers));
  for (const [type, id] of [
    ['ServiceRequest', order],
    ['Task', task],
  ] as const)
    expectThat(only(await larchValley.resources(type), promise).id === id, promise, `another ${type}`);
}

function shownProposal({ record }: JsonObject): string {
  const [name] = objectsAt(record, 'names');
  const said = [
    textAt(name, 'family'),
    textAt(record, 'requestedText'),
    textAt(record, 'description'),
    textAt(record, 'status'),
  ];
  const from = `${textAt(record, 'origin', 'resourceType')}/${textAt(record, 'origin', 'id')}`;
  return [...said.filter((text) => text !== ''), `from ${from}`].join(', ');
}

/** How many Tasks that began there have been completed, by the hospital's store. */
export async function countAdopted(hospital: Server): Promise<number> {
  return (await hospital.resources('Task')).filter(({ status }) => status === 'completed').length;
}
