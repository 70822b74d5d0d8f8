// Partners of a gateway under test: an organization whose Tasks live at Casebridge itself.

import {
  type Config,
  type ConnectionConfig,
  homeConnection,
  type PartnerConfig,
  withCopies,
} from '../../src/config.ts';
import type { JsonObject } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';
import { aConsent } from '../builders.ts';
import { caseload } from './caseload.ts';
import { aConfig } from './rig.ts';

export const pantry: PartnerConfig = { id: 'pantry', organization: { source: 'county', id: 'org-pantry' } };

/** A configuration with these partners beside the connections, as it is read from a file. */
export function withPartners(
  connections: readonly ConnectionConfig[],
  partners: readonly PartnerConfig[],
  overrides: Partial<Config> = {},
): Config {
  const named = new Map(partners.map((partner) => [partner.id, partner]));
  const others = withCopies(new Map(connections.map((one) => [one.id, one])), named);
  return aConfig([...others.values(), ...partners.map(homeConnection)], {
    partners: named,
    ...overrides,
  });
}

/** The builders' case, whose client lets the pantry have its referral. */
export function permittedCaseload(): (readonly [RecordType, JsonObject])[] {
  return [...caseload(), ['consent', aConsent()]];
}
