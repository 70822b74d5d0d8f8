// A referral that only a consent which names it lets out: first it is withheld, with the rule, and no server hears of it; then the consent
// comes, for the hospital alone, and it joins the next edition of the document there.

import type { RecordLine } from '../caseload.ts';
import { lastFiledFor } from '../filed.ts';
import type { Link } from '../gateway.ts';
import { guardedReferral } from '../guarded.ts';
import { chartOf } from '../known-patients.ts';
import { walter } from '../other-people.ts';
import type { Server } from '../server.ts';
import { expectThat, type Stage, serversOf } from '../stage.ts';
import { toldAt } from '../told.ts';
import { changedSection } from './documents.ts';

const { id, requestedText = '' } = guardedReferral;
// What would give it away.
const words = [id, requestedText];

/** Sends the consent that was held back. @returns how many records were accepted */
export async function askForConsent(stage: Stage, consent: RecordLine): Promise<number> {
  const { story, gateway, stBrigid } = stage;
  story.chapter('A referral waits for a consent that names it');
  story.say(`${walter.given} ${walter.family} was referred to a program for substance use: "${requestedText}".`);
  const links = await gateway.links('referral', id);
  const orders = links.filter(({ slot }) => slot === 'request');
  expectThat(
    orders.length === 3 && orders.every(({ state }) => state === 'withheld') && links.every(isNowhere),
    'It is withheld everywhere.',
    JSON.stringify(links),
  );
  story.table(orders.map(({ connection, reason }) => [connection, reason]));
  for (const server of serversOf(stage)) await expectUntold(server);
  const before = await lastFiledFor(stBrigid, chartOf(walter));
  story.say('No document and no journal of the three servers holds a word of it.');
  const accepted = await gateway.send([consent]);
  await gateway.untilIdle('the document with the referral');
  const after = await lastFiledFor(stBrigid, chartOf(walter));
  expectThat(
    after.edition > before.edition && after.text.includes(requestedText) && after.text.includes('42 CFR part 2'),
    'With the consent the referral is told, and its notice with it.',
    after.text,
  );
  story.say(`A week later he signs, for ${stBrigid.place.name} alone. Version ${after.edition} of its document:`);
  story.table(changedSection(after).map((line) => [line]));
  for (const server of [stage.exchange, stage.larchValley]) await expectUntold(server);
  story.say('It carries the notice of 42 CFR part 2. The other two servers still know nothing of it.');
  return accepted;
}

function isNowhere({ resource }: Link): boolean {
  return resource === undefined;
}

async function expectUntold(server: Server): Promise<void> {
  const told = await toldAt(server, words);
  expectThat(told.length === 0, `${server.place.name} is told nothing of it.`, told.join(', '));
}
