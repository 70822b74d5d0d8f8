// A referral by hand: ServiceRequest and Task, a Task that asks to cancel it, a Procedure for what came of it, and Communications for what
// the performer says of it. A draft makes only what was said.

import type { ReferralRecord } from '../../../src/records/records.ts';
import type { Concept, TableCoding } from '../tables.ts';
import { sdohcc, urls } from './urls.ts';
import { codeIn, codingIn, concept, head, list, type Out, period, type Run, text, to, toAll } from './values.ts';

const communityService = '464161000124109';

export function request(record: ReferralRecord, run: Run): Out {
  const safe = run.context.record('client', record.clientId)?.preferredContact;
  const reason = text(record.reason, '/reason', run);
  return {
    resourceType: 'ServiceRequest',
    ...head('referral', 'request', record, `${sdohcc}SDOHCC-ServiceRequest`, run),
    extension: list<Out>(
      record.goalIds?.map((id): Out => {
        const valueReference = to('goal', 'goal', id, run);
        return valueReference && { url: urls.resourcePertainsToGoal, valueReference };
      }),
    ),
    basedOn: list([to('referral', 'request', wholeOf(record, run), run)]),
    replaces: list([to('referral', 'request', record.replacesId, run)]),
    status: codeIn(run.tables.referralRequestStatus, record.status, '/status', run),
    intent: record.partOfId === undefined ? 'order' : 'filler-order',
    category: list<Out>([
      { coding: [{ system: urls.usCoreCategory, code: 'sdoh' }] },
      concept(run.tables.sdohReferralCategory, record.domain, '/domain', run),
    ]),
    priority: codeIn(run.tables.requestPriority, record.urgency, '/urgency', run),
    code: serviceCode(record, run),
    orderDetail: isUnsafe(safe)
      ? [{ coding: [{ system: urls.sdohcc, code: 'contacting-subject-prohibited' }] }]
      : undefined,
    subject: to('client', 'patient', record.clientId, run),
    occurrencePeriod: period(record.neededFrom, record.neededBy),
    authoredOn: record.requestedAt ?? record.sentAt,
    requester:
      record.requestedById === undefined
        ? askingOrganization(record, run)
        : to('worker', 'role', record.requestedById, run),
    performer: list<Out>([performingOrganization(record, run), to('service', 'service', record.serviceId, run)]),
    reasonCode: reason === undefined ? undefined : [{ text: reason }],
    reasonReference: toAll('need', 'condition', record.needIds, run),
    insurance: list([to('coverage', 'coverage', record.coverageId, run)]),
    supportingInfo: list([to('consent', 'consent', record.consentId, run)]),
  };
}

/** The incoming referral that it carries out a part of. */
function wholeOf({ partOfId }: ReferralRecord, run: Run): string | undefined {
  const whole = partOfId === undefined ? undefined : run.context.record('referral', partOfId);
  return whole?.direction === 'incoming' ? partOfId : undefined;
}

export function asksToCancel({ status, cancelRequest }: ReferralRecord): boolean {
  return status !== 'draft' && cancelRequest?.at !== undefined;
}

export function cancellation(record: ReferralRecord, run: Run): Out {
  const reason = text(record.cancelRequest?.reason, '/cancelRequest/reason', run);
  const answer = record.direction === 'incoming' ? cancellationAnswer(record) : undefined;
  return {
    resourceType: 'Task',
    ...head('referral', 'cancellation', record, undefined, run),
    status: answer ?? 'requested',
    statusReason: answer === 'rejected' ? { text: 'The referral had ended before it could be cancelled.' } : undefined,
    intent: 'order',
    code: { coding: [{ system: urls.taskCode, code: 'abort' }] },
    focus: to('referral', 'fulfilment', record.id, run),
    for: to('client', 'patient', record.clientId, run),
    authoredOn: record.cancelRequest?.at,
    requester: askingOrganization(record, run),
    owner: performingOrganization(record, run),
    reasonCode: reason === undefined ? undefined : { text: reason },
  };
}

function cancellationAnswer({ status }: ReferralRecord): 'completed' | 'rejected' | undefined {
  if (status === 'cancelled' || status === 'declined') return 'completed';
  return status === 'completed' || status === 'failed' ? 'rejected' : undefined;
}

export function fulfilment(record: ReferralRecord, run: Run): Out {
  return {
    resourceType: 'Task',
    ...head('referral', 'fulfilment', record, `${sdohcc}SDOHCC-TaskForReferralManagement`, run),
    partOf: list([to('referral', 'fulfilment', wholeOf(record, run), run)]),
    status: declinedLate(record) ? 'cancelled' : codeIn(run.tables.referralTaskStatus, record.status, '/status', run),
    statusReason: statusReason(record, run),
    intent: 'order',
    priority: codeIn(run.tables.requestPriority, record.urgency, '/urgency', run),
    code: { coding: [{ system: urls.taskCode, code: 'fulfill' }] },
    focus: to('referral', 'request', record.id, run),
    for: to('client', 'patient', record.clientId, run),
    authoredOn: record.sentAt ?? record.requestedAt ?? record.receivedAt,
    requester: askingOrganization(record, run),
    owner: performingOrganization(record, run),
    output: record.direction === 'incoming' && wasReceived(record) ? outputOf(record, run) : undefined,
    note: list<Out>(
      record.comments?.map(({ id, at: time, byName, byOrganizationId, text: said, visibility }, at) => {
        if (visibility !== 'shared') return undefined;
        const words = text(said, `/comments/${at}/text`, run);
        const author = byOrganizationId === undefined ? text(byName, `/comments/${at}/byName`, run) : undefined;
        const authorReference = to('organization', 'organization', byOrganizationId, run);
        return words === undefined ? undefined : { id, authorReference, authorString: author, time, text: words };
      }),
    ),
  };
}

function outputOf({ id }: ReferralRecord, run: Run): Out {
  const valueReference = to('referral', 'result', id, run);
  const type = { coding: [{ system: urls.sdohcc, code: 'resulting-activity' }] };
  return valueReference && [{ type, valueReference }];
}

function wasReceived({ status, outcome }: ReferralRecord): boolean {
  return status === 'completed' && (outcome?.code === 'service-received' || outcome?.code === 'partly-received');
}

/** Ours to tell where we perform, and for a partner who has no FHIR. */
export function hasResult(record: ReferralRecord): boolean {
  const { direction, channel } = record;
  return wasReceived(record) && (direction === 'incoming' || (channel !== undefined && channel !== 'fhir'));
}

export function result(record: ReferralRecord, run: Run): Out {
  const { outcome, history } = record;
  const actor = performingOrganization(record, run);
  const domain = codingsOf(concept(run.tables.sdohReferralCategory, record.domain, '/domain', run)).slice(0, 1);
  const done = concept(run.tables.referralOutcome, outcome?.code, '/outcome/code', run);
  return {
    resourceType: 'Procedure',
    ...head('referral', 'result', record, `${sdohcc}SDOHCC-Procedure`, run),
    extension: list<Out>(
      record.goalIds?.map((id): Out => {
        const valueReference = to('goal', 'goal', id, run);
        return valueReference && { url: urls.resourcePertainsToGoal, valueReference };
      }),
    ),
    basedOn: list([to('referral', 'request', record.id, run)]),
    status: 'completed',
    category: { coding: [{ system: urls.sct, code: '410606002' }, ...domain] },
    code: serviceCode(record, run),
    subject: to('client', 'patient', record.clientId, run),
    performedDateTime: outcome?.at ?? history.findLast((step) => step.status === 'completed')?.at,
    performer: actor === undefined ? undefined : [{ actor }],
    reasonReference: toAll('need', 'condition', record.needIds, run),
    outcome: done && { coding: done.coding, text: text(outcome?.text, '/outcome/text', run) },
  };
}

/** Index in the comments of each that goes to the side that refers. */
export function saidIn({ direction, comments }: ReferralRecord): readonly number[] {
  if (direction !== 'incoming') return [];
  return comments?.flatMap(({ visibility }, at) => (visibility === 'shared' ? [at] : [])) ?? [];
}

export function message(at: number, record: ReferralRecord, run: Run): Out {
  const said = record.comments?.[at];
  const display = text(said?.byName, `/comments/${at}/byName`, run);
  return {
    ...communication(`message[${said?.id}]`, record, run),
    sent: said?.at,
    sender: display === undefined ? undefined : { display },
    payload: payload([text(said?.text, `/comments/${at}/text`, run)]),
  };
}

export function hasAnswer({ direction, status, declineText, outcome }: ReferralRecord): boolean {
  if (direction !== 'incoming') return false;
  return status === 'declined' ? declineText !== undefined : hasEnded(status) && outcome !== undefined;
}

export function answer(record: ReferralRecord, run: Run): Out {
  const { status, declineText, outcome, history } = record;
  const lastAt = (of: ReferralRecord['status']): string | undefined =>
    history.findLast((step) => step.status === of)?.at;
  const declined = status === 'declined' ? text(declineText, '/declineText', run) : undefined;
  return {
    ...communication('answer', record, run),
    sent: (hasEnded(status) ? outcome?.at : undefined) ?? lastAt('declined') ?? lastAt('completed') ?? lastAt('failed'),
    payload: hasEnded(status)
      ? payload([
          status === 'completed' ? 'Completed.' : 'Ended without success.',
          outcome && run.tables.referralOutcome.words(outcome.code),
          text(outcome?.text, '/outcome/text', run),
        ])
      : payload([declined === undefined ? undefined : `Declined: ${declined}`]),
  };
}

function hasEnded(status: ReferralRecord['status']): boolean {
  return status === 'completed' || status === 'failed';
}

function communication(slot: string, record: ReferralRecord, run: Run) {
  return {
    resourceType: 'Communication',
    ...head('referral', slot, record, undefined, run),
    basedOn: list([to('referral', 'request', record.id, run)]),
    partOf: list([to('referral', 'fulfilment', record.id, run)]),
    status: 'completed',
    category: [{ coding: [{ system: urls.communicationCategory, code: 'notification' }] }],
    subject: to('client', 'patient', record.clientId, run),
  };
}

function payload(said: readonly (string | undefined)[]): Out {
  return list<Out>(said.map((contentString) => (contentString === undefined ? undefined : { contentString })));
}

function codingsOf(found: Concept | undefined): readonly TableCoding[] {
  return found?.coding ?? [];
}

function isUnsafe(preferredContact: unknown): boolean {
  return (
    typeof preferredContact === 'object' &&
    preferredContact !== null &&
    'safeToContact' in preferredContact &&
    preferredContact.safeToContact === false
  );
}

function serviceCode({ requestedService, requestedText, serviceId }: ReferralRecord, run: Run): Out {
  const words = text(requestedText, '/requestedText', run);
  if (requestedService !== undefined) {
    const table = run.tables.sdohIntervention;
    const found = concept(table, requestedService, '/requestedService', run);
    return found && { coding: found.coding, text: requestedText === undefined ? table.words(requestedService) : words };
  }
  const coding = [{ system: urls.sct, code: communityService }];
  if (requestedText !== undefined) return { coding, text: words };
  const name = serviceId === undefined ? undefined : run.context.record('service', serviceId)?.name;
  return { coding, text: typeof name === 'string' ? name.trim() : 'Community service' };
}

function askingOrganization({ requesterOrganizationId, caseId }: ReferralRecord, run: Run): Out {
  const id = requesterOrganizationId ?? run.context.record('case', caseId)?.organizationId;
  return to('organization', 'organization', typeof id === 'string' ? id : undefined, run);
}

function performingOrganization({ organizationId, serviceId }: ReferralRecord, run: Run): Out {
  const id =
    organizationId ?? (serviceId === undefined ? undefined : run.context.record('service', serviceId)?.organizationId);
  return to('organization', 'organization', typeof id === 'string' ? id : undefined, run);
}

/** Once accepted, a referral can no longer be rejected. */
function declinedLate({ status, history }: ReferralRecord): boolean {
  return (
    status === 'declined' &&
    history.some((step) => step.status === 'accepted' || step.status === 'in-progress' || step.status === 'on-hold')
  );
}

function statusReason(record: ReferralRecord, run: Run): Out {
  const { status, history, declineReason, declineText, waitlist, outcome, cancelRequest } = record;
  const reasons = run.tables.referralReason;
  const local = (code: string): Out => ({ system: `${run.context.identifierSystem}/CodeSystem/referral-reason`, code });
  const lastReason = (): string | undefined => history.findLast((step) => step.status === status)?.reason;
  switch (status) {
    case 'declined': {
      const given = codingIn(reasons, declineReason, '/declineReason', run);
      const late = declinedLate(record) ? local('declined-after-acceptance') : undefined;
      const words =
        declineText === undefined
          ? declineReason && reasons.words(declineReason)
          : text(declineText, '/declineText', run);
      return concreteReason(given && list<Out>([late, given]), words);
    }
    case 'waitlisted': {
      const expected = waitlist?.expectedOn;
      return concreteReason(
        [local('waitlisted')],
        expected === undefined ? 'Waiting list' : `Waiting list, expected ${expected}`,
      );
    }
    case 'failed': {
      const table = run.tables.referralOutcome;
      const given = codingIn(table, outcome?.code, '/outcome/code', run);
      const words =
        outcome?.text === undefined ? outcome && table.words(outcome.code) : text(outcome.text, '/outcome/text', run);
      return concreteReason(given && [given], words);
    }
    case 'cancelled': {
      const asked = cancelRequest?.reason;
      const words =
        asked === undefined ? text(lastReason(), '/history', run) : text(asked, '/cancelRequest/reason', run);
      return concreteReason(undefined, words);
    }
    case 'on-hold':
      return concreteReason(undefined, text(lastReason(), '/history', run));
    default:
      return undefined;
  }
}

function concreteReason(coding: Out, words: string | undefined): Out {
  return coding === undefined && words === undefined ? undefined : { coding, text: words };
}
