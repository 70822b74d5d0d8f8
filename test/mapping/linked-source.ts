// A source in which every record exists and every resource has a link, for laws over arbitrary records.

import { createHash } from 'node:crypto';
import type { ProjectContext, SlotRef } from '../../src/mapping/mapping.ts';
import { fixture, context as fixtureContext, mappingOf } from './fixtures.ts';

const targets = new Map<string, SlotRef>();

/** The same reference for the same resource, always. */
export function linkTo(target: SlotRef): string {
  const { type, id, slot } = target;
  const hash = createHash('sha256').update(`${type}/${id}#${slot}`).digest('hex').slice(0, 20);
  const reference = `${mappingOf(type).slot(slot).resourceType}/${hash}`;
  targets.set(reference, target);
  return reference;
}

/** The way back from a reference that `linkTo` made. */
export function targetOf(reference: string): SlotRef | undefined {
  return targets.get(reference);
}

/** Other records are the full fixtures under whatever id is asked for. */
export const linkedSource: ProjectContext = {
  ...fixtureContext,
  identifierSystems: {
    ...fixtureContext.identifierSystems,
    'state-id': 'urn:oid:1.2.5',
    'medicare-mbi': 'urn:oid:1.2.6',
    hmis: 'urn:oid:1.2.7',
    program: 'urn:oid:1.2.8',
    other: 'urn:oid:1.2.9',
    ccn: 'urn:oid:1.2.10',
  },
  record: (type, id) => ({ ...fixture(type, 'full'), id }),
  reference: linkTo,
};
