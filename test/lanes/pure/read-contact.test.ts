// What a partner's message or appointment tells of a contact with the client (closed-loop B2): one row for each thing that makes it one or not.

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { readContact } from '../../../src/lanes/inbound/read-contact.ts';

const client = { reference: 'Patient/rosa' };
const agency = { reference: 'Organization/riverside' };
const at = '2026-02-05T09:00:00-05:00';

const message: JsonObject = {
  resourceType: 'Communication',
  status: 'completed',
  partOf: [{ reference: 'Task/t1' }],
  subject: client,
  recipient: [client],
  sent: at,
  meta: { lastUpdated: '2026-02-05T15:00:00Z' },
};

const visit: JsonObject = {
  resourceType: 'Appointment',
  status: 'fulfilled',
  basedOn: [{ reference: 'ServiceRequest/o1' }],
  start: at,
  participant: [{ actor: client, status: 'accepted' }],
};

const read = (resource: JsonObject) =>
  readContact(resource, {
    baseUrl: 'https://pantry.example.org/r4',
    names: ['Task/t1', 'ServiceRequest/o1'],
    patients: ['rosa'],
    sentAt: Date.parse('2026-02-04T10:00:00-05:00'),
    isOurs: ({ reference }) => reference === agency.reference,
  });

const coded = (code: string) => ({ coding: [{ code }] });

describe('the client was reached', () => {
  test.each<[string, JsonObject]>([
    ['by a message on the Task', message],
    ['by a message on the order', { ...message, partOf: [], basedOn: [{ reference: 'ServiceRequest/o1' }] }],
    [
      'by one about the Task, named in full',
      { ...message, partOf: [], about: [{ reference: 'https://pantry.example.org/r4/Task/t1' }] },
    ],
    ['by one that names its time of arrival only', { ...message, sent: '2026-02-05', received: at }],
    ['where the client writes', { ...message, sender: client, recipient: [{ display: 'Pantry' }] }],
    ['where the chart is not named', { ...message, subject: null }],
    ['at an appointment that took place', visit],
    ['at one that the client came to', { ...visit, status: 'arrived' }],
    ['at one that the client waits for there', { ...visit, status: 'checked-in' }],
  ])('%s', (_, resource) => {
    expect(read(resource)).toMatchObject({ kind: 'reached', at, outcome: 'reached' });
  });

  test.each([
    ['PHONE', 'phone'],
    ['FACE', 'in-person'],
    ['VIDEOCONF', 'video'],
  ])('%s is %s', (code, mode) => {
    expect(read({ ...message, medium: [coded(code)] })).toMatchObject({ mode });
  });
});

describe('somebody tried', () => {
  test.each<[string, JsonObject, string]>([
    ['and gives no reason', { status: 'not-done' }, 'no-answer'],
    ['nobody answered', { status: 'not-done', statusReason: coded('recipient-unavailable') }, 'no-answer'],
    ['the number is wrong', { status: 'not-done', statusReason: coded('invalid-phone-number') }, 'wrong-number'],
    ['the client did not want it', { status: 'not-done', statusReason: coded('patient-objection') }, 'client-declined'],
    ['a voicemail, called done', { medium: [{ text: 'Voicemail' }] }, 'left-message'],
  ])('%s', (_, changed, outcome) => {
    expect(read({ ...message, ...changed })).toMatchObject({ kind: 'attempt', at, outcome });
  });

  test('at the time at which it was written down, where it was not sent', () => {
    const { sent: _sent, ...untimed } = message;
    expect(read({ ...untimed, status: 'not-done' })).toMatchObject({ at: '2026-02-05T15:00:00Z' });
  });
});

describe('no contact with the client', () => {
  test.each<[string, JsonObject]>([
    ['a message to us about the client', { ...message, recipient: [agency] }],
    ['one of ours to the client', { ...message, sender: agency }],
    ['one of the client to us', { ...message, sender: client, recipient: [agency] }],
    ['one to nobody', { ...message, recipient: [] }],
    ['one with another patient', { ...message, recipient: [{ reference: 'Patient/luis' }] }],
    ['one in the chart of another patient', { ...message, subject: { reference: 'Patient/luis' } }],
    [
      'one with a patient of the same id elsewhere',
      { ...message, recipient: [{ reference: 'https://other.example.org/r4/Patient/rosa' }] },
    ],
    ['one about another Task', { ...message, partOf: [{ reference: 'Task/t2' }] }],
    ['one about nothing', { ...message, partOf: [] }],
    ['one without a time', { ...message, sent: '2026-02-05' }],
    ['one before the referral was sent', { ...message, sent: '2026-02-04T09:59:59-05:00' }],
    ['one that is under way', { ...message, status: 'in-progress' }],
    ['one that was stopped', { ...message, status: 'stopped' }],
    ['one entered in error', { ...message, status: 'entered-in-error' }],
    ['one whose status is no text', { ...message, status: 7 }],
    ['an appointment that is booked', { ...visit, status: 'booked' }],
    ['one that the client missed', { ...visit, status: 'noshow' }],
    ['one for something else', { ...visit, basedOn: [{ reference: 'ServiceRequest/o2' }] }],
    [
      'one of another patient',
      { ...visit, participant: [{ actor: { reference: 'Patient/luis' }, status: 'accepted' }] },
    ],
    ['one that the client has declined', { ...visit, participant: [{ actor: client, status: 'declined' }] }],
    ['one without a time', { ...visit, start: null }],
    ['one before the referral was sent', { ...visit, start: '2026-02-01T09:00:00-05:00' }],
  ])('%s', (_, resource) => {
    expect(read(resource)).toBeUndefined();
  });
});
