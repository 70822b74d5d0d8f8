// Each mechanism of the lane core switched off, one at a time, from outside, or what it is for undone: a checker that cannot fail proves nothing.
// Production code knows nothing of this; what is taken away is taken from the statements, rows, requests and settings that pass between it and the
// world.

import type { Exchanger, HttpCall, HttpReply } from '../../src/connections/exchange.ts';
import { isObject, type Json, type JsonObject, objectsAt } from '../../src/json.ts';
import { patientOf } from '../../src/lanes/patients/patient-of.ts';
import type { Answered } from '../../src/store/wire-protocol.ts';
import type { DatabaseClient, SimulatedDatabase } from './database.ts';
import { textOf } from './filed-documents.ts';

export interface Sabotage {
  /** Rules of the database, dropped again after the history. */
  readonly rules?: { readonly make: string; readonly drop: string };
  /** Around each statement of a worker. */
  readonly statement?: (client: DatabaseClient, text: string, values: readonly unknown[]) => Promise<Answered>;
  /** Around each request of a worker, until everything heals. */
  readonly exchanger?: (exchanger: Exchanger, isWell: () => boolean) => Exchanger;
}

/** The rules of a mechanism come into force, or go. */
export async function changeRules(database: SimulatedDatabase, rules: string | undefined): Promise<void> {
  if (rules === undefined) return;
  const client = await database.connect(0);
  await client.query(rules);
  client.release();
}

export const mechanisms = [
  'intents',
  'fence',
  'settle',
  'basis-consent',
  'basis-pause',
  'basis-mapping',
  'if-match',
  'reread',
  'cursor',
  'own-chart',
  'their-moves',
  'references',
  'told-once',
] as const;
export type Mechanism = (typeof mechanisms)[number];

export function isMechanism(name: string): name is Mechanism {
  return mechanisms.some((known) => known === name);
}

export const sabotages: Readonly<Record<Mechanism, Sabotage>> = {
  // An unknown outcome is forgotten: the row is closed as not done from the moment it is stored.
  intents: {
    rules: trigger('operation', 'insert', `new.outcome := 'not-done'; new.closed_at := sim.now();`),
  },

  // A runner whose lease has passed to another one goes on storing.
  fence: {
    statement: (client, text, values) =>
      client.query(
        /"?fence"? = \$\d+/.test(text)
          ? text.replace(/"?fence"? = (\$\d+)/, '$1::bigint is not null').replaceAll('lease_until > now()', 'true')
          : text,
        values,
      ),
  },

  // One negative search is enough for a second POST.
  settle: {
    rules: trigger('operation', 'insert', `new.missed_at := sim.now() - interval '1 day';`),
  },

  // Of what a plan was made from, one cause is not looked at again. A consent raises both the lane's counter and its client's.
  'basis-consent': unchecked(
    [/wanted = (\$\d+::bigint)/, '$1 is not null'],
    // Counters that are not there yet are still made first: without that the same intents would be stored twice.
    [
      /epochs = (\$\d+::text::jsonb)/,
      '(select count(*) from jsonb_object_keys(epochs)) = (select count(*) from jsonb_object_keys($1))',
    ],
  ),
  'basis-pause': unchecked([/is_running and/, ''], [/connection_epoch = (\$\d+::bigint)/, '$1 is not null']),
  'basis-mapping': unchecked([/mapping_version = (\$\d+)/, '$1::text is not null']),

  // Updates carry no version tag and are made from a look that may be old.
  'if-match': {
    exchanger: (exchanger, isWell) => withOldLooks(withoutTags(exchanger, isWell), isWell, () => true),
  },

  // Where no version tag protects an update, it is made from an old look.
  reread: {
    exchanger: (exchanger, isWell) => withOldLooks(exchanger, isWell, (look) => look.headers.etag === undefined),
  },

  // A poll moves its cursor when it begins, whatever comes of it.
  cursor: {
    rules: trigger(
      'poll',
      'update',
      `if new.lease_until is not null and new.cursor is not null then
        new.cursor := to_char(sim.now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
      end if;`,
    ),
  },

  // A document tells what another client's said last, too.
  'own-chart': { exchanger: withWordsOfOthers },

  // Whoever looks at a Task that the partner has moved puts it back.
  'their-moves': { exchanger: withTasksPutBack },

  // What points at a need points at another one on the server, and reads as if it did not.
  references: { exchanger: withNeedsMixedUp },

  // Every change is offered twice.
  'told-once': {
    rules: trigger(
      'change',
      'insert',
      `if pg_trigger_depth() = 1 then
        declare twin change;
        begin
          update change_counter set last = new.cursor + 1 where source = new.source;
          twin := new;
          twin.cursor := new.cursor + 1;
          insert into change values (twin.*);
        end;
      end if;`,
    ),
  },
};

/** Parts of what is checked when intents are stored. @throws Error when a part is not found there */
function unchecked(...parts: readonly (readonly [RegExp, string])[]): Sabotage {
  return {
    statement: (client, text, values) => {
      if (!text.includes('insert into operation')) return client.query(text, values);
      let without = text;
      for (const [part, instead] of parts) {
        if (!part.test(text)) throw new Error(`What intents are stored by does not check ${part}.`);
        without = without.replace(part, instead);
      }
      return client.query(without, values);
    },
  };
}

function trigger(table: string, event: 'insert' | 'update', body: string): Sabotage['rules'] {
  return {
    make: `create function sim.sabotage() returns trigger language plpgsql as $$ begin ${body} return new; end $$;
      create trigger sabotage before ${event} on ${table} for each row execute function sim.sabotage();`,
    drop: `drop trigger sabotage on ${table}; drop function sim.sabotage();`,
  };
}

function withOldLooks(exchanger: Exchanger, isWell: () => boolean, answers: (look: HttpReply) => boolean): Exchanger {
  const looks = new Map<string, HttpReply>();
  return {
    ...exchanger,
    exchange: async (call) => {
      if (isWell()) return exchanger.exchange(call);
      const path = call.url.pathname;
      const old = call.method === 'GET' && call.url.search === '' ? looks.get(path) : undefined;
      if (old !== undefined && answers(old)) return old;
      const reply = await exchanger.exchange(call);
      const isLook = call.method === 'GET' || call.method === 'PUT';
      if (isLook && reply.fault === undefined && reply.status === 200 && /\/[A-Z]\w+\/[^/]+$/.test(path))
        looks.set(path, reply);
      return reply;
    },
  };
}

function withoutTags(exchanger: Exchanger, isWell: () => boolean): Exchanger {
  return { ...exchanger, exchange: (call) => exchanger.exchange(isWell() ? call : untagged(call)) };
}

function untagged({ headers: { 'if-match': _tag, ...headers }, ...call }: HttpCall): HttpCall {
  const { body } = call;
  return { ...call, headers, ...(body !== undefined && { body: untaggedEntries(body) }) };
}

function untaggedEntries(body: string): string {
  return JSON.stringify(JSON.parse(body, (name, value: unknown) => (name === 'ifMatch' ? undefined : value)));
}

function withWordsOfOthers(exchanger: Exchanger): Exchanger {
  const words = new Map<string, string>();
  return {
    ...exchanger,
    exchange: (call) => {
      const { body, url } = call;
      if (body === undefined || !url.pathname.includes('/DocumentReference')) return exchanger.exchange(call);
      const document: JsonObject = JSON.parse(body);
      const chart = patientOf(document) ?? '';
      const text = textOf(document);
      const [said] = text.match(/.*\(v\d+\).*/) ?? [];
      const [other] = [...words].flatMap(([of, line]) => (of === chart ? [] : [line]));
      if (said !== undefined) words.set(chart, said);
      const told = other === undefined ? body : body.replaceAll(base64(text), base64(`${other}\n${text}`));
      return exchanger.exchange({ ...call, body: told });
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function withTasksPutBack(exchanger: Exchanger): Exchanger {
  const moves = ['accepted', 'rejected', 'in-progress', 'on-hold', 'completed'];
  return {
    ...exchanger,
    exchange: async (call) => {
      const reply = await exchanger.exchange(call);
      if (call.method !== 'GET' || reply.fault !== undefined || reply.status !== 200) return reply;
      const [base] = call.url.href.split('/Task');
      const headers = { ...call.headers, 'content-type': 'application/fhir+json' };
      for (const task of resourcesIn(textIn(reply))) {
        if (task.resourceType !== 'Task' || !moves.includes(String(task.status))) continue;
        const url = new URL(`${base}/Task/${task.id}`);
        const body = JSON.stringify({ ...task, status: 'requested' });
        await exchanger.exchange({ ...call, method: 'PUT', url, headers, body });
      }
      return reply;
    },
  };
}

/** The one that is read, or those of a Bundle. */
function resourcesIn(text: string): JsonObject[] {
  const body = parseJson(text);
  if (!isObject(body)) return [];
  return [body, ...objectsAt(body, 'entry').flatMap(({ resource }) => (isObject(resource) ? [resource] : []))];
}

/** Undefined for an answer that was cut off. */
function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withNeedsMixedUp(exchanger: Exchanger): Exchanger {
  // The first with the second, the third with the fourth.
  const mixedUp = (text: string) =>
    text.replaceAll(
      /("reference":\s*)"Condition\/(\d+)"/g,
      (_, before, id) => `${before}"Condition/${((Number(id) - 1) ^ 1) + 1}"`,
    );
  return {
    ...exchanger,
    exchange: async ({ body, ...call }) => {
      const reply = await exchanger.exchange({ ...call, ...(body !== undefined && { body: mixedUp(body) }) });
      return reply.fault === undefined ? { ...reply, bytes: Buffer.from(mixedUp(textIn(reply))) } : reply;
    },
  };
}

function textIn({ bytes }: HttpReply): string {
  return Buffer.from(bytes).toString('utf8');
}
