// Each mechanism of the lane core switched off, one at a time, from outside: a checker that cannot fail proves nothing. Production code knows
// nothing of this; what is taken away is taken from the statements, rows, requests and settings that pass between it and the world.

import type { Exchanger, HttpCall, HttpReply } from '../../src/connections/exchange.ts';
import type { Answered } from '../../src/store/wire-protocol.ts';
import type { DatabaseClient } from './database.ts';

export interface Sabotage {
  /** Rules of the database, dropped again after the history. */
  readonly rules?: { readonly make: string; readonly drop: string };
  /** Around each statement of a worker. */
  readonly statement?: (client: DatabaseClient, text: string, values: readonly unknown[]) => Promise<Answered>;
  /** Around each request of a worker, until everything heals. */
  readonly exchanger?: (exchanger: Exchanger, isWell: () => boolean) => Exchanger;
}

export const mechanisms = [
  'intents',
  'fence',
  'settle',
  'basis',
  'basis-consent',
  'basis-pause',
  'basis-mapping',
  'if-match',
  'cursor',
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

  // What a plan was made from is not looked at again.
  basis: unchecked([/\bis_same\n/, 'true\n']),

  // Of the same, one cause each. A consent raises both the lane's counter and its client's.
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
    exchanger: (exchanger, isWell) => withOldLooks(exchanger, isWell),
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

function withOldLooks(exchanger: Exchanger, isWell: () => boolean): Exchanger {
  const looks = new Map<string, HttpReply>();
  return {
    ...exchanger,
    exchange: async (call) => {
      if (isWell()) return exchanger.exchange(call);
      const path = call.url.pathname;
      const old = call.method === 'GET' && call.url.search === '' ? looks.get(path) : undefined;
      if (old !== undefined) return old;
      const reply = await exchanger.exchange(withoutTag(call));
      const isLook = call.method === 'GET' || call.method === 'PUT';
      if (isLook && reply.fault === undefined && reply.status === 200 && /\/[A-Z]\w+\/[^/]+$/.test(path))
        looks.set(path, reply);
      return reply;
    },
  };
}

function withoutTag({ headers: { 'if-match': _tag, ...headers }, ...call }: HttpCall): HttpCall {
  const { body } = call;
  return { ...call, headers, ...(body !== undefined && { body: withoutTags(body) }) };
}

function withoutTags(body: string): string {
  return JSON.stringify(JSON.parse(body, (name, value: unknown) => (name === 'ifMatch' ? undefined : value)));
}
