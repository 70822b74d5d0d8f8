// The partners answer on the exchange, by FHIR alone; the answers reach the agency's system through its change feed, and it takes them over.

import type { Json, JsonObject } from '../../json.ts';
import { referralId } from '../caseload.ts';
import { agencyName, housingName, pantryName } from '../directory.ts';
import { lastFiledFor } from '../filed.ts';
import { chartOf } from '../known-patients.ts';
import { isClosed, Partner, taskVersions } from '../partner.ts';
import { type Person, rosa, samuel } from '../people.ts';
import { objectsAt, textAt } from '../reading.ts';
import type { Server } from '../server.ts';
import { expectThat, identifierSystem, type Stage } from '../stage.ts';
import { takeOver } from '../take-over.ts';
import { type Look, until } from '../until.ts';
import { changedSection } from './documents.ts';

export const pantryHome = 'https://elm-street-pantry.example.org';
const housingHome = 'https://harbor-housing.example.org';

const names: Readonly<Record<string, string>> = {
  [`${identifierSystem}/county`]: agencyName,
  [pantryHome]: pantryName,
  [housingHome]: housingName,
};

export async function partnersAnswer(stage: Stage): Promise<void> {
  await pantryDelivers(stage);
  await housingDeclines(stage);
}

async function pantryDelivers(stage: Stage): Promise<void> {
  const { story, exchange, gateway, signal } = stage;
  const { id, text } = firstReferral(rosa);
  story.chapter(`${pantryName} answers: accepts, makes contact, completes`);
  const pantry = new Partner({ name: pantryName, home: pantryHome, fhirUrl: exchange.fhirUrl, signal });
  const task = await pantry.findTask(text);
  await pantry.move(task, 'accepted');
  await gateway.untilChanged(id, 'accepted');
  const note = await pantry.note('Called Rosa. She comes on Thursday at four.');
  await pantry.move(task, 'in-progress', { note: [...objectsAt(task, 'note'), note] });
  await gateway.untilChanged(id, 'in-progress');
  const output = await pantry.gaveFood(task);
  await pantry.move(task, 'completed', { output: [output] });
  await gateway.untilChanged(id, 'completed');
  await gateway.untilIdle('the answer to be taken in');
  story.say(
    `The pantry found the Task in its own work list. Task/${textAt(task, 'id')} as the exchange's history has it:`,
  );
  await showVersions(stage, textAt(task, 'id'));
  await showFeed(stage, id);
  await takeOverChanges(stage, id);
  const closed = await untilOrder(exchange, signal, textAt(task, 'focus', 'reference'), 'completed');
  story.say(
    `The agency takes it over and closes the order: ${textAt(task, 'focus', 'reference')} is ${textAt(closed, 'status')}. The loop is closed.`,
  );
  await showChart(stage, stage.larchValley, rosa, pantryName);
}

async function housingDeclines(stage: Stage): Promise<void> {
  const { story, exchange, gateway, signal } = stage;
  const { id, text } = firstReferral(samuel);
  story.chapter(`${housingName} declines`);
  const housing = new Partner({ name: housingName, home: housingHome, fhirUrl: exchange.fhirUrl, signal });
  const task = await housing.findTask(text);
  await housing.move(task, 'rejected', { statusReason: { text: 'No money left in the rent fund until July.' } });
  await gateway.untilChanged(id, 'declined');
  await showFeed(stage, id);
  await takeOverChanges(stage, id);
  const order = textAt(task, 'focus', 'reference');
  await untilOrder(exchange, signal, order, 'revoked');
  story.say(
    `${samuel.given}'s worker knows today, not next month. The agency withdraws the order: ${order} is revoked.`,
  );
  await showChart(stage, stage.stBrigid, samuel, housingName);
}

/** What the partner did is in the last edition of the document at the client's hospital. */
export async function showChart({ story }: Stage, server: Server, person: Person, partner: string): Promise<void> {
  const { place } = server;
  const changed = changedSection(await lastFiledFor(server, chartOf(person)));
  expectThat(
    changed.some((line) => line.includes(partner)),
    `${place.name} reads what ${partner} did.`,
    changed.join(' '),
  );
  story.say(`${place.name} reads in ${person.given}'s chart:`);
  story.table(changed.map((line) => [line]));
}

async function showVersions({ story, exchange, signal }: Stage, id: string): Promise<void> {
  const versions = await taskVersions(exchange.fhirUrl, id, signal);
  const statuses = versions.map(({ status }) => status);
  const expected = ['requested', 'accepted', 'in-progress', 'completed'];
  expectThat(
    expected.every((status) => statuses.includes(status)) && versions.every(({ source }) => source in names),
    'The Task went its way by the hands of the agency and the pantry.',
    JSON.stringify(versions),
  );
  story.table([
    ['version', 'status', 'who', 'when'],
    ...versions.map(({ version, status, source, when }) => [
      String(version),
      status,
      names[source] ?? source,
      new Date(when).toISOString().slice(0, 19).replace('T', ' '),
    ]),
  ]);
}

export async function showFeed({ story, gateway }: Stage, id: string): Promise<void> {
  const changes = (await gateway.changes()).filter((change) => change.id === id);
  story.say(`The agency's system reads in its change feed (GET /api/changes), for ${id}:`);
  story.table(changes.map((change) => [textAt(change, 'op'), shownPatch(change.patch)]));
}

/** What the patch says, without the lists that repeat what the agency sent. */
function shownPatch(patch: Json | undefined): string {
  const comment = textAt(objectsAt(patch, 'comments').at(-1), 'text');
  const said = [
    ['status', textAt(patch, 'status')],
    ['first contact', textAt(patch, 'firstContact', 'outcome')],
    ['comment', comment],
    ['outcome', textAt(patch, 'outcome', 'code')],
    ['reason', textAt(patch, 'declineText')],
  ];
  return said.flatMap(([name, text]) => (text === '' ? [] : [`${name} "${text}"`])).join(', ');
}

/** As a case-management system would: the changes in their order on top of its own record, sent back as a new version. */
export async function takeOverChanges({ gateway }: Stage, id: string): Promise<void> {
  const changes = (await gateway.changes()).filter((change) => change.id === id);
  const record = changes.reduce(
    (before, change) => takeOver(before, change.patch),
    await gateway.record('referral', id),
  );
  await gateway.put('referral', { ...record, updatedAt: new Date().toISOString() });
  await gateway.untilIdle('what the agency took over to reach the exchange');
}

function untilOrder(exchange: Server, signal: AbortSignal, reference: string, status: string): Promise<JsonObject> {
  const [, id] = reference.split('/');
  return until(`${reference} to be ${status}`, { seconds: 30, signal }, async (): Promise<Look<JsonObject>> => {
    const order = (await exchange.resources('ServiceRequest')).find((one) => one.id === id);
    if (order?.status === status) return { found: order };
    return { missing: `it is ${textAt(order, 'status')}` };
  });
}

function firstReferral(person: Person): { id: string; text: string } {
  const concern = person.concerns.find(({ referral }) => referral !== undefined);
  if (concern?.referral === undefined) throw new Error(`${person.name} has no referral`);
  return { id: referralId(person, concern), text: concern.referral.text };
}

/** How many Tasks have ended and say what was done, by the server's store. */
export async function countClosed(exchange: Server): Promise<number> {
  return (await exchange.resources('Task')).filter(isClosed).length;
}
