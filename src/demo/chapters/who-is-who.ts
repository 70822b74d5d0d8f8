// Who is who: clients that the exchange knew already, one that only a person can tell, and one who has not agreed.

import type { JsonObject } from '../../json.ts';
import { chartOf, clientsKnown, patientsOf } from '../known-patients.ts';
import { agnes, maria, type Person, people } from '../people.ts';
import { type HospitalName, hospitalNames } from '../places.ts';
import { objectsAt, textAt } from '../reading.ts';
import { expectThat, only, type Stage, serversOf } from '../stage.ts';
import { toldAt } from '../told.ts';

export async function tellWhoIsWho(stage: Stage): Promise<void> {
  stage.story.chapter('Who is who: nobody is doubled, nobody is guessed');
  await showLinked(stage);
  await showHospital(stage);
  await showDecision(stage);
  for (const name of hospitalNames) await showCharts(stage, name);
  await showWithheld(stage);
}

/** A hospital hears of a client only when a consent names it, and gets no patient from us. */
async function showCharts(stage: Stage, hospital: HospitalName): Promise<void> {
  const { gateway, story } = stage;
  const { place } = stage[hospital];
  const known: string[] = [];
  for (const { person, isKnown } of patientsOf(hospital)) {
    const id = `client-${person.name}`;
    if (isKnown) {
      const links = await gateway.links('client', id, place.connection);
      const isLinked = links.some(({ resource }) => resource === `Patient/${chartOf(person)}`);
      expectThat(isLinked, `${fullName(person)} is linked to the chart with the same number.`, JSON.stringify(links));
      known.push(fullName(person));
    } else {
      const decisions = await gateway.decisions();
      const about = decisions.filter((one) => one.recordId === id && one.connection === place.connection);
      const decision = only(about, `There is one decision about ${fullName(person)}.`);
      story.say(`${fullName(person)} at ${place.name}: ${textAt(decision, 'reason', 'text')}`);
    }
  }
  const patients = await stage[hospital].resources('Patient');
  expectThat(patients.length === known.length, `${place.name} gets no new patient.`, `${patients.length} patients`);
  story.say(`${known.join(', ')} at ${place.name}: same record number, name and birth date; linked to their charts.`);
  const others = people.filter((person) => person.hospital !== hospital).map(({ family }) => family);
  const told = await toldAt(stage[hospital], others);
  expectThat(told.length === 0, `${place.name} hears of nobody whose consent does not name it.`, told.join(', '));
  story.say(`${others.length} others have not agreed that ${place.name} is told: it has not heard their names.`);
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

async function showWithheld(stage: Stage): Promise<void> {
  const { gateway, exchange, story } = stage;
  const links = await gateway.links('client', `client-${agnes.name}`);
  const there = (await exchange.resources('Patient')).filter((patient) => isNamed(patient, agnes.family));
  for (const server of serversOf(stage)) {
    const told = await toldAt(server, [agnes.family]);
    expectThat(told.length === 0, `${server.place.name} never hears of ${fullName(agnes)}.`, told.join(', '));
  }
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
