// A reply is lost: the exchange has made the referral, but the gateway never hears of it. It looks before it would send again.

import type { JsonObject } from '../../json.ts';
import type { RecordLine } from '../caseload.ts';
import { denise } from '../people.ts';
import { type Entry, hasIdentifier, isWrite } from '../server.ts';
import { expectThat, type Stage } from '../stage.ts';

const promise = 'A lost reply makes no second referral.';

/** Sends the referral that was held back, and loses the reply to it. @returns how many records were accepted */
export async function loseReply({ gateway, exchange, story }: Stage, referral: RecordLine): Promise<number> {
  story.chapter(`A reply is lost: ${denise.given} ${denise.family}'s referral`);
  const after = (await exchange.journal()).at(-1)?.n ?? 0;
  await exchange.loseNextReply();
  const accepted = await gateway.send([referral]);
  await exchange.untilReplyLost();
  await gateway.untilIdle('the referral whose reply was lost');
  const entries = (await exchange.journal(after)).filter(({ isGateway }) => isGateway);
  const lost = entries.find(({ status, committed }) => status === 0 && committed);
  expectThat(lost !== undefined, 'The exchange does the work and cuts the line.', 'no such request in its journal');
  const later = entries.filter((entry) => isWrite(entry) && entry.n > (lost?.n ?? 0));
  story.say('The exchange took the referral in, then the line was cut before its answer.');
  story.say(
    `It made ${madeBy(lost)}; the gateway did not hear that. It searched for its own identifiers, and found them:`,
  );
  for (const [type, slot] of [
    ['ServiceRequest', 'request'],
    ['Task', 'fulfilment'],
  ] as const) {
    const identifier = `county/referral/${referral.record.id}#${slot}`;
    const found = (await exchange.resources(type)).filter((resource) => hasIdentifier(resource, identifier));
    expectThat(found.length === 1, promise, `${found.length} ${type} with the identifier ${identifier}`);
    story.say(`  ${identifier}: ${found.length} ${type}`);
  }
  expectThat(
    later.every((entry) => resourcesIn(entry).every(({ kind }) => kind !== 'create')),
    promise,
    'a second create',
  );
  return accepted;
}

/** Without the Provenance that tells of them. */
function resourcesIn({ writes }: Pick<Entry, 'writes'>): readonly JsonObject[] {
  return writes.filter(({ resourceType }) => resourceType !== 'Provenance');
}

function madeBy(entry: Entry | undefined): string {
  const made = resourcesIn(entry ?? { writes: [] });
  return made.map(({ resourceType, id }) => `${String(resourceType)}/${String(id)}`).join(' and ');
}
