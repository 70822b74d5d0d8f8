// What a hospital holds of a linked patient beside the referrals that it begins, and what has become of that here.

import type { ConnectionConfig } from '../../src/config.ts';
import type { JsonObject } from '../../src/json.ts';
import { sweepAt } from '../clocks/kept.ts';
import { hospitalHas, hospitalShows } from './begun.ts';
import { caseload, type Item } from './caseload.ts';
import { rosaOnFile } from './patients.ts';
import { pollEverybody } from './roster.ts';
import type { World } from './world.ts';

/** A hospital whose documents are asked for too. */
export const charting: Partial<ConnectionConfig> = {
  inboundTo: 'county',
  createPatients: false,
  organization: { source: 'county', id: 'org-hospital' },
  polls: {
    types: ['DocumentReference'],
    performers: [],
    referralCodes: [],
    documentTypes: ['18842-5', '34111-5'],
    lookBackMs: 90 * 86_400_000,
  },
};

const started = Date.now();
export const daysAgo = (days: number) => new Date(started - days * 86_400_000).toISOString().replace(/\.\d+/, '');

/** Rosa in a bed of the hospital since the day before yesterday. */
export function stay(overrides: JsonObject = {}): JsonObject {
  const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
  const open: JsonObject = {
    resourceType: 'Encounter',
    id: 'stay-1',
    status: 'in-progress',
    class: { system: actCode, code: 'IMP' },
    subject: { reference: 'Patient/rosa' },
    period: { start: daysAgo(2) },
    serviceProvider: { display: 'General Hospital' },
  };
  return { ...open, ...overrides };
}

/** What tests of a chart do in a world. */
export function chartOf(world: World) {
  return {
    async rosaIsLinked(...more: readonly Item[]): Promise<void> {
      await hospitalHas(world, rosaOnFile);
      await world.send(...caseload(), ...more);
    },

    async shows(...resources: readonly JsonObject[]): Promise<void> {
      await hospitalHas(world, ...resources);
      await hospitalShows(world, ...resources.map(({ resourceType, id }) => `${resourceType}/${id}`));
    },

    /** What is kept of the hospital, as `Encounter proposed`, with the reason where there is one. */
    async keptFor(): Promise<string[]> {
      const rows = await world.store.db
        .selectFrom('inbound')
        .select(['resource_type', 'state', 'reason'])
        .orderBy('noted_at')
        .execute();
      return rows.map(
        ({ resource_type: type, state, reason }) => `${type} ${state}${reason === null ? '' : ` ${reason.code}`}`,
      );
    },

    async clocks(): Promise<string[]> {
      await sweepAt(world.store, new Date().toISOString());
      const rows = await world.store.db.selectFrom('clock').selectAll().orderBy('rule').execute();
      return rows.map(
        ({ type, rule, state, due_at: due }) => `${type} ${rule} ${state} ${due?.toISOString().slice(0, 10)}`,
      );
    },

    /** All of every patient is asked for, as it is once a day. */
    async readAll(): Promise<void> {
      await world.store.db.updateTable('poll').set({ full_at: null }).execute();
      await pollEverybody(world);
      await world.work();
    },

    /** Requests for this resource alone. */
    async looksAt(path: string): Promise<number> {
      const journal = await world.server.journal();
      return journal.filter(({ method, url }) => method === 'GET' && String(url).endsWith(`/${path}`)).length;
    },
  };
}
