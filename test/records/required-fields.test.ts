// records.md, column R: what each type demands always, and what under a condition (C).

import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/json.ts';
import { type RecordType, recordTypes } from '../../src/records/records.ts';
import { changed, errorsOf, refusals } from './parse.ts';

const required: Record<RecordType, string[]> = {
  organization: ['id', 'updatedAt', 'name', 'kind'],
  worker: ['id', 'updatedAt', 'name', 'role', 'organizationId'],
  service: ['id', 'updatedAt', 'organizationId', 'name', 'status', 'domains'],
  client: ['id', 'updatedAt', 'names'],
  case: ['id', 'updatedAt', 'clientId', 'organizationId', 'status'],
  consent: ['id', 'updatedAt', 'clientId', 'status', 'scope', 'recipients', 'recordTypes', 'givenBy'],
  coverage: ['id', 'updatedAt', 'clientId', 'kind', 'status'],
  assessment: ['id', 'updatedAt', 'clientId', 'caseId', 'instrument', 'status'],
  hospitalStay: ['id', 'updatedAt', 'clientId', 'caseId', 'kind', 'admittedAt', 'knownAt'],
  incident: [
    'id',
    'updatedAt',
    'clientId',
    'caseId',
    'kind',
    'occurredAt',
    'discoveredAt',
    'severity',
    'description',
    'status',
  ],
  need: ['id', 'updatedAt', 'clientId', 'caseId', 'domain', 'status', 'riskLevel', 'identifiedOn'],
  goal: ['id', 'updatedAt', 'clientId', 'caseId', 'statement', 'domain', 'status', 'startsOn', 'responsible'],
  safetyPlan: ['id', 'updatedAt', 'clientId', 'caseId', 'status', 'warningSigns'],
  referral: ['id', 'updatedAt', 'clientId', 'caseId', 'direction', 'domain', 'urgency', 'status', 'history'],
  intervention: ['id', 'updatedAt', 'clientId', 'caseId', 'kind', 'status', 'responsible'],
  carePlan: ['id', 'updatedAt', 'clientId', 'caseId', 'title', 'status'],
  appointment: ['id', 'updatedAt', 'clientId', 'caseId', 'kind', 'status', 'startsAt'],
  note: ['id', 'updatedAt', 'clientId', 'caseId', 'kind', 'text', 'occurredAt', 'authorId', 'status'],
  improvementIdea: ['id', 'updatedAt', 'kind', 'title', 'status'],
};

describe.each(recordTypes)('%s', (type) => {
  test.each(required[type])('without %s is refused', (name) => {
    expect(errorsOf(type, changed(type, { [name]: undefined }))).toContainEqual({
      pointer: `/${name}`,
      rule: 'required',
      found: 'missing',
      message: `/${name} is required. Add it.`,
    });
  });

  test('may lack everything but id and updatedAt when it is a deletion mark', () => {
    expect(refusals(type, { id: 'x1', updatedAt: '2026-02-01T10:00:00Z', deleted: true })).toEqual([]);
    expect(refusals(type, { deleted: true })).toEqual(expect.arrayContaining(['/id required', '/updatedAt required']));
    expect(refusals(type, { id: 'x1', updatedAt: '2026-02-01T10:00:00Z', deleted: false })).not.toEqual([]);
  });

  test('as a deletion mark still has no wrong fields', () => {
    const mark = { id: 'x1', updatedAt: '2026-02-01T10:00:00Z', deleted: true };
    expect(refusals(type, { ...mark, colour: 'blue' })).toEqual(['/colour unknown-property']);
    expect(refusals(type, { ...mark, createdAt: 'yesterday' })).toEqual(['/createdAt instant']);
  });

  test.each([null, 7, 'text', true, [[]]].map((value) => [JSON.stringify(value), value] as const))(
    'is not %s',
    (_, value) => {
      expect(refusals(type, value)).toEqual([' type']);
    },
  );
});

type Row = [given: string, type: RecordType, changes: { [name: string]: Json | undefined }, refused: string[]];

const declined = { id: 'h3', status: 'declined', at: '2026-02-05T10:00:00Z' };
const move = (status: string) => ({ status, history: [{ id: 'h1', status, at: '2026-02-05T10:00:00Z' }] });

test.each<Row>([
  ['an open case without openedOn', 'case', { openedOn: undefined }, ['/openedOn required']],
  ['a case in intake without openedOn', 'case', { status: 'intake', openedOn: undefined }, []],
  ['a closed case without closeReason', 'case', { status: 'closed' }, ['/closeReason required']],
  [
    'a closed case with closeReason',
    'case',
    { status: 'closed', closeReason: 'goals-met', assignments: undefined },
    [],
  ],
  ['a revoked consent without revokedAt', 'consent', { status: 'revoked' }, ['/revokedAt required']],
  ['a revoked consent with revokedAt', 'consent', { status: 'revoked', revokedAt: '2026-02-20T09:00:00Z' }, []],
  ['a Part 2 consent without part2', 'consent', { sensitivity: ['hiv', 'substance-use-part2'] }, ['/part2 required']],
  [
    'a Part 2 consent with part2',
    'consent',
    { sensitivity: ['substance-use-part2'], part2: { redisclosureNotice: true } },
    [],
  ],
  ['a consent for another sensitivity', 'consent', { sensitivity: ['hiv'] }, []],
  ['an active goal without targets', 'goal', { targets: undefined }, ['/targets required']],
  ['an active goal with no target', 'goal', { targets: [] }, ['/targets min-items']],
  ['a proposed goal without targets', 'goal', { status: 'proposed', targets: undefined }, []],
  ['a completed goal without achievement', 'goal', { status: 'completed' }, ['/achievement required']],
  ['a completed goal that was not achieved', 'goal', { status: 'completed', achievement: 'not-achieved' }, []],
  ['an active plan without startsOn', 'carePlan', { startsOn: undefined }, ['/startsOn required']],
  ['a draft plan without startsOn', 'carePlan', { status: 'draft', startsOn: undefined }, []],
  ['a sent referral without sentAt', 'referral', { sentAt: undefined }, ['/sentAt required']],
  ['a draft referral without sentAt', 'referral', { ...move('draft'), sentAt: undefined }, []],
  ['a cancelled draft without sentAt', 'referral', { ...move('cancelled'), sentAt: undefined }, []],
  [
    'an incoming referral without requester',
    'referral',
    { direction: 'incoming', requesterOrganizationId: undefined },
    ['/requesterOrganizationId required'],
  ],
  [
    'an incoming referral with receivedAt only',
    'referral',
    { ...move('received'), direction: 'incoming', sentAt: undefined, receivedAt: '2026-02-04T10:00:00Z' },
    [],
  ],
  [
    'an incoming referral with no time at all',
    'referral',
    { ...move('received'), direction: 'incoming', sentAt: undefined },
    [' one-of-required'],
  ],
  ['a completed referral without outcome', 'referral', move('completed'), ['/outcome required']],
  ['a failed referral without outcome', 'referral', move('failed'), ['/outcome required']],
  [
    'a completed referral with outcome',
    'referral',
    { ...move('completed'), outcome: { code: 'service-received' } },
    [],
  ],
  ['a declined referral without reason', 'referral', move('declined'), ['/declineReason required']],
  [
    'a declined referral with reason',
    'referral',
    { status: 'declined', history: [declined], declineReason: 'no-capacity', declineText: 'Full.' },
    [],
  ],
  ['a waitlisted referral without waitlist', 'referral', move('waitlisted'), ['/waitlist required']],
  ['a waitlisted referral with waitlist', 'referral', { ...move('waitlisted'), waitlist: { position: 3 } }, []],
  ['a sensitive referral without consent', 'referral', { sensitivity: ['hiv'] }, ['/consentId required']],
  ['a sensitive referral with consent', 'referral', { sensitivity: ['hiv'], consentId: 'consent-rosa' }, []],
  ['a referral with an empty list of sensitivities', 'referral', { sensitivity: [] }, []],
  [
    'a referral for nothing',
    'referral',
    { serviceId: undefined, organizationId: undefined, requestedService: undefined, requestedText: undefined },
    [' one-of-required'],
  ],
  [
    'a referral for a text only',
    'referral',
    { serviceId: undefined, organizationId: undefined, requestedService: undefined },
    [],
  ],
  [
    'a referral for a service only',
    'referral',
    { organizationId: undefined, requestedService: undefined, requestedText: undefined },
    [],
  ],
  ['a completed assessment without completedAt', 'assessment', { completedAt: undefined }, ['/completedAt required']],
  ['a completed assessment without items', 'assessment', { items: undefined }, ['/items required']],
  ['a completed assessment with no item', 'assessment', { items: [] }, ['/items min-items']],
  [
    'a biopsychosocial all in sections',
    'assessment',
    { instrument: 'biopsychosocial', items: undefined, sections: [{ code: 'family', text: 'Two sons.' }] },
    [],
  ],
  ['an empty biopsychosocial', 'assessment', { instrument: 'biopsychosocial', items: undefined }, [' one-of-required']],
  [
    'an assessment in progress without items',
    'assessment',
    { status: 'in-progress', items: undefined, completedAt: undefined },
    [],
  ],
  ['a declined assessment without reason', 'assessment', { status: 'declined' }, ['/declineReason required']],
  ['a declined assessment with a reason', 'assessment', { status: 'declined', declineReason: 'Not today.' }, []],
  ['an intervention that nobody carries out', 'intervention', { responsible: [] }, ['/responsible min-items']],
  ['a rescheduled appointment without another', 'appointment', { status: 'rescheduled' }, ['/replacedById required']],
  ['a rescheduled appointment with another', 'appointment', { status: 'rescheduled', replacedById: 'a2' }, []],
  ['a coverage without member id', 'coverage', { memberId: undefined }, ['/memberId required']],
  ['a private payer without member id', 'coverage', { kind: 'private-pay', memberId: undefined }, []],
  ['no insurance', 'coverage', { kind: 'none', memberId: undefined }, []],
  ['a signed note without signedAt', 'note', { signedAt: undefined }, ['/signedAt required']],
  ['an amended note without signedAt', 'note', { status: 'amended', signedAt: undefined }, ['/signedAt required']],
  ['a draft without signedAt', 'note', { status: 'draft', signedAt: undefined }, []],
  ['a note in error that was never signed', 'note', { status: 'entered-in-error', signedAt: undefined }, []],
  ['a stay nowhere', 'hospitalStay', { hospitalId: undefined }, [' one-of-required']],
  ['a stay at a hospital known by name', 'hospitalStay', { hospitalId: undefined, hospitalName: 'Mercy Hospital' }, []],
  [
    'a discharge without disposition',
    'hospitalStay',
    { dischargedAt: '2026-02-20T11:00:00Z' },
    ['/disposition required'],
  ],
  ['a discharge with disposition', 'hospitalStay', { dischargedAt: '2026-02-20T11:00:00Z', disposition: 'home' }, []],
  ['a safety plan without warning signs', 'safetyPlan', { warningSigns: [] }, ['/warningSigns min-items']],
  ['an improvement idea of one case', 'improvementIdea', { caseId: 'case-rosa' }, []],
  [
    'an improvement idea about a client',
    'improvementIdea',
    { clientId: 'client-rosa' },
    ['/clientId unknown-property'],
  ],
  ['a client without a name item', 'client', { names: [] }, ['/names min-items']],
  ['a service for no domain', 'service', { domains: [] }, ['/domains min-items']],
  ['a referral without moves', 'referral', { history: [] }, ['/history min-items']],
  ['a goal that nobody works on', 'goal', { responsible: [] }, ['/responsible min-items']],
  ['a consent to nobody', 'consent', { recipients: [] }, ['/recipients min-items']],
])('%s: %j', (_given, type, changes, refused) => {
  expect(refusals(type, changed(type, changes))).toEqual(refused);
});

test.each<Row>([
  [
    'a name without family or given',
    'client',
    { names: [{ use: 'legal', prefix: 'Dr' }] },
    ['/names/0 one-of-required'],
  ],
  ['a name with no given names', 'client', { names: [{ use: 'legal', given: [] }] }, ['/names/0 one-of-required']],
  ['a name with one part', 'client', { names: [{ use: 'legal', given: ['Cher'] }] }, []],
  ['a worker without any name', 'worker', { name: {} }, ['/name one-of-required']],
  ['a phone without number', 'client', { phones: [{ id: 'p1' }] }, ['/phones/0/number required']],
  ['an address without item id', 'client', { addresses: [{ city: 'Albany' }] }, ['/addresses/0/id required']],
  ['an identifier without value', 'client', { identifiers: [{ kind: 'hmis' }] }, ['/identifiers/0/value required']],
  [
    'an assignment without worker',
    'case',
    { assignments: [{ id: 'a1', role: 'primary' }] },
    ['/assignments/0/workerId required'],
  ],
  [
    'a household member who is nobody',
    'case',
    { household: [{ id: 'm1', relationship: 'child' }] },
    ['/household/0 one-of-required'],
  ],
  ['a recipient who is nobody', 'consent', { recipients: [{}] }, ['/recipients/0 one-of-required']],
  ['a recipient by class', 'consent', { recipients: [{ class: 'my treating providers' }] }, []],
  [
    'a target that says nothing',
    'goal',
    { targets: [{ id: 't1', dueOn: '2026-05-01' }] },
    ['/targets/0 one-of-required'],
  ],
  ['an addendum without text', 'note', { addenda: [{ id: 'a1', kind: 'addendum' }] }, ['/addenda/0/text required']],
  ['a section without text', 'note', { sections: [{ code: 'plan' }] }, ['/sections/0/text required']],
  ['a co-signature of nobody', 'note', { coSigner: { at: '2026-02-10T09:00:00Z' } }, ['/coSigner/workerId required']],
  ['a person who is nobody', 'incident', { people: [{ role: 'witness' }] }, ['/people/0 one-of-required']],
  [
    'a call to nobody',
    'incident',
    { emergencyServices: [{ reference: '26-114' }] },
    ['/emergencyServices/0/kind required'],
  ],
  ['a report to nobody', 'incident', { reportedTo: [{ mandated: true }] }, ['/reportedTo/0/agency required']],
  ['an action without text', 'incident', { actions: [{ id: 'a1' }] }, ['/actions/0/text required']],
  ['a contact without id', 'safetyPlan', { supportContacts: [{ name: 'Ana' }] }, ['/supportContacts/0/id required']],
  [
    'a diagnosis without system',
    'hospitalStay',
    { diagnosisCodes: [{ code: 'I50.9' }] },
    ['/diagnosisCodes/0/system required'],
  ],
  ['a move without time', 'referral', { history: [{ id: 'h1', status: 'sent' }] }, ['/history/0/at required']],
  [
    'a comment without text',
    'referral',
    { comments: [{ id: 'c1', at: '2026-02-05T10:00:00Z' }] },
    ['/comments/0/text required'],
  ],
  [
    'a major event without knownAt',
    'carePlan',
    { majorEvents: [{ id: 'e1', kind: 'crisis' }] },
    ['/majorEvents/0/knownAt required'],
  ],
  ['an item without code', 'assessment', { items: [{ answer: { bool: true } }] }, ['/items/0/code required']],
  [
    'an answer that says nothing',
    'assessment',
    { items: [{ code: 'a', answer: {} }] },
    ['/items/0/answer one-of-required'],
  ],
  [
    'no choice of several',
    'assessment',
    { items: [{ code: 'a', answer: { codes: [] } }] },
    ['/items/0/answer/codes min-items'],
  ],
  ['a score without value', 'assessment', { scores: [{ code: 'total' }] }, ['/scores/0/value required']],
  ['a section without text', 'assessment', { sections: [{ code: 'family' }] }, ['/sections/0/text required']],
  ['a delivery without time', 'intervention', { deliveries: [{ id: 'd1' }] }, ['/deliveries/0/at required']],
  ['a ride that nobody says is needed', 'appointment', { transport: { kind: 'nemt' } }, ['/transport/needed required']],
  ['a reminder without time', 'appointment', { reminders: [{ channel: 'text' }] }, ['/reminders/0/at required']],
  [
    'an authorization without id',
    'coverage',
    { authorizations: [{ number: 'PA-1' }] },
    ['/authorizations/0/id required'],
  ],
  [
    'a verification without id',
    'coverage',
    { verifications: [{ result: 'active' }] },
    ['/verifications/0/id required'],
  ],
  [
    'an origin without id',
    'case',
    { origin: { connection: 'general', resourceType: 'Task' } },
    ['/origin/id required'],
  ],
])('%s', (_given, type, changes, refused) => {
  expect(refusals(type, changed(type, changes))).toEqual(refused);
});
