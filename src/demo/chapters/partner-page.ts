// A partner without software answers on a page: a link by text message, a code, and forms that need no JavaScript.

import type { JsonObject } from '../../json.ts';
import { oaksName } from '../directory.ts';
import { afterSchool, evenings, type OnPage, referredToPage } from '../page-partner.ts';
import { codePattern, linkPattern } from '../phone.ts';
import { textAt } from '../reading.ts';
import { expectThat, only, type Stage } from '../stage.ts';
import { Visitor } from '../visitor.ts';
import { showChart, showFeed, takeOverChanges } from './answers.ts';

const contact = 'Ana Ruiz';

/** @returns how many records were accepted */
export async function answerOnPage(stage: Stage): Promise<number> {
  const { story, gateway, phone, signal, larchValley } = stage;
  const { person, id, text } = evenings;
  story.chapter(`${oaksName} has no software: it answers on a page`);
  const { records, link } = await referToPage(stage, evenings);
  // Else the hospital reads of the referral and of its end at once.
  await gateway.untilIdle('the referral to reach the hospital that follows the plan');
  story.say(`${person.given} ${person.family} is referred there: "${text}". Its phone shows:`);
  showMessage(stage, phone.messages.at(-1) ?? '');
  const visitor = new Visitor(signal);
  await visitor.open(link);
  expectThat(!isAbout(visitor.page, evenings), 'The link alone opens nothing.', 'the page names the client');
  const before = phone.messages.length;
  await visitor.send(link, 'code');
  const code = await phone.untilTold('the code', codePattern, before, signal);
  await visitor.send(link, 'enter', { name: contact, code });
  expectThat(
    isAbout(visitor.page, evenings),
    'With the code the referral is shown.',
    'the page does not name the client',
  );
  story.say(
    `The link alone shows no name. ${contact} asks for a code, gets it by text message, and sees the referral. Then:`,
  );
  await visitor.send(link, 'accept');
  await gateway.untilChanged(id, 'accepted');
  await visitor.send(link, 'contact', { mode: 'phone', outcome: 'reached', text: 'A place from Monday on.' });
  await visitor.send(link, 'finish', { outcome: 'service-received' });
  await gateway.untilChanged(id, 'completed');
  expectThat(
    phone.messages.every((message) => !isAbout(message, evenings)),
    'No message says whom it is about.',
    'a message names the client',
  );
  await showFeed(stage, id);
  await takeOverChanges(stage, id);
  for (const rule of ['referral-follow-up-48h', 'first-contact-72h']) await gateway.untilClock(id, rule, ['met']);
  story.say('Both its clocks are met: the answer within 48 hours, the first contact within 72.');
  await showMirror(stage);
  await showChart(stage, larchValley, person, oaksName);
  return records;
}

/** How many referrals partners have completed on their page, by the change feed. */
export async function countAnswered({ gateway }: Stage): Promise<number> {
  const changes = await gateway.changes();
  return changes.filter(
    ({ connection, patch }) => connection === 'little-oaks' && textAt(patch, 'status') === 'completed',
  ).length;
}

/** Sends a referral that is open. @returns the link that comes for it, and how many records were accepted */
async function referToPage(
  { gateway, phone, signal }: Stage,
  referral: OnPage,
): Promise<{ link: string; records: number }> {
  const before = phone.messages.length;
  const records = await gateway.send(referredToPage(referral, Date.now()));
  return { records, link: await phone.untilTold(`a link for ${oaksName}`, linkPattern, before, signal) };
}

/** Leaves one unanswered, and shows what comes by phone, so that somebody can go on in a browser. */
export async function leaveOneOpen(stage: Stage): Promise<void> {
  const { story, phone } = stage;
  const { person, text } = afterSchool;
  const { link } = await referToPage(stage, afterSchool);
  story.say(
    `Be ${contact} of ${oaksName}: ${person.given} ${person.family} is referred there, "${text}". Open in a browser`,
  );
  story.say(`  ${link}`);
  story.say('and ask for a code. What comes by text message is shown here:');
  phone.showEach((message) => showMessage(stage, message));
}

function showMessage({ story }: Stage, message: string): void {
  for (const line of message.split('\n')) story.say(`  | ${line}`.trimEnd());
}

function isAbout(text: string, { person }: OnPage): boolean {
  return text.includes(person.family) || text.includes(person.given);
}

/** The exchange, which the client's consent names, is shown how it went by a copy that says what it is. */
async function showMirror({ story, gateway, exchange }: Stage): Promise<void> {
  const links = await gateway.links('referral', evenings.id, exchange.place.connection);
  const name = links.find(({ slot }) => slot === 'fulfilment')?.resource ?? '';
  const tasks = await exchange.resources('Task');
  const promise = 'The exchange has one Task of it, marked as a copy, which has ended as the partner said.';
  const mirror = only(
    tasks.filter((task) => `Task/${textAt(task, 'id')}` === name),
    promise,
  );
  expectThat(mirror.status === 'completed' && isCopy(mirror), promise, JSON.stringify(mirror));
  story.say(`The Task lives at Casebridge. ${exchange.place.name} has a copy: ${name}, ${textAt(mirror, 'status')}.`);
}

function isCopy({ meta }: JsonObject): boolean {
  return JSON.stringify(meta ?? {}).includes('"code":"copy"');
}
