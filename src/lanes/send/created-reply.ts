// Whether an answer to a create is about what was sent. A server that looks for an earlier one by a condition which it does not understand, or that
// mixes up its replies, shows what is somebody else's: linked, it would be written over (lanes.md 9, 10; ehr-behaviour E12). Pure.

import { type JsonObject, objectsIn } from '../../json.ts';
import { ownIdentifiers } from '../own-identifier.ts';
import { birthDateMayAgree, both, fold } from '../patients/match-facts.ts';
import { patientOf, patientsIn } from '../patients/patient-of.ts';

export interface CreatedReply {
  readonly sent: JsonObject;
  /** The resource that the server says it made, or found. */
  readonly shown: JsonObject;
  /** The server says that it found it by our identifier. */
  readonly wasFound: boolean;
}

export interface OwnServer {
  readonly identifierSystem: string;
  readonly baseUrl: string;
}

/**
 * Our identifier proves it, another one of ours disproves it. As some servers keep no identifiers, what carries none of ours is taken for what was
 * sent unless it is of another patient or has another name; what was found by our identifier carries it.
 */
export function mayBeOurs({ sent, shown, wasFound }: CreatedReply, { identifierSystem, baseUrl }: OwnServer): boolean {
  const [own] = ownIdentifiers(sent, identifierSystem);
  const held = ownIdentifiers(shown, identifierSystem);
  if (own !== undefined && held.includes(own)) return true;
  if (held.length > 0 || wasFound) return false;
  const [ours, theirs] = [patientOf(sent, baseUrl), patientsIn(shown, baseUrl)];
  const isOfAnother = ours !== undefined && theirs.length > 0 && !theirs.includes(ours);
  return !isOfAnother && namesMayAgree(sent, shown) && bornMayAgree(sent, shown);
}

/** Of an organization, or of a person. What one side does not say may be anything. */
function namesMayAgree(sent: JsonObject, shown: JsonObject): boolean {
  const [ours, theirs] = [namesOf(sent), namesOf(shown)];
  return ours.length === 0 || theirs.length === 0 || ours.some((name) => theirs.includes(name));
}

function namesOf({ name }: JsonObject): string[] {
  const names = typeof name === 'string' ? [name] : objectsIn(name).map(({ family }) => family);
  return names.flatMap((one) => (typeof one === 'string' ? [fold(one)] : []));
}

function bornMayAgree(sent: JsonObject, shown: JsonObject): boolean {
  return !both(sent.birthDate, shown.birthDate) || birthDateMayAgree(sent, shown);
}
