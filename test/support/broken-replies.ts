// Replies that are broken or untrue, to requests about one organization that is on the server and linked.

import type { JsonObject } from '../../src/json.ts';
import { raiseWanted } from '../../src/lanes/links/wanted.ts';
import { anOrganization } from '../builders.ts';
import type { World } from './world.ts';

/** The lane of the organization. */
export const subject = 'county.organization.org-pantry';
export const slot = 'organization/org-pantry#organization';
export const renamed = () => anOrganization({ name: 'Harbor Food Pantry', updatedAt: '2026-02-20T10:00:00-05:00' });

export const outcome = (severity: string, code: string): JsonObject => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity, code }],
});
export const html = { headers: { 'content-type': 'text/html' }, body: '<html><form>Password</form></html>' };
export const elsewhere = { location: 'https://elsewhere.example.org/fhir/Organization/77' };
export const large = { body: outcome('error', 'exception'), bodyBytes: 10 * 1024 * 1024 };

/** What tests of broken replies do in a world. */
export function repliesOf(world: World) {
  function raise(): Promise<void> {
    const lanes = [{ connection: 'general', subject }];
    return world.store.tx((trx) => raiseWanted(trx, lanes, { reread: true, unpark: true }));
  }

  return {
    async fault(method: string, action: JsonObject, path = 'Organization'): Promise<void> {
      await world.server.faults({ method, path, fault: action });
    },

    /** The organization is on the server, and linked. */
    async sent(): Promise<JsonObject> {
      await world.send(['organization', anOrganization()]);
      return world.server.own('Organization', `county/${slot}`);
    },

    /** All that we hold as true of the server and of the record. */
    async truth(): Promise<unknown> {
      const { db } = world.store;
      const links = await db
        .selectFrom('link')
        .select([
          'id',
          'slot',
          'generation',
          'remote_id',
          'origin',
          'sent',
          'seen',
          'seen_hash',
          'version_tag',
          'retired_at',
        ])
        .orderBy('id')
        .execute();
      const seen = await db
        .selectFrom('seen')
        .select(['resource_type', 'remote_id', 'version_tag', 'hash', 'body', 'gone'])
        .orderBy('remote_id')
        .execute();
      const values = await db.selectFrom('remote_value').selectAll().execute();
      return { links, seen, values, changes: await world.changes() };
    },

    raise,

    async lookAgain(tries = 1): Promise<void> {
      await raise();
      await world.work({ tries });
    },
  };
}
