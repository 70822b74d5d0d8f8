// In whose chart a resource of ours is filed. Its subject is fixed: when the client turns out to be another patient, the resource is retired
// and made anew; when the hospital merged two patients into one, it stays where it is (lanes.md 17). Pure.

import { type Reason, reason } from '../../errors.ts';
import { isObject, type Json, type JsonObject, textAt } from '../../json.ts';
import type { Desired, DesiredReference, Facts, SlotRef } from '../../mapping/mapping.ts';
import type { Known, LinkRow } from '../desire/known.ts';
import { isSameChart, patientSlot } from './patient-link.ts';
import { namedIn, namedInFact, namingPatient } from './patient-of.ts';

/** The patient whose chart a resource was written to, as we sent it: `Patient/…`. */
export function chartOf(sent: Facts = {}): string | undefined {
  return namingPatient(Object.keys(sent))
    .flatMap((name) => namedInFact(sent[name]) ?? [])
    .find(isPatient);
}

/** Whether the client of a record is this patient there, or has been. */
export function isPatientOf(known: Known, record: JsonObject, patientId: string): boolean {
  const client: SlotRef = { type: 'client', id: textAt(record, 'clientId') ?? '', slot: patientSlot };
  const links = [known.link(client), ...known.generations(client)];
  return links.some((link) => link?.remote_id === patientId);
}

export interface Filed {
  readonly desired: Desired;
  /** Of the standing link: what we sent last. */
  readonly sent: Facts | undefined;
  readonly observed: JsonObject | undefined;
  /** All generations of a client's link to its Patient. */
  readonly generations: (target: SlotRef) => readonly LinkRow[];
}

/** Why a resource must leave the chart that it is in; undefined where it may stay. */
export function movedFrom({ desired, sent, generations }: Filed): Reason | undefined {
  const reference = chartReference(desired);
  const was = reference && namedInFact(sent?.[reference.element]);
  if (reference === undefined || was === undefined || !isPatient(was)) return undefined;
  return isElsewhere(generations(reference.target), idOf(was), reference.reference)
    ? reason('subject-moved')
    : undefined;
}

/**
 * Whether what is in the chart of the patient `was` belongs in another one, or in none. Without a link now, what is in the chart of a patient whom the
 * client has never been is another client's.
 * @param links all generations of the client's link. @param now `Patient/id` of the client; undefined, or a placeholder, without a link
 */
export function isElsewhere(links: readonly LinkRow[], was: string, now: string | undefined): boolean {
  if (now === undefined || !isPatient(now)) return isUnlinked(links) || !links.some(({ remote_id: id }) => id === was);
  return now !== `Patient/${was}` && !isSameChart(links, was);
}

/** A person said that the client is nobody there. */
function isUnlinked(links: readonly LinkRow[]): boolean {
  const last = links
    .filter(({ remote_id: id }) => id !== null)
    .sort((a, b) => a.generation - b.generation)
    .at(-1);
  return last?.retired_at !== null && last?.reason?.code === 'patient-unlinked';
}

/**
 * What is in the chart of a patient who was merged keeps the old name of its subject until the server itself writes the new one: most
 * servers refuse to have it changed, and both names lead to one chart.
 */
export function inItsChart({ desired, sent, observed, generations }: Filed): Desired {
  const reference = chartReference(desired);
  const was = reference && namedInFact(sent?.[reference.element]);
  const now = reference?.reference;
  if (reference === undefined || was === undefined || now === undefined || was === now) return desired;
  if (!isSameChart(generations(reference.target), idOf(was))) return desired;
  const isRewritten = observed !== undefined && namedIn(observed).some((held) => held.endsWith(now));
  if (isRewritten) return desired;
  return {
    ...desired,
    resource: Object.fromEntries(
      Object.entries(desired.resource).map(([key, value]) => [key, renamed(value, now, was)]),
    ),
    facts: Object.fromEntries(Object.entries(desired.facts).map(([key, value]) => [key, renamed(value, now, was)])),
    references: desired.references.map((one) => (one.reference === now ? { ...one, reference: was } : one)),
  };
}

function renamed(value: Json, from: string, to: string): Json {
  if (value === from) return to;
  if (Array.isArray(value)) return value.map((item) => renamed(item, from, to));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, renamed(part, from, to)]));
}

function chartReference({ references }: Desired): DesiredReference | undefined {
  const toClient = references.filter(({ target }) => target.type === 'client');
  const [naming] = namingPatient(toClient.map(({ element }) => element));
  return toClient.find(({ element }) => element === naming);
}

function isPatient(reference: string): boolean {
  return reference.startsWith('Patient/');
}

function idOf(reference: string): string {
  return reference.slice('Patient/'.length);
}
