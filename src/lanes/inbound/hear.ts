// What the hospital says in a message about a referral that it began is heard as a comment of that referral, and offered to its source as a change
// (closed-loop B1). The row of what was seen there remembers that it was heard; a message that says otherwise later is heard again, as the same comment.
// What carries no text, or is about no referral of the lane, stays kept as it is; what was heard, and has no words any more, is told to be taken back.

import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import { isInstant } from '../../records/records.ts';
import { type Store, sql } from '../../store/store.ts';
import { commentsOffered, offerPatch } from '../changes.ts';
import { messageWords } from '../documents/message-words.ts';
import { type Run, receiverFor } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import { type Lease, underLease } from '../lease.ts';
import { hashOfSeen } from '../links/seen.ts';
import { localName, patientsOf, referenced } from './about.ts';
import { cut } from './cut.ts';
import { keepTaken } from './keep-taken.ts';
import { commentIdOf, commentsByTime, isTheirs, joinedComments } from './their-comments.ts';

/** @returns true when something was stored, so that the lane is to be loaded again. */
export async function hearMessages(
  { deps, connection: { config }, lease }: Run,
  resources: readonly LaneResource[],
): Promise<boolean> {
  const begun = begunThere(resources, config.baseUrl);
  if (begun.length === 0) return false;
  const rows = await seenMessages(deps.store, lease, [...new Set(begun.flatMap(({ patients }) => patients))]);
  const { organization } = receiverFor(config, lease.source);
  const heard = rows.flatMap((row) => {
    const comment = commentOf(row, organization);
    const found = begun.find((one) =>
      comment === undefined ? one.id === row.heard_of : isAbout(one, row.body, config.baseUrl),
    );
    const isNews = row.look !== hashOfSeen(row.body);
    return found === undefined || !isNews ? [] : [{ row, comment, ...found }];
  });
  if (heard.length === 0) return false;
  await underLease({ deps, lease }, async (trx) => {
    for (const [id, said] of Map.groupBy(heard, (one) => one.id)) {
      const offered = (await commentsOffered(trx, lease, id)).filter(isTheirs);
      const held = objectsAt(said[0]?.record, 'comments');
      const known = joinedComments(held, offered);
      const news = said
        .map(({ row, comment }) => comment ?? takenBackOf(row, known))
        .filter((comment) => comment !== undefined);
      if (news.length > 0) {
        const comments = commentsByTime(joinedComments(known, news));
        await offerPatch(trx, lease, { type: 'referral', id, body: { comments } });
      }
      for (const { row } of said) {
        const taken = { recordId: id, patient: row.patient, resourceType: 'Communication', remoteId: row.remote_id };
        await keepTaken(trx, lease, taken, { look: hashOfSeen(row.body) });
      }
    }
  });
  return true;
}

/** A referral of a source that began there, by one of its resources. */
interface Begun {
  readonly id: string;
  readonly record: JsonObject | undefined;
  /** `Task/…` or `ServiceRequest/…`. */
  readonly name: string;
  readonly patients: readonly string[];
}

function begunThere(resources: readonly LaneResource[], baseUrl: string): Begun[] {
  return resources.flatMap(({ key, resourceType, link, observed, record, recordVersion }) => {
    const isBegun = key.type === 'referral' && link?.origin === 'theirs' && recordVersion > 0;
    if (!isBegun || observed === undefined) return [];
    const name = localName({ resourceType, id: link.remoteId });
    return [{ id: key.id, record, name, patients: patientsOf(observed.body, baseUrl) }];
  });
}

interface SeenMessage {
  readonly remote_id: string;
  readonly patient: string;
  readonly seen_at: Date;
  /** As it was when it was heard last; null: never. */
  readonly look: string | null;
  /** The referral as whose comment it was. */
  readonly heard_of: string | null;
  /** Empty where it is gone. */
  readonly body: JsonObject;
}

/** Those of the other side: what we posted has a link, or is an edition. */
async function seenMessages(
  { db }: Store,
  { connection, source }: Lease,
  patients: readonly string[],
): Promise<SeenMessage[]> {
  if (patients.length === 0) return [];
  const { rows } = await sql<SeenMessage>`
    select s.remote_id, s.patient, s.seen_at, case when s.gone then '{}' else s.body end as body,
      case when i.state = 'adopted' then i.look end as look,
      case when i.state = 'adopted' and i.look is not null then i.record_id end as heard_of
    from seen s left join inbound i on i.connection = s.connection and i.source = ${source} and i.type = 'none'
      and i.resource_type = s.resource_type and i.remote_id = s.remote_id
    where s.connection = ${connection} and s.resource_type = 'Communication' and s.patient in (${sql.join(patients)})
      and case when s.gone then i.state = 'adopted' and i.look is not null else s.body is not null end
      and not exists (select 1 from link l where l.connection = s.connection and l.resource_type = s.resource_type
        and l.remote_id = s.remote_id)
      and not exists (select 1 from edition e where e.connection = s.connection and e.remote_id = s.remote_id)
    order by s.seen_at, s.remote_id`.execute(db);
  return rows;
}

/** About this referral, and of its patient. */
function isAbout({ name, patients }: Begun, body: JsonObject, baseUrl: string): boolean {
  const named = [...objectsAt(body, 'partOf'), ...objectsAt(body, 'basedOn')].flatMap((one) =>
    referenced(one, baseUrl),
  );
  return (
    named.some((one) => localName(one) === name) &&
    patientsOf(body, baseUrl).every((patient) => patients.includes(patient))
  );
}

const longest = 20_000;

/** Undefined: it says nothing in words, or was not meant to be said. */
function commentOf(
  { remote_id: id, seen_at: seenAt, body }: SeenMessage,
  organization: string | undefined,
): JsonObject | undefined {
  const texts = messageWords(body);
  const status = textAt(body, 'status')?.trim();
  if (texts.length === 0 || status === 'entered-in-error' || status === 'not-done') return undefined;
  const more = objectsAt(body, 'payload').some(({ contentString }) => contentString === undefined)
    ? ["(What came with it stands in the hospital's record only.)"]
    : [];
  const byName = textAt(objectAt(body, 'sender'), 'display');
  return {
    id: commentIdOf(id),
    at: [body.sent, body.received].find(isInstant) ?? seenAt.toISOString(),
    ...(byName !== undefined && { byName }),
    ...(organization !== undefined && { byOrganizationId: organization }),
    text: cut([...texts, ...more].join('\n'), longest),
    visibility: 'shared',
  };
}

/** An item of a list cannot be taken out by a patch: of a message that was not meant to be said only the words are left. */
const takenBack = 'The hospital has taken this back.';

/** Undefined: the source does not have it, or has it so already. */
function takenBackOf({ remote_id: id }: SeenMessage, known: readonly JsonObject[]): JsonObject | undefined {
  const before = known.find((comment) => comment.id === commentIdOf(id));
  return before === undefined || before.text === takenBack ? undefined : { ...before, text: takenBack };
}
