// The clients of the demo's caseload: invented people of an invented county, and what brings them to their case manager.

import type { ClientRecord, NeedRecord } from '../records/records.ts';
import { others } from './other-people.ts';
import type { HospitalName, PlaceName } from './places.ts';

export interface Person {
  /** Part of the id of every record about this person. */
  readonly name: string;
  readonly given: string;
  readonly family: string;
  readonly birthDate: string;
  readonly sex: ClientRecord['sex'];
  readonly street: string;
  readonly phone: string;
  readonly language?: string;
  /** Medical record numbers, by the server that gave them. */
  readonly mrns?: Readonly<Partial<Record<PlaceName, string>>>;
  /** Where they are treated: their consent names it beside the exchange. */
  readonly hospital?: HospitalName;
  readonly worker: 'okafor' | 'reyes';
  readonly noConsent?: true;
  /** Title of the care plan; absent: none is made yet. */
  readonly plan?: string;
  readonly concerns: readonly Concern[];
}

export interface Concern {
  readonly domain: NeedRecord['domain'];
  readonly risk: NeedRecord['riskLevel'];
  readonly need: string;
  /** In the client's words. */
  readonly goal?: string;
  /** Which service they are referred to. */
  readonly referral?: { readonly service: ServiceName; readonly text: string; readonly status: 'sent' | 'draft' };
}

export type ServiceName = 'groceries' | 'rent' | 'rides' | 'bills' | 'recovery' | 'childcare';

/** The one whose referral the story follows. */
export const rosa: Person = {
  name: 'rosa',
  given: 'Rosa',
  family: 'Delgado',
  birthDate: '1984-06-17',
  sex: 'female',
  street: '48 Larch Avenue',
  phone: '(518) 555-0177',
  language: 'es',
  mrns: { larchValley: 'LV-20417' },
  hospital: 'larchValley',
  worker: 'okafor',
  plan: 'Enough food at home',
  concerns: [
    {
      domain: 'food',
      risk: 'moderate',
      need: 'Runs out of food in the last week of each month.',
      goal: 'I want food on the table every day of the month.',
      referral: { service: 'groceries', text: 'Weekly groceries for a household of three', status: 'sent' },
    },
    {
      domain: 'benefits',
      risk: 'low',
      need: 'Has never applied for SNAP.',
      goal: 'I want to apply for SNAP in spring.',
    },
  ],
};

/** Known to the exchange by his medical record number. */
export const samuel: Person = {
  name: 'samuel',
  given: 'Samuel',
  family: 'Ortiz',
  birthDate: '1957-11-03',
  sex: 'male',
  street: '9 Canal Street',
  phone: '(518) 555-0132',
  mrns: { exchange: 'LC-104477', stBrigid: '600318' },
  hospital: 'stBrigid',
  worker: 'reyes',
  plan: 'Staying in the apartment',
  concerns: [
    {
      domain: 'housing-instability',
      risk: 'high',
      need: 'Two months behind with the rent.',
      goal: 'I want to keep my apartment.',
      referral: { service: 'rent', text: 'Help with two months of rent', status: 'sent' },
    },
  ],
};

/** Known to the exchange by name, birth date, sex and phone. */
export const thi: Person = {
  name: 'thi',
  given: 'Thi',
  family: 'Nguyen',
  birthDate: '1971-02-20',
  sex: 'female',
  street: '230 Mill Road',
  phone: '(518) 555-0118',
  language: 'vi',
  mrns: { stBrigid: '600742' },
  hospital: 'stBrigid',
  worker: 'reyes',
  plan: 'Getting to dialysis',
  concerns: [
    {
      domain: 'transportation',
      risk: 'high',
      need: 'Missed two dialysis visits for lack of a ride.',
      goal: 'I want to get to every dialysis visit.',
      referral: { service: 'rides', text: 'Rides to dialysis, three times a week', status: 'sent' },
    },
  ],
};

/** Two patients of the exchange look like her. */
export const maria: Person = {
  name: 'maria',
  given: 'Maria',
  family: 'Santos',
  birthDate: '1990-04-02',
  sex: 'female',
  street: '77 Quarry Lane',
  phone: '(518) 555-0164',
  worker: 'okafor',
  plan: 'Food for the children',
  concerns: [
    {
      domain: 'food',
      risk: 'moderate',
      need: 'Skips meals so that the children can eat.',
      goal: 'I want all of us to eat three meals a day.',
      referral: { service: 'groceries', text: 'Weekly groceries for a household of four', status: 'sent' },
    },
  ],
};

/** The reply to her referral gets lost. */
export const denise: Person = {
  name: 'denise',
  given: 'Denise',
  family: 'Carter',
  birthDate: '1993-09-28',
  sex: 'female',
  street: '15 Depot Street',
  phone: '(518) 555-0121',
  mrns: { larchValley: 'LV-31882' },
  hospital: 'larchValley',
  worker: 'okafor',
  plan: 'Food and a place in childcare',
  concerns: [
    {
      domain: 'food',
      risk: 'moderate',
      need: 'Buys formula instead of food for herself.',
      goal: 'I want to stop worrying about the next meal.',
      referral: { service: 'groceries', text: 'Groceries and formula', status: 'sent' },
    },
    {
      domain: 'childcare',
      risk: 'moderate',
      need: 'No childcare for the evening shift.',
      goal: 'I want a childcare place by fall.',
    },
  ],
};

/** Has signed no consent. */
export const agnes: Person = {
  name: 'agnes',
  given: 'Agnes',
  family: 'Whitlock',
  birthDate: '1946-01-30',
  sex: 'female',
  street: '3 Orchard Court',
  phone: '(518) 555-0109',
  worker: 'reyes',
  noConsent: true,
  concerns: [{ domain: 'utilities', risk: 'moderate', need: 'The heating bill is higher than her pension allows.' }],
};

/** The whole caseload. */
export const people: readonly Person[] = [rosa, samuel, thi, maria, denise, agnes, ...others];
