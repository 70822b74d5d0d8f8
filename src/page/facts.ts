// Gathers what the page shows of a referral: its resources from the home, the versions of its Task, its clocks, and the partner's zone.

import type { PartnerConfig } from '../config.ts';
import { type Config, clockRules } from '../config.ts';
import type { Home, HomeReferral } from '../home/home.ts';
import { isObject, type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import type { Store } from '../store/store.ts';
import type { AppointmentVersion, ClockShown, ReferralParts, Side, TaskVersion } from './view.ts';

export interface FactsDeps {
  readonly store: Store;
  readonly home: Home;
  readonly config: Pick<Config, 'identifierSystem' | 'sources'>;
}

export interface Facts {
  readonly parts: ReferralParts;
  /** IANA name. */
  readonly zone: string;
}

/** Undefined: the partner may not see it, or not any more. */
export async function readFacts(deps: FactsDeps, partner: PartnerConfig, taskId: string): Promise<Facts | undefined> {
  const referral = await deps.home.referral(partner.id, taskId);
  if (referral === undefined) return undefined;
  const recordId = recordOf(deps, partner, referral);
  const [requesters, versions, appointmentVersions, clocks, cancelAsked, zone] = await Promise.all([
    requestersOf(deps.home, partner, referral),
    taskVersions(deps.store, partner.id, taskId),
    appointmentVersionsOf(deps.store, partner.id, referral),
    recordId === undefined ? [] : clocksOf(deps.store, partner.organization.source, recordId),
    recordId === undefined ? undefined : askedToCancel(deps.store, partner.organization.source, recordId),
    zoneOf(deps, partner),
  ]);
  return { parts: { ...referral, requesters, versions, appointmentVersions, clocks, cancelAsked }, zone };
}

/** The agency that the Task is from, then who of it has asked, by name and in that role. */
async function requestersOf(home: Home, partner: PartnerConfig, referral: HomeReferral): Promise<JsonObject[]> {
  const role = referral.requester;
  const names = [referral.task.requester, role?.organization, role?.practitioner].flatMap((reference) =>
    isObject(reference) && typeof reference.reference === 'string' ? [reference.reference] : [],
  );
  const found = names.length === 0 ? [] : await home.visible(partner.id, { names });
  const named = names.flatMap((name) => found.filter(({ resourceType, id }) => `${resourceType}/${id}` === name));
  const bodies = named.map(({ body }) => body);
  return role === undefined ? bodies : [...bodies, role];
}

/** The referral's record, by the identifier that Casebridge gave to the Task. */
function recordOf({ config }: FactsDeps, partner: PartnerConfig, { task }: HomeReferral): string | undefined {
  const own = objectsAt(task, 'identifier').find(({ system }) => system === config.identifierSystem);
  const [, source, id] = /^([^/]+)\/referral\/([^/#]+)#/.exec(textAt(own, 'value') ?? '') ?? [];
  return source === partner.organization.source ? id : undefined;
}

/** The oldest first. */
export async function taskVersions(store: Store, partner: string, taskId: string): Promise<TaskVersion[]> {
  const rows = await versionsOf(store, partner, 'Task', [taskId]);
  return rows.map(({ version, at, written_by: by, body }) => ({
    version: String(version),
    at: at.toISOString(),
    by: sideOf(by),
    who: undefined,
    task: body,
  }));
}

async function appointmentVersionsOf(
  store: Store,
  partner: string,
  { appointments }: HomeReferral,
): Promise<AppointmentVersion[]> {
  const ids = appointments.flatMap((one) => textAt(one, 'id') ?? []);
  const rows = ids.length === 0 ? [] : await versionsOf(store, partner, 'Appointment', ids);
  return rows.map(({ id, version, written_by: by, body }) => ({ id, version, by: sideOf(by), appointment: body }));
}

/** Of each resource the oldest first. */
function versionsOf({ db }: Store, partner: string, resourceType: string, ids: readonly string[]) {
  return db
    .selectFrom('home_version')
    .select(['id', 'version', 'at', 'written_by', 'body'])
    .where('partner', '=', partner)
    .where('resource_type', '=', resourceType)
    .where('id', 'in', ids)
    .orderBy('id')
    .orderBy('version')
    .execute();
}

function sideOf(writtenBy: string): Side {
  return writtenBy === 'casebridge' ? 'us' : 'them';
}

async function clocksOf({ db }: Store, source: string, id: string): Promise<ClockShown[]> {
  const rows = await db
    .selectFrom('clock')
    .select(['rule', 'state', 'due_at'])
    .where('source', '=', source)
    .where('type', '=', 'referral')
    .where('id', '=', id)
    .orderBy('due_at')
    .execute();
  return rows.flatMap(({ rule, state, due_at: dueAt }): ClockShown[] => {
    const known = clockRules.find((one) => one === rule);
    const shown = shownStates.find((one) => one === state);
    return known === undefined || shown === undefined
      ? []
      : [{ rule: known, state: shown, dueAt: dueAt?.toISOString() }];
  });
}

const shownStates = ['running', 'due-soon', 'breached', 'met'] as const;

async function askedToCancel({ db }: Store, source: string, id: string): Promise<ReferralParts['cancelAsked']> {
  const row = await db
    .selectFrom('record')
    .select('content')
    .where('source', '=', source)
    .where('type', '=', 'referral')
    .where('id', '=', id)
    .executeTakeFirst();
  const asked = objectAt(row?.content, 'cancelRequest');
  if (asked === undefined || asked.answeredAt !== undefined) return undefined;
  return { at: textAt(asked, 'at') ?? '', reason: textAt(asked, 'reason') };
}

/** The organization's own zone, else its source's. */
async function zoneOf({ store, config }: FactsDeps, { organization }: PartnerConfig): Promise<string> {
  const row = await store.db
    .selectFrom('record')
    .select('content')
    .where('source', '=', organization.source)
    .where('type', '=', 'organization')
    .where('id', '=', organization.id)
    .executeTakeFirst();
  return textAt(row?.content, 'timeZone') ?? config.sources.get(organization.source)?.timeZone ?? 'UTC';
}
