// What happens to the records with canaries: they are sent while the hospitals fail in every way they can, again when all is well, the other
// side edits them, people decide, callers are refused.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { Canaries } from './canaries.ts';
import { nextVersion, type Planted, plantedRecords } from './records.ts';
import { asPatient, objectsOf, type Site, vendorNames } from './site.ts';
import { troubles } from './troubles.ts';

/** The time of the nth version, from 1. */
const timeOf = (n: number) => `2026-03-${String(n + 9)}T09:15:00-05:00`;

export interface Told {
  /** Of every trouble, how often it struck. */
  readonly struck: Readonly<Record<string, number>>;
  readonly records: readonly Planted[];
  /** What an operator noted with a lane that they stopped. */
  readonly note: string;
}

/** Everything up to the point where the lanes rest with their last version. */
export async function liveThrough(site: Site, canaries: Canaries): Promise<Told> {
  let version = 1;
  let records = plantedRecords(canaries, timeOf(version));
  const send = async (): Promise<void> => {
    await site.sendRecords(records);
    await site.settle();
  };
  const sendNext = async (): Promise<void> => {
    version += 1;
    records = nextVersion(canaries, records, timeOf(version));
    await send();
  };
  await seedHospitals(site, canaries, records);
  for (const vendor of vendorNames) await site.servers[vendor].faults(...troubles(canaries, vendor, ['GET', 'POST']));
  await send();
  await decideAll(site, canaries);
  await sendNext();
  const struck = await struckBy(site);
  for (const vendor of vendorNames) await site.servers[vendor].mend();
  await sendNext();
  await decideAll(site, canaries);
  await editThere(site, canaries);
  const updates = await failUpdates(site, canaries, sendNext);
  await sendNext();
  await decideAll(site, canaries);
  await noteIds(site, canaries);
  return { struck: { ...struck, ...updates }, records, note: await stopOne(site, canaries) };
}

/** What is linked by now is changed by requests of their own, of which the first meet every trouble; an operator sets aside what is stuck then. */
async function failUpdates(
  site: Site,
  canaries: Canaries,
  sendNext: () => Promise<void>,
): Promise<Record<string, number>> {
  const { standard } = site.servers;
  await standard.settings({ transactions: false });
  await standard.faults(...troubles(canaries, 'standard', ['PUT']));
  let struck: Record<string, number> = {};
  for (let times = 0; times < 3 && (times === 0 || Object.values(struck).includes(0)); times += 1) {
    await sendNext();
    struck = await struckBy(site);
  }
  const skipped = await Promise.all(
    (await lanesOf(site, '?state=parked&connection=standard&limit=1000')).map(async ({ subject }) => {
      const note = canaries.word(`note of what is set aside in ${String(subject)}`);
      return (await act(site, `/api/lanes/standard/${String(subject)}/skip`, { note })).ok;
    }),
  );
  if (!skipped.includes(true)) throw new Error('Nothing was stuck, and nothing set aside.');
  await standard.mend();
  await site.settle();
  return struck;
}

/** @returns the note with which an operator stopped a lane that nobody wants any more */
async function stopOne(site: Site, canaries: Canaries): Promise<string> {
  const note = canaries.word('note of a lane that is stopped');
  const lanes = await lanesOf(site, '?connection=standard&limit=1000');
  const subject = lanes.map((lane) => String(lane.subject)).find((one) => one.includes('.worker.'));
  const { ok } = await act(site, `/api/lanes/standard/${subject}/park`, { note });
  if (!ok) throw new Error(`${subject} was not stopped.`);
  return note;
}

async function lanesOf(site: Site, query: string): Promise<JsonObject[]> {
  const { items }: JsonObject = JSON.parse(await (await site.send('ops', 'GET', `/api/lanes${query}`)).text());
  return objectsOf(items);
}

function act(site: Site, path: string, body: JsonObject): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return site.send('ops', 'POST', path, { body: JSON.stringify(body), headers });
}

/**
 * A person takes the first choice of every decision, with a note. Of a create whose answer showed something else they say that it is not there:
 * which record it strikes is chance, and those that need it would wait to the end.
 */
async function decideAll(site: Site, canaries: Canaries): Promise<void> {
  const { items }: JsonObject = JSON.parse(await (await site.send('ops', 'GET', '/api/decisions')).text());
  for (const { id, choices } of objectsOf(items)) {
    const offered = objectsOf(choices).map(({ choose }) => choose);
    const choose = offered.find((word) => word === 'not-there') ?? offered[0];
    const note = canaries.word(`note of decision ${String(id)}`);
    const answer = await act(site, `/api/decisions/${String(id)}`, { choose: choose ?? null, note });
    if (answer.ok) continue;
    const told = await answer.text();
    // The answer to one may settle another.
    if (!told.includes('decision-closed')) throw new Error(`decision ${String(id)}: ${told}`);
  }
  await site.settle();
}

/** Epic and Oracle know each client; of one of them Oracle has two charts. */
async function seedHospitals(site: Site, canaries: Canaries, records: readonly Planted[]): Promise<void> {
  const clients = records.filter(({ type }) => type === 'client').map(({ record }) => record);
  for (const vendor of ['epic', 'oracle'] as const) {
    const charts = clients.flatMap((client) => {
      const patient = (n: number) => asPatient(client, canaries.word(`${vendor} Patient ${client.id} ${n}`));
      if (vendor === 'epic' || client.id !== 'c-100') return [patient(1)];
      return [patient(1), patient(2)].map((chart): JsonObject => ({ ...chart, identifier: [] }));
    });
    const stays = charts.map(
      ({ id }): JsonObject => ({
        resourceType: 'Encounter',
        id: `stay-${String(id)}`,
        status: 'in-progress',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
        subject: { reference: `Patient/${String(id)}` },
        period: { start: '2026-02-01T09:00:00Z' },
      }),
    );
    await site.servers[vendor].seed(...charts, ...stays);
  }
}

async function struckBy(site: Site): Promise<Record<string, number>> {
  const struck: Record<string, number> = {};
  for (const vendor of vendorNames) {
    const rules = await site.servers[vendor].control('GET', 'faults');
    for (const { method, fault, fired } of objectsOf(rules)) {
      const { status, drop, truncate } = isObject(fault) ? fault : {};
      const name = `${String(method)} ${String(status ?? drop ?? truncate)}`;
      struck[name] = (struck[name] ?? 0) + Number(fired);
    }
  }
  return struck;
}

const edited: Readonly<Record<string, string>> = { Goal: 'description', CarePlan: 'title', ServiceRequest: 'note' };

/** The partner writes other words into what it holds, and the polls see it. */
async function editThere({ servers: { standard }, settle, poll }: Site, canaries: Canaries): Promise<void> {
  for (const [resourceType, element] of Object.entries(edited)) {
    for (const resource of await standard.all(resourceType)) {
      const words = canaries.word(`standard ${resourceType}.${element}`);
      const value: Json = element === 'title' ? words : element === 'note' ? [{ text: words }] : { text: words };
      await standard.fhir('PUT', `${resourceType}/${String(resource.id)}`, { ...resource, [element]: value });
    }
  }
  await poll();
  await settle();
}

/** The ids of patients are as good as names. */
async function noteIds({ servers }: Site, canaries: Canaries): Promise<void> {
  for (const vendor of vendorNames) {
    for (const { id } of await servers[vendor].all('Patient')) {
      if (typeof id === 'string' && id.length >= 8) canaries.found(id, `${vendor} Patient.id`);
    }
  }
}
