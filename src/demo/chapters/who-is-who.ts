// Who is who: clients that the exchange knew already, one that only a person can tell, and one who has not agreed.

import type { JsonObject } from '../../json.ts';
import { clientsKnown } from '../known-patients.ts';
import { agnes, maria, type Person } from '../people.ts';
import { objectsAt, textAt } from '../reading.ts';
import { expectThat, only, type Stage } from '../stage.ts';

export async function tellWhoIsWho(stage: Stage): Promise<void> {
  stage.story.chapter('Who is who: nobody is doubled, nobody is guessed');
  await showLinked(stage);
  await showHospital(stage);
  await showDecision(stage);
  await showWithheld(stage);
}

async function showHospital({ gateway, exchange, story }: Stage): Promise<void> {
  const links = await gateway.links('organization', 'org-hospital');
  const known = (await exchange.resources('Organization')).filter(({ id }) => id === 'known-hospital');
  expectThat(
    links.some(({ resource }) => resource === 'Organization/known-hospital') && versionOf(known) === '1',
    'The hospital is linked to the entry that the exchange had.',
    JSON.stringify(links),
  );
  story.say('The hospital was there (same national provider number): linked to Organization/known-hospital.');
}

async function showLinked({ gateway, exchange, story }: Stage): Promise<void> {
  const patients = await exchange.resources('Patient');
  for (const { person, id, because } of clientsKnown) {
    const links = await gateway.links('client', `client-${person.name}`);
    const version = versionOf(patients.filter((patient) => patient.id === id));
    expectThat(
      links.some(({ resource }) => resource === `Patient/${id}`) && version === '1',
      `${fullName(person)} is linked to Patient/${id}, which is never written.`,
      `links ${JSON.stringify(links)}, version ${version}`,
    );
    story.say(`${fullName(person)} was known there (${because}): linked to Patient/${id}, which is never written.`);
  }
}

async function showDecision({ gateway, exchange, story }: Stage): Promise<void> {
  const about = (await gateway.decisions()).filter(({ recordId }) => recordId === `client-${maria.name}`);
  const decision = only(about, `There is one decision about ${fullName(maria)}.`);
  const alike = (await exchange.resources('Patient')).filter((patient) => isNamed(patient, maria.family));
  expectThat(alike.length === 2, `No third patient is made for ${fullName(maria)}.`, `${alike.length} patients`);
  story.say(`${fullName(maria)} looks like two patients. Casebridge asks instead of guessing; her case waits:`);
  story.say(`GET /api/decisions: ${textAt(decision, 'reason', 'text')}`);
  story.table(objectsAt(decision, 'choices').map((choice) => [textAt(choice, 'choose'), textAt(choice, 'effect')]));
}

async function showWithheld({ gateway, exchange, story }: Stage): Promise<void> {
  const links = await gateway.links('client', `client-${agnes.name}`);
  const there = (await exchange.resources('Patient')).filter((patient) => isNamed(patient, agnes.family));
  const isWithheld = links.every(({ state, resource }) => state === 'withheld' && resource === undefined);
  expectThat(isWithheld && there.length === 0, `Nothing about ${fullName(agnes)} is sent.`, JSON.stringify(links));
  story.say(`${fullName(agnes)} has signed no consent: nothing about her left the agency.`);
}

/** The version of the one resource that is there. */
function versionOf(found: readonly JsonObject[]): string {
  return textAt(only(found, 'The exchange holds what it held before.'), 'meta', 'versionId');
}

function isNamed(patient: JsonObject, family: string): boolean {
  return objectsAt(patient, 'name').some((name) => name.family === family);
}

function fullName({ given, family }: Person): string {
  return `${given} ${family}`;
}
