// Which labels a consent has to name before a record may go to a receiver.

import { describe, expect, test } from '@jest/globals';
import { labelsOf, mayName, questionAbout, type Telling, withheldBy, withLabels } from '../../src/access/access.ts';
import type { JsonObject } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';
import {
  aCase,
  aClient,
  aConsent,
  aNeed,
  anAppointment,
  anOrganization,
  aReferral,
  aService,
  aWorker,
} from '../builders.ts';

const shelterLabel: ['domestic-violence'] = ['domestic-violence'];
const shelter = anOrganization({ id: 'org-shelter', sensitivity: shelterLabel });

/** The hospital, and these records besides it. */
function telling(...records: readonly (readonly [RecordType, JsonObject])[]): Telling {
  const found = new Map(records.map(([type, record]) => [`${type}/${record.id}`, record]));
  return {
    basis: 'treatment',
    organization: 'org-hospital',
    connection: 'general',
    find: (type, id) => found.get(`${type}/${id}`),
  };
}

describe('the labels that count', () => {
  test('are none where nothing is labelled, and the record is the very same', () => {
    const need = aNeed();
    const about = telling(['client', aClient()], ['case', aCase()]);
    expect(labelsOf('need', need, about)).toEqual([]);
    expect(withLabels('need', need, about)).toBe(need);
  });

  test('are those of the record, its client, its case and what its case names, each once', () => {
    const about = telling(
      ['client', aClient({ sensitivity: ['minor-consented'] })],
      ['case', aCase({ sensitivity: ['substance-use-part2'], organizationId: 'org-shelter' })],
      ['organization', shelter],
    );
    const need = aNeed({ sensitivity: ['mental-health', 'minor-consented'] });
    const all = ['mental-health', 'minor-consented', 'substance-use-part2', 'domestic-violence'];
    expect(labelsOf('need', need, about)).toEqual(all);
    expect(withLabels('need', need, about)).toEqual({ ...need, sensitivity: all });
  });

  test('are those of a client or a case also once it is deleted', () => {
    const about = telling(['case', { ...aCase({ sensitivity: ['hiv'] }), deleted: true }]);
    expect(labelsOf('need', aNeed(), about)).toEqual(['hiv']);
  });

  test('of a client are its own: what one of its cases is about says nothing of the others', () => {
    expect(labelsOf('client', aClient(), telling(['case', aCase({ sensitivity: ['hiv'] })]))).toEqual([]);
  });

  const at = (overrides: JsonObject): JsonObject => ({ ...aReferral(), ...overrides });
  const visit = (overrides: JsonObject): JsonObject => ({ ...anAppointment(), ...overrides });
  test.each<[string, RecordType, JsonObject]>([
    ['the organization of a referral', 'referral', at({ organizationId: 'org-shelter' })],
    ['who asks by a referral', 'referral', at({ requesterOrganizationId: 'org-shelter' })],
    ['the service of a referral', 'referral', at({ serviceId: 'service-labelled' })],
    ['whose service it is', 'referral', at({ serviceId: 'service-bed' })],
    ['whose worker asks', 'referral', at({ requestedById: 'worker-advocate' })],
    ['whom an appointment is with', 'appointment', visit({ with: { organizationId: 'org-shelter' } })],
    ['with whose worker it is', 'appointment', visit({ with: { workerId: 'worker-advocate' } })],
    ['the service of an appointment', 'appointment', visit({ serviceId: 'service-bed' })],
    ['who drives there', 'appointment', visit({ transport: { needed: true, providerId: 'org-shelter' } })],
    ['a part of a labelled organization', 'referral', at({ organizationId: 'org-annex' })],
    ['a recipient of a consent', 'consent', { ...aConsent({ recipients: [{ organizationId: 'org-shelter' }] }) }],
    ['who pays', 'coverage', { id: 'coverage-a', payerId: 'org-shelter' }],
    ['who wrote a note', 'note', { id: 'note-a', authorId: 'worker-advocate' }],
    ['who assessed', 'assessment', { id: 'assessment-a', assessorId: 'worker-advocate' }],
  ])('are those of %s', (_what, type, record) => {
    const about = telling(
      ['organization', shelter],
      ['organization', anOrganization({ id: 'org-annex', parentId: 'org-shelter' })],
      ['service', aService({ id: 'service-bed', organizationId: 'org-shelter' })],
      ['service', aService({ id: 'service-labelled', sensitivity: shelterLabel })],
      ['worker', aWorker({ id: 'worker-advocate', organizationId: 'org-shelter' })],
    );
    expect(labelsOf(type, record, about)).toEqual(shelterLabel);
  });

  test('are not those of the receiver itself, nor what its own service says of it', () => {
    const hospital = anOrganization({ id: 'org-hospital', sensitivity: ['mental-health'] });
    const ward = aService({ id: 'service-ward', organizationId: 'org-hospital', sensitivity: ['mental-health'] });
    const about = telling(['organization', hospital], ['service', ward]);
    expect(
      labelsOf('referral', aReferral({ organizationId: 'org-hospital', serviceId: 'service-ward' }), about),
    ).toEqual([]);
  });

  test('are those of a unit of the receiver that says more than the receiver does', () => {
    const unit = aService({ id: 'service-unit', organizationId: 'org-hospital', sensitivity: ['substance-use-part2'] });
    const about = telling(['organization', anOrganization({ id: 'org-hospital' })], ['service', unit]);
    expect(labelsOf('referral', aReferral({ serviceId: 'service-unit' }), about)).toEqual(['substance-use-part2']);
  });

  test('are found where organizations are parts of each other in a circle', () => {
    const about = telling(
      ['organization', anOrganization({ id: 'org-pantry', parentId: 'org-shelter' })],
      ['organization', { ...shelter, parentId: 'org-pantry' }],
    );
    expect(labelsOf('referral', aReferral(), about)).toEqual(shelterLabel);
  });

  test('what a consent lists is what it covers, and stays', () => {
    const consent = aConsent({ sensitivity: ['hiv'] });
    expect(withLabels('consent', consent, telling(['client', aClient({ sensitivity: ['mental-health'] })]))).toBe(
      consent,
    );
  });
});

test('a list may name of the directory what its record was asked for, and no more', () => {
  const about = telling(['organization', shelter], ['worker', aWorker({ id: 'w', organizationId: 'org-shelter' })]);
  for (const [type, id] of [
    ['organization', 'org-shelter'],
    ['worker', 'w'],
  ] as const) {
    expect(mayName(type, id, [], about)).toBe(false);
    expect(mayName(type, id, shelterLabel, about)).toBe(true);
  }
  expect(mayName('organization', 'org-unknown', [], about)).toBe(true);
});

describe('a consent of others', () => {
  const recipients = [{ organizationId: 'org-pantry' }, { organizationId: 'org-shelter' }, { name: 'Prism Clinic' }];
  const about = (basis: Telling['basis'], organization: string, consents: readonly JsonObject[]) => ({
    ...telling(['organization', shelter]),
    basis,
    organization,
    consents,
    today: '2026-06-15',
    now: Date.parse('2026-06-15T12:00:00-04:00'),
  });
  const answer = (consent: JsonObject, ...asked: Parameters<typeof about>) =>
    withheldBy(questionAbout('consent', consent, about(...asked)))?.code;
  const own = aConsent();

  test('goes to none but who is named in it', () => {
    const other = aConsent({ id: 'consent-other', recipients: [{ name: 'Prism Clinic' }] });
    expect(answer(other, 'consent', 'org-pantry', [own, other])).toBe('consent-of-others');
    expect(answer({ ...other, recipients: [] }, 'consent', 'org-pantry', [own])).toBe('consent-of-others');
    expect(answer(own, 'consent', 'org-pantry', [own])).toBeUndefined();
  });

  test('who else is named, of whom it is not told, needs no consent that names their label', () => {
    const both = aConsent({ recipients });
    expect(answer(both, 'consent', 'org-pantry', [both])).toBeUndefined();
  });

  test('goes to the client’s hospital, unless a recipient is labelled', () => {
    const other = aConsent({ recipients: [{ name: 'Prism Clinic' }] });
    expect(answer(other, 'treatment', 'org-hospital', [other])).toBeUndefined();
    expect(answer(aConsent({ recipients }), 'treatment', 'org-hospital', [])).toBe('consent-missing');
  });
});

test('a refusal is asked for by the organizations that the receiver is a part of, also in a circle, and by their names', () => {
  const about = telling(
    [
      'organization',
      anOrganization({ id: 'org-hospital', name: 'Mercy', alternateNames: ['Mercy General'], parentId: 'org-county' }),
    ],
    ['organization', anOrganization({ id: 'org-county', name: 'County Health', parentId: 'org-state' })],
    ['organization', anOrganization({ id: 'org-state', name: 'State Health', parentId: 'org-hospital' })],
  );
  const asked = { ...about, today: '2026-06-15', now: Date.parse('2026-06-15T12:00:00-04:00') };
  const no = aConsent({ status: 'declined' });
  expect(questionAbout('need', aNeed(), { ...asked, consents: [no] })).toMatchObject({
    partOf: ['org-county', 'org-state'],
    names: ['Mercy', 'Mercy General', 'County Health', 'State Health'],
  });
  expect(questionAbout('need', aNeed(), { ...asked, consents: [aConsent()] })).toMatchObject({ partOf: [], names: [] });
});
