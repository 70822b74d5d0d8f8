// The JSON Schema of casebridge.yaml (design section 8) and the type of a file that has passed it.
// Descriptions are the documentation of each setting.

import type { SchemaObject } from 'ajv';
import { recordTypes, schemaAt } from '../records/records.ts';
import { routesFor } from './routes.ts';
import type { ConnectionConfig, MailConfig, PageLanguage, ScopeVersion, VendorName } from './types.ts';
import {
  type ClockRule,
  hourRules,
  type LogLevel,
  logLevels,
  type Permission,
  type PolledType,
  pageLanguages,
  permissions,
  polledTypes,
  type Route,
  scopeVersions,
  vendorNames,
  type Weekday,
  weekdays,
} from './types.ts';

export interface RawConfig {
  server?: { port?: number; host?: string; publicUrl?: string; behindProxy?: boolean };
  store?: { url?: string; folder?: string };
  queue?: { url?: string };
  lanes?: { lease?: string };
  log?: { level?: LogLevel };
  mail?: RawMail;
  sms?: { webhook: { url: string; secret: string; allowPrivate?: boolean } };
  clocks?: {
    digest?: string;
    businessHours?: { days: Weekday[]; from: string; to: string; holidays?: string[]; rules?: ClockRule[] };
  };
  retention?: { audit?: string; versions?: string; seen?: string };
  guides?: string[];
  overlay?: string;
  identifierSystem: string;
  operators?: Record<string, { token: string; may?: Permission[] }>;
  sources: Record<string, { token: string; timeZone?: string; webhook?: RawWebhook }>;
  connections?: Record<string, RawConnection>;
  partners?: Record<string, RawPartner>;
}

export interface RawPartner {
  organization: string;
  client?: { id: string; keys: unknown; allowPrivate?: boolean; scopes?: string[] };
  page?: RawPage;
}

export interface RawMail {
  from: string;
  smtp: { host: string; port?: number; security?: MailConfig['smtp']['security']; user?: string; password?: string };
}

export interface RawContact {
  email?: string;
  sms?: string;
}

export interface RawPage extends RawContact {
  contacts?: Record<string, RawContact>;
  language?: PageLanguage;
  linkDays?: number;
}

export interface RawWebhook {
  url: string;
  secrets: string[];
  giveUpAfter?: string;
  allowPrivate?: boolean;
}

export interface RawHook {
  key: string;
  bearer?: string;
  heartbeat?: string;
  subscribe?: PolledType[];
}

export interface RawConnection {
  vendor: VendorName;
  baseUrl: string;
  auth: RawAuth;
  mode?: ConnectionConfig['mode'];
  organization?: string;
  organizationElsewhere?: string[];
  basis?: ConnectionConfig['basis'];
  sources?: string[];
  inboundTo?: string;
  unrelatedTo?: string[];
  createPatients?: boolean;
  identifierSystems?: Record<string, string>;
  task?: ConnectionConfig['task'];
  cancellation?: 'set' | NonNullable<ConnectionConfig['cancellation']>;
  backfill?: ConnectionConfig['backfill'];
  poll?: {
    every?: string;
    types?: PolledType[];
    roster?: string;
    performers?: string[];
    referralCodes?: string[];
    documentTypes?: string[];
    lookBack?: string;
  };
  hook?: RawHook;
  rateLimit?: { requestsPerSecond?: number; concurrency?: number; requestsPerDay?: number };
  settle?: string;
  documents?: { quiet?: string; atMostEvery?: string; encounter?: ConnectionConfig['documents']['encounter'] };
  routes?: Record<string, Route>;
}

export type RawAuth =
  | { type: 'none' }
  | { type: 'bearer'; token: string }
  | { type: 'basic'; user: string; password: string }
  | {
      type: 'smart-backend';
      clientId: string;
      key: string;
      otherKeys?: string[];
      scopes?: string[];
      scopeVersion?: ScopeVersion;
    }
  | { type: 'smart-basic'; clientId: string; secret: string; scopes?: string[]; scopeVersion?: ScopeVersion };

/** What a source, connection or partner may be called. */
export const namePattern = '^[a-z][a-z0-9-]{0,31}$';

const text = (description: string): SchemaObject => ({ type: 'string', minLength: 1, description });
const secret = (description: string): SchemaObject => ({
  ...text(`${description}. Only as env:NAME or file:PATH.`),
  secret: true,
});
/** Text of a form, which is said in words where it is another one. */
const written = (form: string, pattern: string, description: string): SchemaObject => ({
  ...text(description),
  pattern,
  form,
});
const duration = (description: string): SchemaObject =>
  written(
    'a duration such as 90s, 15m, 4h (a whole number and ms, s, m, h or d)',
    '^[0-9]{1,9}(ms|s|m|h|d)$',
    description,
  );
const timeOfDay = (example: string, description: string, last = ''): SchemaObject =>
  written(`a time of day such as ${example}, in quotes`, `^([01][0-9]|2[0-3]):[0-5][0-9]$${last}`, description);
const uri = (description: string): SchemaObject =>
  written('an absolute URI (https://… or urn:…)', '^(https?://|urn:)\\S+$', description);
const choice = (values: readonly string[], description: string): SchemaObject => ({
  type: 'string',
  enum: [...values],
  description,
});
const whole = (minimum: number, maximum: number, description: string): SchemaObject => ({
  type: 'integer',
  minimum,
  maximum,
  description,
});
const settings = (properties: Record<string, SchemaObject>, required: string[] = []): SchemaObject => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});
const named = (each: SchemaObject, description: string): SchemaObject => ({
  type: 'object',
  description,
  propertyNames: { pattern: namePattern },
  additionalProperties: each,
});

const tokenEndpoint = {
  clientId: text('The client id that the server gave.'),
  scopes: {
    type: 'array',
    minItems: 1,
    uniqueItems: true,
    items: text('A scope, such as system/*.crus.'),
    description: 'What to ask for. May be absent on epic, where it is chosen at registration.',
  },
  scopeVersion: choice(scopeVersions, 'How scopes are spelled: v1 system/Task.read, v2 system/Task.rs. Default v2.'),
};

const auth: SchemaObject = {
  type: 'object',
  description: 'How Casebridge proves who it is.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    settings({ type: { const: 'none' } }, ['type']),
    settings({ type: { const: 'bearer' }, token: secret('A fixed token') }, ['type', 'token']),
    settings({ type: { const: 'basic' }, user: text('User name'), password: secret('Password') }, [
      'type',
      'user',
      'password',
    ]),
    settings(
      {
        type: { const: 'smart-backend' },
        ...tokenEndpoint,
        key: secret('Private key as JWK, made by `casebridge keys`; it signs'),
        otherKeys: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: secret('Private key as JWK'),
          description:
            'Published beside `key`, but not used: the next one, a day before it becomes `key`, and the last one.',
        },
      },
      ['type', 'clientId', 'key'],
    ),
    settings(
      {
        type: { const: 'smart-basic' },
        ...tokenEndpoint,
        secret: secret('Secret of a system account, for the token endpoint'),
      },
      ['type', 'clientId', 'secret'],
    ),
  ],
};

const organization = (description: string): SchemaObject =>
  written('source/id of an organization record', '^[a-z][a-z0-9-]{0,31}/[A-Za-z0-9._-]{1,64}$', description);

/** Kinds of identifiers that have a system: those of clients and of organizations. */
const identifierKinds = (['client', 'organization'] as const).flatMap(
  (type) => schemaAt(type, ['identifiers', 'kind'])?.enum ?? [],
);

const connection = settings(
  {
    vendor: choice(vendorNames, 'How this server behaves.'),
    baseUrl: text('FHIR R4 base URL. May be env:NAME.'),
    auth,
    mode: choice(
      ['off', 'shadow', 'live'],
      'off asks and sends nothing; what is accepted meanwhile is sent when it is on again. shadow plans, reads and shows but writes nothing. Default: live on standard, shadow on epic and oracle.',
    ),
    organization: organization(
      'source/id of the organization record whose server this is. Absent: a recipient of its own.',
    ),
    organizationElsewhere: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: organization('A record.'),
      description:
        'The same organization in other sources, one source/id for each. Where it is known in none, consents and refusals that name it by its record are not known to be for it (docs/connections.md).',
    },
    basis: choice(
      ['treatment', 'consent'],
      'What lets records go there. consent: a consent of the client that names the connection. treatment: everything goes but what is labelled sensitive and safety plans, which need one too, and what the client has refused to this receiver by name (docs/connections.md). Default treatment.',
    ),
    sources: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: text('A source.'),
      description:
        'Whose cases go there. Of one that is taken out nothing more is sent, and what is there stays as it is. Default all.',
    },
    inboundTo: text('Which source is offered what begins there. Default: the only one.'),
    unrelatedTo: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: text('A name that a connection once had.'),
      description:
        'Connections of earlier configurations that led to the same address, where this one is meant to begin anew. Absent: a start is refused that would send everything there a second time.',
    },
    createPatients: {
      type: 'boolean',
      description:
        'Whether a client without a Patient gets one. Default false. On epic and oracle only with routes: { client: native }.',
    },
    identifierSystems: {
      type: 'object',
      propertyNames: { enum: [...new Set(identifierKinds)] },
      additionalProperties: uri('The system URI.'),
      description: 'The system in which each kind of identifier counts on this server.',
    },
    task: choice(
      ['home', 'copy', 'answer', 'off'],
      'Where the Task of a referral lives. Default home on standard, answer on epic, off on oracle.',
    ),
    cancellation: choice(
      ['set', 'bser', 'abort-task'],
      'How the performer of an accepted referral is asked to cancel it. set: it is not, you set the referral to cancelled. bser, abort-task, on standard with task home: by the Task itself, or by one of its own (docs/partners.md). Default set.',
    ),
    backfill: choice(
      ['none', 'open-cases', 'all'],
      'What is sent when the connection or one of its sources is new, or when a shadow goes live. Default open-cases.',
    ),
    poll: settings({
      every: duration(
        'Time between polls of all patients, and of one with an open referral; open cases take four times as long, others a day. At least 100ms. Default 60s on standard, 15m on epic and oracle.',
      ),
      types: {
        type: 'array',
        uniqueItems: true,
        items: choice(polledTypes, 'A resource type.'),
        description:
          'What is asked for, as far as the server offers and grants it. Default all of these, but Communication not on oracle.',
      },
      roster: written(
        'Group/<id> or List/<id>',
        '^(Group|List)/[A-Za-z0-9._-]{1,64}$',
        'Group/<id> or List/<id> of the server: whom to ask about beside the linked patients.',
      ),
      performers: {
        type: 'array',
        uniqueItems: true,
        items: written(
          'a reference such as Organization/7',
          '^(\\S+/)?[A-Z][A-Za-z]+/[A-Za-z0-9._-]+$',
          'A reference such as Organization/7.',
        ),
        description:
          'How the server names our organization, beside what is linked: requests to it are referrals to us.',
      },
      referralCodes: {
        type: 'array',
        uniqueItems: true,
        items: written('system|code', '^[^|]+\\|[^|]+$', 'system|code.'),
        description: 'Codes and categories of requests that are referrals to you where they name no performer.',
      },
      documentTypes: {
        type: 'array',
        uniqueItems: true,
        items: written('a LOINC code such as 18842-5', '^[0-9]{1,7}-[0-9]$', 'A LOINC code.'),
        description:
          'Types of documents of the hospital, as LOINC codes, that are offered as notes. Default 18842-5 (discharge summary) and 34111-5 (emergency department note); an empty list offers none.',
      },
      lookBack: duration('How far back documents, visits, appointments and procedures are read. Default 90d.'),
    }),
    hook: settings(
      {
        key: secret('The last part of /hooks/<connection>/<key>, where the server notifies; 16 characters or more'),
        bearer: secret('What the server sends in Authorization: Bearer besides'),
        heartbeat: duration('It notifies at least so often, if only to say that it lives; silence is an alert.'),
        subscribe: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: choice(polledTypes, 'Resource type.'),
          description:
            'Types for which Casebridge keeps a Subscription on the server, where it lets us. Default: none.',
        },
      },
      ['key'],
    ),
    rateLimit: settings({
      requestsPerSecond: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 10_000,
        description:
          'Requests a second, polls and tokens included, over all processes; 1.667 is 100 a minute. No 60 seconds hold more than 60 times that. Default 20.',
      },
      concurrency: whole(1, 1000, 'Requests at the same time, over all processes. Default 8.'),
      requestsPerDay: whole(
        100,
        1_000_000_000,
        'Requests a day in UTC; the last 5 % are kept for incidents and referrals. Absent: no limit.',
      ),
    }),
    settle: duration('How long a write may stay invisible to search. Default 90s; 0s where the server is consistent.'),
    documents: settings({
      quiet: duration('A document goes out after this long without a change. Default 4h.'),
      atMostEvery: duration('And not more often than this. Default 24h.'),
      encounter: choice(['latest-open', 'none'], 'Which encounter a document names. Default latest-open.'),
    }),
    routes: {
      type: 'object',
      propertyNames: { enum: [...recordTypes] },
      properties: Object.fromEntries(recordTypes.map((type) => [type, choice(routesFor(type), 'The route.')])),
      description: 'Overrides of the route, by record type.',
    },
  },
  ['vendor', 'baseUrl', 'auth'],
);

const contact = {
  email: written('one e-mail address', '^[^\\s@<>,;]+@[^\\s@<>,;]+$', 'Where links go.'),
  sms: written(
    'a number such as +15185550100, in quotes',
    '^\\+[1-9][0-9]{6,14}$',
    'Where one-time codes go, and links where there is no e-mail address: + and digits.',
  ),
};

const page: SchemaObject = {
  ...settings({
    ...contact,
    contacts: {
      ...named(
        settings(contact),
        'Instead of one address: who is told, by name. Each gets links and codes of their own.',
      ),
      minProperties: 1,
      maxProperties: 20,
    },
    language: choice(pageLanguages, 'Of messages. Default en.'),
    linkDays: whole(1, 90, 'How many days a link opens its referral. Default 14.'),
  }),
  description: 'Referrals are answered on a page; links to it go to the address (docs/partners.md).',
};

const partner = settings(
  {
    organization: organization('source/id of the organization record to which the referrals are made.'),
    client: {
      ...settings(
        {
          id: written(
            '1 to 128 letters, digits and . _ ~ -',
            '^[A-Za-z0-9._~-]{1,128}$',
            'The client id under which its system asks for tokens.',
          ),
          // A text or an object: what it must be is told when it is read.
          keys: {
            description:
              'Its public keys as a JWK set: inline, as file:PATH, or the https address where it publishes them (http beside allowPrivate).',
          },
          allowPrivate: {
            type: 'boolean',
            description:
              'Whether the address of its keys may be on this machine or in a private network. Default false; link-local addresses never.',
          },
          scopes: {
            type: 'array',
            minItems: 1,
            uniqueItems: true,
            items: text('A system scope, such as system/Task.rus.'),
            description: 'What its tokens may allow at most. Default: all that the interface for partners offers.',
          },
        },
        ['id', 'keys'],
      ),
      description: 'Its system, which reads and answers its referrals by FHIR (docs/partners.md). Absent: it has none.',
    },
    page,
  },
  ['organization'],
);

const webhook = {
  ...settings(
    {
      url: text('Where each change is posted: https, or http beside allowPrivate. May be env:NAME.'),
      secrets: {
        type: 'array',
        minItems: 1,
        maxItems: 2,
        uniqueItems: true,
        items: secret('Signing secret, whsec_ and 24 to 64 bytes in base64'),
        description: 'Each signs every delivery: two while the receiver changes from one to the other.',
      },
      giveUpAfter: duration(
        'Deliveries stop, with one alert, when the receiver has taken none for this long. Default 3d.',
      ),
      allowPrivate: {
        type: 'boolean',
        description: 'Whether the receiver may be on this machine or in a private network. Default false.',
      },
    },
    ['url', 'secrets'],
  ),
  description: 'Posts each change of the feed to the source (docs/changes.md). Absent: the source asks for them.',
};

const mail = {
  ...settings(
    {
      from: written(
        'an e-mail address, or Name <address>',
        '^[^\\r\\n]*[^\\s@<>]+@[^\\s@<>]+>?$',
        'The sender, an address or Name <address>.',
      ),
      smtp: settings(
        {
          host: text('Name of the mail server. May be env:NAME.'),
          port: whole(1, 65_535, 'Default 465 with tls, 587 with starttls, 25 with none.'),
          security: choice(
            ['tls', 'starttls', 'none'],
            'tls from the first byte, starttls or nothing, or none. Default starttls.',
          ),
          user: text('User name. May be env:NAME.'),
          password: secret('Password'),
        },
        ['host'],
      ),
    },
    ['from', 'smtp'],
  ),
  description: 'How e-mails to partners are sent. Absent: none are.',
};

const sms = {
  ...settings(
    {
      webhook: settings(
        {
          url: text('Where each message is posted as {to, text}: https, or http beside allowPrivate. May be env:NAME.'),
          secret: secret('Signing secret, whsec_ and 24 to 64 bytes in base64'),
          allowPrivate: {
            type: 'boolean',
            description: 'Whether it may be on this machine or in a private network. Default false.',
          },
        },
        ['url', 'secret'],
      ),
    },
    ['webhook'],
  ),
  description: 'How text messages to partners are sent. Absent: none are.',
};

/**
 * JSON Schema of the configuration file. `secret: true` marks values that may only be env:NAME or file:PATH; `form` says in words what `pattern` demands.
 */
export const configSchema: SchemaObject = {
  title: 'casebridge.yaml',
  ...settings(
    {
      server: settings({
        port: whole(0, 65_535, 'Default 8080; 0 takes any free port.'),
        host: text('Address to listen on. Default: all.'),
        publicUrl: text(
          'The https address under which others reach this server. Needed where a partner has a client or a page, and where a hook subscribes. May be env:NAME.',
        ),
        behindProxy: {
          type: 'boolean',
          description: 'Whether a proxy of yours stands before it and adds X-Forwarded-For. Default false.',
        },
      }),
      store: settings({
        url: text('PostgreSQL 15 or newer, as env:NAME or file:PATH. Absent: embedded.'),
        folder: text('Folder of the embedded store. Default ./data.'),
      }),
      queue: settings({ url: text('Redis 7 or newer, as env:NAME or file:PATH. Absent: on the store.') }),
      lanes: settings({
        lease: duration(
          'How long a process that died or hangs keeps the lanes that it was running. A request may take four fifths of it, at most 30s. Default 60s.',
        ),
      }),
      log: settings({ level: choice(logLevels, 'Default info.') }),
      mail,
      sms,
      retention: settings({
        audit: duration('How long it is kept who looked at or changed what. Default 2192d, six years.'),
        versions: duration('How long earlier versions of what is held for partners are kept. Default 2192d.'),
        seen: duration('How long what was seen about people who are not asked about any more is kept. Default 365d.'),
      }),
      clocks: settings({
        digest: timeOfDay(
          '07:30',
          'When breached clocks are told together, by the zone of their source. Absent: each at once.',
        ),
        businessHours: {
          ...settings(
            {
              days: {
                type: 'array',
                minItems: 1,
                uniqueItems: true,
                items: choice(weekdays, 'A day of the week.'),
                description: 'The days with business hours.',
              },
              from: timeOfDay('09:00', 'When they begin.'),
              to: timeOfDay('17:00', 'When they end; 24:00 is the end of the day.', '|^24:00$'),
              holidays: {
                type: 'array',
                uniqueItems: true,
                items: written('a date such as 2026-12-25', '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', 'A date.'),
                description: 'Dates without business hours.',
              },
              rules: {
                type: 'array',
                minItems: 1,
                uniqueItems: true,
                items: choice(hourRules, 'A clock.'),
                description:
                  'The clocks that count business hours only. Default: all whose limit is in hours, but for that of an incident.',
              },
            },
            ['days', 'from', 'to'],
          ),
          description: 'Only time within counts, by the zone of the case. Absent: all time counts.',
        },
      }),
      guides: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: text('A file.'),
        description: 'Facts of FHIR guides, made by `casebridge guide`, whose profiles mappings may name.',
      },
      overlay: text('A folder with fields and codes of your own (docs/custom-fields.md).'),
      identifierSystem: uri('System URI of every identifier that Casebridge gives to a resource. Never changed later.'),
      operators: named(
        settings(
          {
            token: secret('Bearer token'),
            may: {
              type: 'array',
              uniqueItems: true,
              items: choice(permissions, 'What this operator may do.'),
              description: 'Default: read.',
            },
          },
          ['token'],
        ),
        'People and tools that run Casebridge.',
      ),
      sources: {
        ...named(
          settings(
            {
              token: secret('Bearer token'),
              timeZone: text(
                'IANA time zone of instants that come without one (absent: such instants are refused), and of the days with which consents begin and end, or that a server tells as a time in UTC, other than midnight, which is the day that it names (absent: UTC).',
              ),
              webhook,
            },
            ['token'],
          ),
          'Case-management systems that send records.',
        ),
        minProperties: 1,
      },
      connections: named(connection, 'FHIR servers.'),
      partners: named(
        partner,
        'Organizations that read and answer their referrals at Casebridge itself. Their names are connections too.',
      ),
    },
    ['identifierSystem', 'sources'],
  ),
};
