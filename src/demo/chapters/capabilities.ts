// What each server lets the agency do: what it declares, what it has granted, and the route that follows for each kind of record.

import type { JsonObject } from '../../json.ts';
import { call } from '../http.ts';
import { hospitalNames } from '../places.ts';
import { objectsAt, textAt, textsAt } from '../reading.ts';
import type { Server } from '../server.ts';
import { expectThat, type Stage } from '../stage.ts';

export async function showCapabilities(stage: Stage): Promise<void> {
  const { story, gateway, exchange } = stage;
  story.chapter('What each server lets us do');
  const routes = objectsAt(await gateway.capabilities(exchange.place.connection), 'routes');
  expectThat(
    routes.length > 0 && routes.every(({ route }) => route === 'native'),
    'The exchange takes every kind of record as FHIR resources.',
    JSON.stringify(routes),
  );
  story.say(`${exchange.place.name} takes all ${routes.length} kinds of resource: every record goes as what it is.`);
  story.say('The hospitals take no care plan, goal or referral from outside. Their doctors read a document instead.');
  story.say('(c create, r read, u update, s search; GET /api/connections/{id}/capabilities)');
  for (const name of hospitalNames) await showHospital(stage, stage[name]);
}

async function showHospital({ gateway, story, signal }: Stage, server: Server): Promise<void> {
  const { connection, name, like } = server.place;
  const answer = await gateway.capabilities(connection);
  const declared = await declaredBy(server, signal);
  const granted = lettersGranted(textsAt(answer, 'scopes'));
  const routes = objectsAt(answer, 'routes');
  const told = routes.filter((row) => ['need', 'goal', 'carePlan'].includes(textAt(row, 'recordType')));
  expectThat(
    told.length === 3 &&
      told.every(({ route }) => route === 'document') &&
      granted.get('DocumentReference') !== undefined,
    `What ${name} takes no other way goes into a document.`,
    JSON.stringify(answer),
  );
  story.say(`${name} (${like}):`);
  story.table([
    ['record', 'as', 'declared', 'granted', 'goes as', 'because'],
    ...routes.map((row) => shownRoute(row, declared, granted)),
    ['(document)', ...cells('DocumentReference', declared, granted), 'filed', 'it carries all that goes by document'],
  ]);
}

type Letters = ReadonlyMap<string, string>;

function shownRoute(row: JsonObject, declared: Letters, granted: Letters): string[] {
  return [
    textAt(row, 'recordType'),
    ...cells(textAt(row, 'resourceType'), declared, granted),
    textAt(row, 'route'),
    textAt(row, 'reason', 'text'),
  ];
}

function cells(type: string, declared: Letters, granted: Letters): [string, string, string] {
  return [type, declared.get(type) ?? '-', granted.get(type) ?? '-'];
}

const letters: Readonly<Record<string, string>> = { create: 'c', read: 'r', update: 'u', 'search-type': 's' };

/** By type, from the CapabilityStatement that anybody may read. */
async function declaredBy({ fhirUrl }: Server, signal: AbortSignal): Promise<Letters> {
  const headers = { accept: 'application/fhir+json' };
  const { body } = await call('GET', `${fhirUrl}/metadata`, { headers, signal });
  const types = objectsAt(body, 'rest').flatMap((rest) => objectsAt(rest, 'resource'));
  return new Map(
    types.map((type) => [
      textAt(type, 'type'),
      inOrder(objectsAt(type, 'interaction').map(({ code }) => letters[String(code)] ?? '')),
    ]),
  );
}

/** By type, from the scopes of the token, such as `system/Goal.rs`. */
function lettersGranted(scopes: readonly string[]): Letters {
  const found = scopes.flatMap((scope) => {
    const [, type, actions] = /^system\/(\w+)\.([cruds]+)/.exec(scope) ?? [];
    return type === undefined || actions === undefined ? [] : [{ type, actions }];
  });
  const byType = Map.groupBy(found, ({ type }) => type);
  return new Map([...byType].map(([type, group]) => [type, inOrder(group.map(({ actions }) => actions))]));
}

function inOrder(parts: readonly string[]): string {
  const all = parts.join('');
  return ['c', 'r', 'u', 's'].filter((letter) => all.includes(letter)).join('');
}
