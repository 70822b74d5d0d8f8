// May this record go to this receiver? A pure decision per (client, receiving organization, record type, sensitivity, time).
// Consents are the client's own records; a revoked, expired or future one permits nothing, and a later refusal takes back an earlier one. Doubt is in
// favour of the client: what cannot be told whom it is for permits nobody, and refuses everybody.

import { type Reason, reason } from '../errors.ts';
import { isObject, type Json, type JsonObject, listOf } from '../json.ts';
import { aheadLimitMs } from '../records/records.ts';

export interface ConsentQuestion {
  /** `treatment`: the client's hospital, which needs consent only for sensitive content and a safety plan; `consent`: everybody else. */
  readonly basis: 'treatment' | 'consent';
  /** The receiving organization's record id in the client's source, where the connection names one. */
  readonly organization: string | undefined;
  /** The connection's id: consents given to a name may use it where no organization record exists. */
  readonly connection: string;
  /** Ids of the others: a refusal that names one of these is for that one alone. */
  readonly otherConnections?: readonly string[];
  /** Record ids, in the client's source, of the organizations of the others; they count where `organization` is undefined. */
  readonly otherOrganizations?: readonly string[];
  /** Record ids of the organizations that the receiving one is a part of, over any number of steps: who refuses the whole refuses its parts. */
  readonly partOf?: readonly string[];
  /** What the receiving organization and those are called: a refusal may name them so. */
  readonly names?: readonly string[];
  readonly recordType: string;
  readonly sensitivity: readonly string[];
  /** Where a consent itself is asked about: whom it names. */
  readonly recipients?: readonly Json[];
  /** All consent records of the client. */
  readonly consents: readonly JsonObject[];
  /** `YYYY-MM-DD`, where the client's source is. */
  readonly today: string;
  /** Epoch ms. */
  readonly now: number;
}

/** The rules by which `withheldBy` withholds. */
const rules = [
  'consent-missing',
  'consent-type',
  'consent-refused',
  'consent-sensitivity',
  'consent-unsigned',
  'consent-of-others',
];

/** True for a reason that `withheldBy` gives: the receiver may have it again once the client agrees. */
export function isForConsent({ code }: Reason): boolean {
  return rules.includes(code);
}

/** Undefined: permitted. Else the rule that withholds it. */
export function withheldBy(question: ConsentQuestion): Reason | undefined {
  if (isOfOthers(question)) return reason('consent-of-others');
  const isImplied = question.basis === 'treatment' && question.sensitivity.length === 0;
  if (isImplied && !alwaysAsked.includes(question.recordType)) {
    return isRefusedByName(question) ? reason('consent-refused', { recordType: question.recordType }) : undefined;
  }
  const inForce = question.consents.filter((consent) => isInForce(consent, question));
  if (inForce.length === 0) return reason('consent-missing', { recordType: question.recordType });
  const naming = inForce.filter((consent) => namesType(consent, question.recordType));
  if (naming.length === 0) return reason('consent-type', { recordType: question.recordType });
  const refusals = question.consents.filter((consent) => isRefusal(consent, question));
  const standing = naming.filter((consent) => stands(consent, question, refusals));
  if (standing.length === 0) return reason('consent-refused', { recordType: question.recordType });
  const allows = (consent: JsonObject, label: string) =>
    listOf(consent.sensitivity).includes(label) &&
    !refusals.some(
      (refusal) =>
        listOf(refusal.sensitivity).includes(label) && isRefusedBy(refusal, consent, question.recordType, question.now),
    );
  // 42 CFR 2.31(a)(8) and (9) ask for the signature and its date.
  const signed = standing.filter((consent) => signedAt(consent, question.now) !== undefined);
  const labels = question.sensitivity.filter((label) => !signed.some((consent) => allows(consent, label)));
  if (labels.length === 0) return undefined;
  const lacksSignature = labels.every((label) => standing.some((consent) => allows(consent, label)));
  return reason(lacksSignature ? 'consent-unsigned' : 'consent-sensitivity', { recordType: question.recordType });
}

/** Treatment needs no consent; but a client who says no to this very receiver, for this very type, is heard until a later consent says otherwise. */
function isRefusedByName(question: ConsentQuestion): boolean {
  const { consents, recordType } = question;
  const refusals = consents.filter(
    (consent) =>
      isRefusal(consent, question) &&
      listOf(consent.recipients).some((recipient) => isNamedToRefuse(recipient, question)) &&
      listOf(consent.recordTypes).includes(recordType) &&
      listOf(consent.sensitivity).length === 0,
  );
  const isPermitted = consents.some(
    (consent) => isInForce(consent, question) && namesType(consent, recordType) && stands(consent, question, refusals),
  );
  return refusals.length > 0 && !isPermitted;
}

/** Whom else a client lets know, or does not, is nobody's business but the client's hospital's. */
function isOfOthers({ recordType, recipients = [], ...receiver }: ConsentQuestion): boolean {
  return recordType === 'consent' && receiver.basis === 'consent' && recipientsTold(recipients, receiver).length === 0;
}

/** Those of a consent's recipients that the receiver learns of. */
export function recipientsTold(recipients: readonly Json[], receiver: Receiver): readonly Json[] {
  return recipients.filter((one) => isTold(one, receiver));
}

/** Whether the receiver learns that a consent names this recipient. */
export function isTold(recipient: Json, receiver: Receiver): boolean {
  return receiver.basis === 'treatment' || isReceiver(recipient, receiver);
}

/** The client's own plan for a crisis names other people and what the client lives for: it goes nowhere without being named (design section 7). */
const alwaysAsked = ['safetyPlan'];

/**
 * The next day, `YYYY-MM-DD`, on which a consent to this receiver comes into force or is in force no more; undefined: none does by the calendar alone.
 */
export function nextConsentDay(question: Receiver & Pick<ConsentQuestion, 'consents' | 'today'>): string | undefined {
  return question.consents
    .filter((consent) => mayBeInForce(consent, question))
    .flatMap(({ period }) => (isObject(period) ? [period.from, dayAfter(period.to)] : []))
    .filter((day): day is string => typeof day === 'string' && day > question.today)
    .sort()[0];
}

/** When the next signature of a consent to this receiver begins to count that lies in the future, epoch ms; undefined: none does. */
export function nextSignature({
  consents,
  now,
  ...receiver
}: Receiver & Pick<ConsentQuestion, 'consents' | 'now'>): number | undefined {
  const begins = consents
    .filter((consent) => mayBeInForce(consent, receiver))
    .flatMap((consent) => timeOf(consent.signedAt) ?? [])
    .map((at) => at - aheadLimitMs)
    .filter((at) => at > now);
  return begins.length === 0 ? undefined : Math.min(...begins);
}

function dayAfter(day: Json | undefined): string | undefined {
  if (typeof day !== 'string') return undefined;
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

const sharing = ['share-care-plan', 'referral', 'treatment-payment-operations', 'data-exchange'];

/** Who is asked about: all but what. */
export type Receiver = Pick<
  ConsentQuestion,
  'basis' | 'organization' | 'connection' | 'otherConnections' | 'otherOrganizations'
>;

function isInForce(consent: JsonObject, question: ConsentQuestion): boolean {
  const period = isObject(consent.period) ? consent.period : {};
  return (
    mayBeInForce(consent, question) &&
    (typeof period.from !== 'string' || period.from <= question.today) &&
    (typeof period.to !== 'string' || question.today <= period.to)
  );
}

/** It is, within its period. */
function mayBeInForce(consent: JsonObject, receiver: Receiver): boolean {
  return (
    consent.status === 'active' &&
    consent.revokedAt === undefined &&
    isAboutSharing(consent) &&
    listOf(consent.recipients).some((recipient) => isReceiver(recipient, receiver))
  );
}

/** The client has said no. That ends with no period. */
function isRefusal(consent: JsonObject, question: ConsentQuestion): boolean {
  return (
    consent.status === 'declined' &&
    isAboutSharing(consent) &&
    listOf(consent.recipients).some((recipient) => mayBeReceiver(recipient, question))
  );
}

/** Whether a consent still lets the type go. What goes with whatever else is permitted goes as long as anything else does. */
function stands(
  consent: JsonObject,
  { recordType, now }: Pick<ConsentQuestion, 'recordType' | 'now'>,
  refusals: readonly JsonObject[],
): boolean {
  // One that names sensitive content refuses that alone.
  const whole = refusals.filter((refusal) => listOf(refusal.sensitivity).length === 0);
  const isLeft = (type: Json) => !whole.some((refusal) => isRefusedBy(refusal, consent, type, now));
  const named = listOf(consent.recordTypes);
  return impliedTypes.includes(recordType) && named.length > 0 ? named.some(isLeft) : isLeft(recordType);
}

/** What is signed in one sitting bears one time: then the no counts. */
function isRefusedBy(refusal: JsonObject, consent: JsonObject, recordType: Json, now: number): boolean {
  // What nobody has signed counts as older than all that is.
  const agreedAt = signedAt(consent, now) ?? Number.NEGATIVE_INFINITY;
  return listOf(refusal.recordTypes).includes(recordType) && refusedAt(refusal) >= agreedAt;
}

/** Epoch ms; undefined: it is not said, or lies in the future, which nobody can have signed. */
function signedAt({ signedAt: at }: JsonObject, now: number): number | undefined {
  const ms = timeOf(at);
  return ms !== undefined && ms <= now + aheadLimitMs ? ms : undefined;
}

/** Epoch ms. A client may say no without signing: that counts from when its record tells of it, or for good. */
function refusedAt({ signedAt: at, updatedAt, createdAt }: JsonObject): number {
  return timeOf(at) ?? timeOf(updatedAt) ?? timeOf(createdAt) ?? Number.POSITIVE_INFINITY;
}

function timeOf(at: Json | undefined): number | undefined {
  const ms = typeof at === 'string' ? Date.parse(at) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function isAboutSharing(consent: JsonObject): boolean {
  return consent.deleted !== true && listOf(consent.scope).some((scope) => sharing.includes(String(scope)));
}

/**
 * The one class whose members we can tell, in the words of 42 CFR 2.31(a)(4), by itself or with the rest of that sentence. Whatever else is said with
 * it may narrow it ("except", "in Albany County") or mean others ("treatment programs").
 */
const treatingProviders =
  /^(?:all (?:of )?)?(?:(?:my|the client's|the patient's) )?(?:past, present,? and future )?treating (?:health ?care )?(?:providers?|clinicians?)(?:, health plans, third-party payers,? and people helping to operate this program)?$/;

/** A refusal in any such words may mean who treats the client. */
const treating = /\btreat(?:ing|ment)\b/i;

function isReceiver(recipient: Json, question: Receiver): boolean {
  if (!isObject(recipient)) return false;
  const { organizationId, name } = recipient;
  if (question.organization !== undefined && organizationId === question.organization) return true;
  if (name === question.connection) return true;
  return (
    question.basis === 'treatment' &&
    organizationId === undefined &&
    name === undefined &&
    typeof recipient.class === 'string' &&
    treatingProviders.test(folded(recipient.class))
  );
}

function folded(text: string): string {
  return text.trim().replace(/\s+/g, ' ').replaceAll('\u2019', "'").replace(/\.$/, '').toLowerCase();
}

/** Of what needs no consent: the receiver itself or what it is a part of, or, where its record is not known, an organization that may be it. */
function isNamedToRefuse(recipient: Json, question: ConsentQuestion): boolean {
  if (!isObject(recipient)) return false;
  if (isReceiver(recipient, question) || isWhole(recipient, question) || isCalled(recipient, question)) return true;
  if (question.basis === 'treatment' && typeof recipient.class === 'string' && treating.test(recipient.class))
    return true;
  return recipient.organizationId !== undefined && !isSomebodyElse(recipient, question);
}

function isWhole({ organizationId }: JsonObject, { partOf = [] }: ConsentQuestion): boolean {
  return partOf.some((id) => id === organizationId);
}

function isCalled({ name }: JsonObject, { names = [] }: ConsentQuestion): boolean {
  return typeof name === 'string' && names.some((one) => unspaced(one) === unspaced(name));
}

function unspaced(name: string): string {
  return folded(name).replaceAll(' ', '');
}

function mayBeReceiver(recipient: Json, question: ConsentQuestion): boolean {
  return !isObject(recipient) || isNamedToRefuse(recipient, question) || !isSomebodyElse(recipient, question);
}

/** Certain to be: an organization by its record, or another connection by its name. */
function isSomebodyElse(
  { organizationId, name }: JsonObject,
  { organization, otherConnections = [], otherOrganizations = [] }: Receiver,
): boolean {
  if (otherConnections.some((other) => other === name)) return true;
  if (organizationId === undefined) return false;
  return organization === undefined
    ? otherOrganizations.some((other) => other === organizationId)
    : organizationId !== organization;
}

/** Who the client is, and that there is a case and a consent, goes with whatever else is permitted. */
const impliedTypes = ['client', 'case', 'consent'];

function namesType(consent: JsonObject, recordType: string): boolean {
  return impliedTypes.includes(recordType) || listOf(consent.recordTypes).includes(recordType);
}
