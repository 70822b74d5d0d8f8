// What `POST /_control/epic/settings` can change. A quirk that is a rule of the server is on, and `off` switches it off by its id in the
// table of quirks (scripts/quirks.ts); one that is a circumstance (a merged patient, a daily cap) has a setting of its own. A new value takes the
// place of the old one, lists and all.

import { bodyReader } from '../../control/check-body.ts';
import { type EngineSettings, idealSettings } from '../../engine/engine.ts';

export interface EpicSettings extends EngineSettings {
  /** `token`: every request needs an access token of a registered client. */
  auth: 'none' | 'token';
  /** Life of an access token. */
  tokenSeconds: number;
  /** Real time that each answer takes. */
  latencyMs: number;
  /** Quirks that are switched off, as `E9`; the server then does what the specification says. */
  off: readonly string[];
  /** How long a key set that was fetched from a client is kept (E3), on the server's clock. */
  jwksCacheSeconds: number;
  /** How far the clock that judges assertions is ahead of the real one; negative is behind (E2). */
  clockSkewSeconds: number;
  /** The site has mapped no background user to the client (E4). */
  unmappedUser: boolean;
  /** How long the next page of a search can be asked for (E16), on the server's clock. */
  pageSeconds: number;
  /** Ids of patients that were merged away, each with its survivor (E20). */
  merged: Readonly<Record<string, string>>;
  /** Ids of patients behind the glass (E21). */
  restricted: readonly string[];
  /** How many document calls a virtual day (UTC) allows (E30); 0 is without limit. */
  documentCap: number;
  /** Customer and environment in the OID of the issue codes (E31). */
  instance: string;
  /** LOINC codes of the notes that the site files (E26). */
  noteTypes: readonly string[];
  /** Whether a search for Tasks needs a patient (E33). */
  taskSearchNeedsPatient: boolean;
  /** Whether a note needs an encounter (E34). */
  encounterRequired: boolean;
  /** System of the medical record numbers that the site gives to new patients. */
  mrnSystem: string;
  /** Types that the site neither declares nor serves. */
  undeclaredTypes: readonly string[];
  /** Interactions that the site neither declares nor serves, as `DocumentReference.create`. */
  undeclaredInteractions: readonly string[];
  /** Types that the site declares, though it does not serve them. */
  unservedTypes: readonly string[];
}

export const defaultEpicSettings: EpicSettings = {
  ...idealSettings,
  transactions: false,
  conditionalCreate: false,
  versions: false,
  auth: 'token',
  tokenSeconds: 3600,
  latencyMs: 0,
  off: [],
  jwksCacheSeconds: 60,
  clockSkewSeconds: 0,
  unmappedUser: false,
  pageSeconds: 60,
  merged: {},
  restricted: [],
  documentCap: 0,
  instance: '0.1',
  noteTypes: ['11506-3', '11488-4', '28570-0', '34117-2', '18842-5', '34111-5', '69730-0', '34746-8'],
  taskSearchNeedsPatient: true,
  encounterRequired: true,
  mrnSystem: 'urn:oid:1.2.840.114350.1.13.0.1.7.5.737384.14',
  undeclaredTypes: [],
  undeclaredInteractions: [],
  unservedTypes: [],
};

/** Whether a quirk is on. */
export function hasQuirk({ off }: Pick<EpicSettings, 'off'>, id: `E${number}`): boolean {
  return !off.includes(id);
}

const flag = { type: 'boolean' };
const text = { type: 'string', minLength: 1 };
const amount = { type: 'integer', minimum: 0 };
const positive = { type: 'integer', minimum: 1 };
const id = { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' };
const types = { type: 'array', items: { type: 'string', pattern: '^[A-Z][A-Za-z]+$' } };

/** @throws InvalidControl for an unknown setting or a wrong value */
export const parseEpicSettings = bodyReader<Partial<EpicSettings>>({
  type: 'object',
  additionalProperties: false,
  properties: {
    auth: { enum: ['none', 'token'] },
    tokenSeconds: positive,
    latencyMs: amount,
    searchLagMs: amount,
    off: { type: 'array', items: { type: 'string', pattern: '^E([1-9]|[12][0-9]|3[0-4])$' } },
    jwksCacheSeconds: amount,
    clockSkewSeconds: { type: 'integer' },
    unmappedUser: flag,
    pageSeconds: positive,
    merged: { type: 'object', additionalProperties: id, propertyNames: id },
    restricted: { type: 'array', items: id },
    documentCap: amount,
    instance: { type: 'string', pattern: '^[0-9]+\\.[0-9]+$' },
    noteTypes: { type: 'array', items: text },
    taskSearchNeedsPatient: flag,
    encounterRequired: flag,
    mrnSystem: text,
    undeclaredTypes: types,
    undeclaredInteractions: {
      type: 'array',
      items: { type: 'string', pattern: '^[A-Z][A-Za-z]+\\.(read|search|create|update|match)$' },
    },
    unservedTypes: types,
  },
});
