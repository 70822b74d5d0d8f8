// What a Communication or an Appointment of the other side tells of a contact with the client about a referral of ours (closed-loop B2): that the client
// was reached, or that somebody tried. Pure.

import { isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import { isInstant } from '../../records/records.ts';
import { codesOf } from '../../referrals/referrals.ts';
import { localName, patientsOf, referenced } from './about.ts';

/** A referral that a partner performs, as resources of the partner's speak of it. */
export interface Performed {
  readonly baseUrl: string;
  /** `Task/…` and `ServiceRequest/…`. */
  readonly names: readonly string[];
  /** Ids of the client's Patient there. */
  readonly patients: readonly string[];
  /** Epoch ms; what was before is no contact about it. */
  readonly sentAt: number | undefined;
  /** References to the agency and its workers: what they say is not the partner's. */
  readonly isOurs: (reference: JsonObject) => boolean;
}

export interface Contact {
  readonly kind: 'reached' | 'attempt';
  /** An instant. */
  readonly at: string;
  readonly outcome: 'reached' | 'left-message' | 'no-answer' | 'wrong-number' | 'client-declined';
  readonly mode?: string;
}

/** Undefined: it is about no contact with this client, or not about this referral. When it lies ahead, it has not happened yet. */
export function readContact(resource: JsonObject, performed: Performed): Contact | undefined {
  const contact =
    resource.resourceType === 'Appointment' ? readVisit(resource, performed) : readMessage(resource, performed);
  const { sentAt } = performed;
  return contact !== undefined && (sentAt === undefined || Date.parse(contact.at) >= sentAt) ? contact : undefined;
}

/** The client has an appointment for this referral. */
export function isVisitOf(appointment: JsonObject, performed: Performed): boolean {
  const attends = objectsAt(appointment, 'participant').some(
    (one) => one.status !== 'declined' && isClient(objectAt(one, 'actor'), performed),
  );
  return attends && isTied(appointment, ['basedOn'], performed);
}

const attended = ['arrived', 'checked-in', 'fulfilled'];

function readVisit(appointment: JsonObject, performed: Performed): Contact | undefined {
  const { status, start } = appointment;
  const came = typeof status === 'string' && attended.includes(status);
  if (!came || !isInstant(start) || !isVisitOf(appointment, performed)) return undefined;
  return { kind: 'reached', at: start, outcome: 'reached' };
}

function readMessage(message: JsonObject, performed: Performed): Contact | undefined {
  const { status, sent, received } = message;
  const isTalk = status === 'completed';
  if (!isTalk && status !== 'not-done') return undefined;
  const isTheirs = patientsOf(message, performed.baseUrl).every((id) => performed.patients.includes(id));
  if (!isTheirs || !isTied(message, ['basedOn', 'partOf', 'about'], performed) || !isWithClient(message, performed))
    return undefined;
  const mode = modeOf(message);
  const told = [sent, received].find(isInstant);
  const outcome = isTalk ? (isVoicemail(message) ? 'left-message' : 'reached') : attemptOutcome(message);
  // What was not sent has no time of its own, but the one at which it was written down.
  const at = told ?? (isTalk ? undefined : [objectAt(message, 'meta')?.lastUpdated].find(isInstant));
  if (at === undefined) return undefined;
  return { kind: outcome === 'reached' ? 'reached' : 'attempt', at, outcome, ...(mode && { mode }) };
}

/** Between the client and the partner: what is said about the client to us, or between the client and us, is none. */
function isWithClient(message: JsonObject, performed: Performed): boolean {
  const sender = objectAt(message, 'sender');
  const recipients = objectsAt(message, 'recipient');
  if (isClient(sender, performed)) return recipients.length === 0 || !recipients.every(performed.isOurs);
  const toClient = recipients.some((one) => isClient(one, performed));
  return toClient && !(sender !== undefined && performed.isOurs(sender));
}

function isClient(reference: JsonObject | undefined, { baseUrl, patients }: Performed): boolean {
  return referenced(reference, baseUrl).some((one) => one.resourceType === 'Patient' && patients.includes(one.id));
}

function isTied(resource: JsonObject, elements: readonly string[], { baseUrl, names }: Performed): boolean {
  const named = elements.flatMap((element) => objectsAt(resource, element)).flatMap((one) => referenced(one, baseUrl));
  return named.some((one) => names.includes(localName(one)));
}

/** By the codes of FHIR's v3-ParticipationMode; a code of the record's own list stands for itself. */
const modes: Readonly<Record<string, string>> = {
  PHONE: 'phone',
  VIDEOCONF: 'video',
  FACE: 'in-person',
  PHYSICAL: 'in-person',
  EMAILWRIT: 'email',
  SMSWRIT: 'text',
  MAILWRIT: 'mail',
};
const ownModes = ['phone', 'in-person', 'video', 'text', 'email', 'mail'];

function modeOf(message: JsonObject): string | undefined {
  const media = objectsAt(message, 'medium');
  const said = media.flatMap((medium) => [...codesOf(medium), textAt(medium, 'text') ?? '']);
  return said.flatMap((word) => modes[word.toUpperCase()] ?? ownModes.filter((mode) => mode === word.toLowerCase()))[0];
}

/** A message that nobody answered is a try, whoever calls it done. */
function isVoicemail(message: JsonObject): boolean {
  const said = [...objectsAt(message, 'medium'), message.statusReason].flatMap(wordsOf);
  return said.some((word) => /voice[\s-]?mail|left[\s-](a[\s-])?message|answering[\s-]machine/i.test(word));
}

function wordsOf(concept: Json | undefined): string[] {
  if (!isObject(concept)) return [];
  const displays = objectsAt(concept, 'coding').flatMap((coding) => textAt(coding, 'display') ?? []);
  return [...codesOf(concept), ...displays, textAt(concept, 'text') ?? ''];
}

/** By the codes of communication-not-done-reason; nobody answered where it says no more. */
function attemptOutcome(message: JsonObject): Contact['outcome'] {
  const codes = codesOf(message.statusReason);
  if (isVoicemail(message)) return 'left-message';
  if (codes.some((code) => code === 'invalid-phone-number' || code === 'wrong-number')) return 'wrong-number';
  if (codes.some((code) => code === 'patient-objection' || code === 'client-declined')) return 'client-declined';
  return 'no-answer';
}
