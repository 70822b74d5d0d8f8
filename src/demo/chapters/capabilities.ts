// What each server lets the agency do: what it declares, what it has granted, and the route that follows for each kind of record.

import type { JsonObject } from '../../json.ts';
import { hospitalNames } from '../places.ts';
import { objectsAt, textAt, textsAt } from '../reading.ts';
import type { Server } from '../server.ts';
import { expectThat, type Stage } from '../stage.ts';

export async function showCapabilities(stage: Stage): Promise<void> {
  const { story, gateway, exchange } = stage;
  story.chapter('What each server lets us do');
  const all = objectsAt(await gateway.capabilities(exchange.place.connection), 'routes');
  // What is said in words of a referral stands in its Task here.
  const routes = all.filter(({ resourceType }) => resourceType !== 'Communication');
  const native = routes.filter(({ route }) => route === 'native');
  const others = routes.filter((row) => !native.includes(row)).map((row) => textAt(row, 'recordType'));
  expectThat(
    native.length > 0 && others.every((type) => notOurs.includes(type)),
    'The exchange takes every kind of record as FHIR resources, but for what is not ours to send.',
    JSON.stringify(routes),
  );
  story.say(`${exchange.place.name}: each of ${native.length} kinds of resource goes as what it is (native).`);
  story.say("A hospital stay is read where it begins; ideas for the agency's own improvement go nowhere.");
  story.say(
    'The hospitals take no care plan, goal or referral from outside: those go into a document that doctors read.',
  );
  story.say('c create, r read, u update, s search, as GET /api/connections/{id}/capabilities says:');
  for (const name of hospitalNames) await showHospital(stage, stage[name]);
}

/** Begun by the other side, or kept by the agency. */
const notOurs = ['hospitalStay', 'improvementIdea'];

async function showHospital({ gateway, story }: Stage, { place }: Server): Promise<void> {
  const answer = await gateway.capabilities(place.connection);
  const routes = objectsAt(answer, 'routes');
  const told = routes.filter((row) => ['need', 'goal', 'carePlan'].includes(textAt(row, 'recordType')));
  const filing = documentScopes(textsAt(answer, 'scopes'));
  expectThat(
    told.length > 0 && told.every(({ route }) => route === 'document') && filing.includes('c'),
    `What ${place.name} takes no other way goes into a document.`,
    JSON.stringify(answer),
  );
  story.say('');
  story.say(`${place.name} (${place.like}), ${textAt(answer, 'mode')}; documents: ${filing} granted`);
  story.table([
    ['record', 'as', 'declared', 'granted', 'goes as', 'because'],
    ...routes.map((row) => [
      textAt(row, 'recordType'),
      textAt(row, 'resourceType'),
      lettersAt(row, 'declared'),
      lettersAt(row, 'granted'),
      textAt(row, 'route'),
      textAt(row, 'reason', 'text'),
    ]),
  ]);
}

const letters = ['create', 'read', 'update', 'search'] as const;

function lettersAt(row: JsonObject, name: string): string {
  const words = textsAt(row, name);
  const found = letters.filter((letter) => words.some((word) => word.replace('-type', '') === letter));
  return found.map(([first]) => first).join('') || '-';
}

/** The actions that the token allows on documents, from scopes such as `system/DocumentReference.crs`. */
function documentScopes(scopes: readonly string[]): string {
  const actions = scopes.flatMap((scope) => /^system\/DocumentReference\.([a-z]+)/.exec(scope)?.[1] ?? []).join('');
  return letters.flatMap(([first]) => (actions.includes(first ?? '-') ? [first] : [])).join('');
}
