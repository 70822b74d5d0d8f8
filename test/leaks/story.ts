// What happens to the records with canaries: they are sent while the hospitals fail in every way they can, again when all is well, the other
// side edits them, people decide, callers are refused.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { Canaries } from './canaries.ts';
import { nextVersion, type Planted, plantedRecords } from './records.ts';
import { asPatient, objectsOf, type Site, vendorNames } from './site.ts';
import { troubles } from './troubles.ts';

/** The times of the versions that are sent one after the other. */
const times = Array.from({ length: 4 }, (_, n) => `2026-03-${String(n + 10)}T09:15:00-05:00`);

export interface Told {
  /** Of every trouble, how often it struck. */
  readonly struck: Readonly<Record<string, number>>;
  readonly records: readonly Planted[];
}

/** Everything up to the point where the lanes rest with their last version. */
export async function liveThrough(site: Site, canaries: Canaries): Promise<Told> {
  const [first = '', second = '', third = '', fourth = ''] = times;
  let records = plantedRecords(canaries, first);
  const send = async (updatedAt: string): Promise<void> => {
    if (updatedAt !== first) records = nextVersion(canaries, records, updatedAt);
    await site.sendRecords(records);
    await site.settle();
  };
  await seedHospitals(site, canaries, records);
  for (const vendor of vendorNames) await site.servers[vendor].faults(...troubles(canaries, vendor));
  await send(first);
  await decideAll(site, canaries);
  await send(second);
  const struck = await struckBy(site);
  for (const vendor of vendorNames) await site.servers[vendor].mend();
  await send(third);
  await decideAll(site, canaries);
  await editThere(site, canaries);
  await send(fourth);
  await decideAll(site, canaries);
  await noteIds(site, canaries);
  return { struck, records };
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
    const body = JSON.stringify({ choose, note: canaries.word(`note of decision ${String(id)}`) });
    const headers = { 'content-type': 'application/json' };
    const answer = await site.send('ops', 'POST', `/api/decisions/${String(id)}`, { body, headers });
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
