// One resource for each slot that the newest records want, saying what they say.

import type { JsonObject } from '../../src/json.ts';
import { projectRecords } from '../../src/lanes/lanes.ts';
import { patientOf } from '../../src/lanes/patients/patient-of.ts';
import type { Desired } from '../../src/mapping/mapping.ts';
import type { RecordType } from '../../src/records/records.ts';
import { identifierSystem, ownValue } from '../support/rig.ts';
import { clientsOn, type Evidence, isRetired, resourcesOf, type Told } from './evidence.ts';

interface Wanted {
  readonly type: RecordType;
  readonly id: string;
  readonly desired: Desired;
  readonly client: unknown;
}

/** (a) and (b): one resource for each slot that the newest records want, saying what they say. */
export async function existence(evidence: Evidence, said: Told): Promise<string[]> {
  const held = resourcesOf(evidence.server);
  const patients = clientsOn(evidence.server);
  const { mapping, store, config, edits } = evidence;
  const newest = [...evidence.newest.values()];
  const isShared = evidence.swarm.basis === 'treatment';
  const projected = await projectRecords(store, {
    source: 'county',
    identifierSystem,
    identifierSystems: config.identifierSystems,
    mappings: mapping,
    records: newest.filter(({ record }) => record.deleted !== true).map(({ type, record }) => ({ type, record })),
  });
  const comparable = namedAlike(held, projected);
  const revoked = new Set(
    newest.flatMap(({ type, record }) =>
      type === 'consent' && record.status !== 'active' ? [String(record.clientId)] : [],
    ),
  );
  const wanted = new Map<string, Wanted>(
    projected.flatMap(({ type, id, resources }) => {
      const record = newest.find((one) => one.type === type && one.record.id === id)?.record;
      const client = type === 'client' ? id : record?.clientId;
      const isWithheld = !isShared && typeof client === 'string' && revoked.has(client);
      return isWithheld
        ? []
        : resources.map(
            ({ desired }) => [`county/${type}/${id}#${desired.slot}`, { type, id, desired, client }] as const,
          );
    }),
  );
  // Told to a person, and only of what is in another client's chart, or was until its record came back.
  const isGivenUp = (resource: JsonObject) => {
    const { type, id, client } = wanted.get(slotValue(resource)) ?? {};
    const hasMoved = evidence.promised.some(
      ({ type: sentType, record }) => sentType === type && record.id === id && record.clientId !== client,
    );
    const isElsewhere = patients.get(patientOf(resource) ?? '') !== client;
    return said.misfiled.has(`${resource.resourceType}/${resource.id}`) && (isElsewhere || hasMoved);
  };
  const standing = Map.groupBy(
    held.filter((resource) => ownValue(resource) !== undefined && !isRetired(resource) && !isGivenUp(resource)),
    slotValue,
  );
  return [
    ...[...standing].flatMap(([value, resources]) => {
      const ids = resources.map(({ resourceType, id }) => `${resourceType}/${id}`).join(', ');
      if (resources.length > 1) return [`(a) ${value} is there ${resources.length} times: ${ids}`];
      // A Patient is never retired.
      return wanted.has(value) || resources[0]?.resourceType === 'Patient'
        ? []
        : [`(a) ${value} is still there: ${ids}`];
    }),
    ...[...wanted].flatMap(([value, { type, id, desired, client }]) => {
      const [resource] = standing.get(value) ?? [];
      const name = `${type}/${id}#${desired.slot}`;
      const isAsked = (element?: string) =>
        [...said.topics].some((topic) =>
          element === undefined ? topic.includes(name) && !topic.startsWith(name) : topic === `${name}:${element}`,
        );
      if (said.aside.has(name)) return [];
      if (resource === undefined) return isAsked() || said.aside.size > 0 ? [] : [`(a) ${value} is missing`];
      const chart = patients.get(patientOf(resource) ?? '');
      if (chart !== undefined && chart !== client)
        return [`(a) ${value} is in the chart of ${chart} and belongs to ${client}`];
      const isTheirs = (element: string) =>
        edits.some(
          (edit) =>
            edit.id === resource.id &&
            edit.resourceType === resource.resourceType &&
            (edit.element === element.split('.')[0] || (edit.status !== undefined && element.startsWith('status'))),
        );
      const facts = mapping.mapping(type)?.slot(desired.slot).facts(resource) ?? {};
      const wants: JsonObject = { ...desired.facts };
      // What may be left out until what it points at is there.
      const isAwaited = (key: string) =>
        said.aside.size > 0 && facts[key] === undefined && pointsAtOurs.test(comparable(wants[key]));
      return [...new Set([...Object.keys(facts), ...Object.keys(wants)])]
        .filter((key) => comparable(wants[key]) !== comparable(facts[key]) && !isTheirs(key) && !isAsked(key))
        .filter((key) => !isAwaited(key))
        .map((key) => `(b) ${value} has ${key} ${comparable(facts[key])} instead of ${comparable(wants[key])}`);
    }),
  ];
}

/** Our identifier, whatever the generation. */
function slotValue(resource: JsonObject): string {
  return (ownValue(resource) ?? '').replace(/~\d+$/, '');
}

const pointsAtOurs = /"county\/\w+\/[^"]+#/;

/** A reference goes by another name in a projection than on the server: it stands here as our identifier of what it points at. */
function namedAlike(
  held: readonly JsonObject[],
  projected: Awaited<ReturnType<typeof projectRecords>>,
): (fact: unknown) => string {
  const names = new Map([
    ...projected.flatMap(({ type, id, resources }) =>
      resources.map(({ fullUrl, desired }) => [fullUrl, `county/${type}/${id}#${desired.slot}`] as const),
    ),
    // What is retired is not what a record points at.
    ...held
      .filter((resource) => ownValue(resource) !== undefined)
      .map(
        (resource) =>
          [
            `${resource.resourceType}/${resource.id}`,
            isRetired(resource) ? `retired ${slotValue(resource)}` : slotValue(resource),
          ] as const,
      ),
  ]);
  return (fact) =>
    JSON.stringify(fact ?? null).replaceAll(
      /"(urn:uuid:[^"]*|[A-Z][A-Za-z]+\/\d+)"/g,
      (_, reference) => `"${names.get(reference) ?? reference}"`,
    );
}
