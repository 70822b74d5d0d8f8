// Who is in the demo besides the clients: the agency and its workers, the exchange, two hospitals, and the partners with their services.

import type { OrganizationRecord, ServiceRecord, WorkerRecord } from '../records/records.ts';
import type { RecordLine } from './caseload.ts';
import type { ServiceName } from './people.ts';
import { places } from './places.ts';

export const agencyName = 'Riverside Family Services';
export const pantryName = 'Elm Street Pantry';
export const housingName = 'Harbor Housing Coalition';
export const ridesName = 'Valley Rides';
export const oaksName = 'Little Oaks Family Center';
/** The hospital's number in the national register of providers. */
export const hospitalNpi = '1999999984';

const updatedAt = '2025-01-06T09:00:00-05:00';

function organization(
  id: string,
  name: string,
  kind: OrganizationRecord['kind'],
  phone: string,
  more: Partial<OrganizationRecord> = {},
): RecordLine {
  const record: OrganizationRecord = {
    id: `org-${id}`,
    updatedAt,
    name,
    kind,
    active: true,
    phones: [{ number: phone, kind: 'voice' }],
    ...more,
  };
  return { type: 'organization', record };
}

function worker(id: string, given: string, family: string, role: WorkerRecord['role'], phone: string): RecordLine {
  const record: WorkerRecord = {
    id: `worker-${id}`,
    updatedAt,
    name: { given, family },
    role,
    organizationId: 'org-riverside',
    active: true,
    phone,
    email: `${id}@riverside.example`,
    ...(role === 'case-manager' && { supervisorId: 'worker-lindqvist' }),
  };
  return { type: 'worker', record };
}

interface Offer {
  readonly organizationId: string;
  readonly name: string;
  readonly domains: ServiceRecord['domains'];
  /** Kind of service, as referrals name it. */
  readonly code: string;
}

/** What the partners offer, by the last part of the record's id. */
export const services: Readonly<Record<ServiceName, Offer>> = {
  groceries: { organizationId: 'org-pantry', name: 'Weekly groceries', domains: ['food'], code: 'food-pantry' },
  rent: {
    organizationId: 'org-housing',
    name: 'Help with the rent',
    domains: ['housing-instability', 'homelessness'],
    code: 'housing',
  },
  rides: { organizationId: 'org-rides', name: 'Rides', domains: ['transportation'], code: 'transport' },
  bills: {
    organizationId: 'org-action',
    name: 'Help with energy bills',
    domains: ['utilities'],
    code: 'community-action-agency',
  },
  recovery: {
    organizationId: 'org-recovery',
    name: 'Recovery groups',
    domains: ['other'],
    code: 'community-resources',
  },
  childcare: {
    organizationId: 'org-oaks',
    name: 'Childcare',
    domains: ['childcare'],
    code: 'community-resources',
  },
};

function service([id, { organizationId, name, domains }]: [string, Offer]): RecordLine {
  const record: ServiceRecord = {
    id: `service-${id}`,
    updatedAt,
    organizationId,
    name,
    status: 'active',
    domains,
    languages: ['en', 'es'],
  };
  return { type: 'service', record };
}

/** The records of all of them. */
export const directory: readonly RecordLine[] = [
  organization('riverside', agencyName, 'case-management', '(518) 555-0100'),
  organization('exchange', places.exchange.name, 'other', '(518) 555-0101'),
  organization('hospital', places.larchValley.name, 'hospital', '(518) 555-0102', {
    identifiers: [{ kind: 'npi', value: hospitalNpi }],
  }),
  organization('brigid', places.stBrigid.name, 'hospital', '(518) 555-0103'),
  organization('pantry', pantryName, 'community-partner', '(518) 555-0142'),
  organization('housing', housingName, 'community-partner', '(518) 555-0143'),
  organization('rides', ridesName, 'transport', '(518) 555-0144'),
  organization('action', 'Larch County Community Action', 'community-partner', '(518) 555-0145'),
  organization('recovery', 'First Light Recovery Center', 'community-partner', '(518) 555-0146'),
  organization('oaks', oaksName, 'community-partner', '(518) 555-0147'),
  worker('lindqvist', 'Karin', 'Lindqvist', 'supervisor', '(518) 555-0113'),
  worker('okafor', 'Ngozi', 'Okafor', 'case-manager', '(518) 555-0111'),
  worker('reyes', 'Daniel', 'Reyes', 'case-manager', '(518) 555-0112'),
  ...Object.entries(services).map(service),
];
