// Clients of the caseload who stand at the edge of the story, or outside it.

import type { Person } from './people.ts';

/** One of his referrals needs a consent of its own. */
export const walter: Person = {
  name: 'walter',
  given: 'Walter',
  family: 'Greene',
  birthDate: '1962-08-14',
  sex: 'male',
  street: '61 Union Street',
  phone: '(518) 555-0146',
  mrns: { stBrigid: '601155' },
  hospital: 'stBrigid',
  worker: 'reyes',
  plan: 'A place of his own',
  concerns: [
    {
      domain: 'homelessness',
      risk: 'high',
      need: "Sleeps on a friend's couch since January.",
      goal: 'I want a room with a key.',
      referral: { service: 'rent', text: 'Deposit and first month of rent', status: 'sent' },
    },
    { domain: 'employment', risk: 'low', need: 'Lost the warehouse job in winter.' },
  ],
};

/** Treated at a hospital that has no such patient. */
const amina: Person = {
  name: 'amina',
  given: 'Amina',
  family: 'Yusuf',
  birthDate: '1988-03-11',
  sex: 'female',
  street: '204 River Street',
  phone: '(518) 555-0138',
  language: 'so',
  hospital: 'larchValley',
  worker: 'okafor',
  plan: 'Food, and English lessons',
  concerns: [
    {
      domain: 'food',
      risk: 'moderate',
      need: 'No halal food within walking distance.',
      goal: 'I want to cook what my family eats.',
      referral: { service: 'groceries', text: 'Halal groceries for a household of five', status: 'sent' },
    },
    {
      domain: 'education',
      risk: 'low',
      need: 'Wants to learn English.',
      goal: 'I want to talk to the teachers myself.',
    },
  ],
};

/** The same at the other hospital. */
const luis: Person = {
  name: 'luis',
  given: 'Luis',
  family: 'Moreno',
  birthDate: '1999-07-19',
  sex: 'male',
  street: '340 Station Road',
  phone: '(518) 555-0190',
  language: 'es',
  hospital: 'stBrigid',
  worker: 'reyes',
  plan: 'A bus pass and a training place',
  concerns: [
    {
      domain: 'transportation',
      risk: 'low',
      need: 'Walks an hour to the training center.',
      goal: 'I want to be on time for class.',
      referral: { service: 'rides', text: 'A bus pass for three months', status: 'sent' },
    },
    { domain: 'income', risk: 'moderate', need: 'Lives on odd jobs.', goal: 'I want a steady pay check.' },
  ],
};

/** No hospital treats him; the partner of his second referral answers in time. */
export const earl: Person = {
  name: 'earl',
  given: 'Earl',
  family: 'Thompson',
  birthDate: '1968-05-23',
  sex: 'male',
  street: '5 Foundry Row',
  phone: '(518) 555-0171',
  worker: 'reyes',
  plan: 'Keeping warm',
  concerns: [
    {
      domain: 'utilities',
      risk: 'high',
      need: 'Has a shut-off notice for the gas.',
      goal: 'I want the heat to stay on.',
      referral: { service: 'bills', text: 'Emergency help with the gas bill', status: 'sent' },
    },
  ],
};

/** Nor her; the partner of hers does not answer. */
export const grace: Person = {
  name: 'grace',
  given: 'Grace',
  family: 'Kim',
  birthDate: '1979-10-08',
  sex: 'female',
  street: '92 Chestnut Street',
  phone: '(518) 555-0183',
  language: 'ko',
  worker: 'okafor',
  plan: 'Paying for medicine and heat',
  concerns: [
    {
      domain: 'medical-cost',
      risk: 'moderate',
      need: 'Splits pills to make them last.',
      goal: 'I want to take my medicine as it is meant.',
    },
    {
      domain: 'utilities',
      risk: 'low',
      need: 'Pays the electric bill by credit card.',
      referral: { service: 'bills', text: 'Budget billing for electricity', status: 'draft' },
    },
  ],
};

export const others: readonly Person[] = [
  walter,
  {
    name: 'harold',
    given: 'Harold',
    family: 'Finch',
    birthDate: '1950-12-05',
    sex: 'male',
    street: '118 Prospect Hill',
    phone: '(518) 555-0155',
    mrns: { larchValley: 'LV-27706' },
    hospital: 'larchValley',
    worker: 'okafor',
    plan: 'Out of the house twice a week',
    concerns: [
      {
        domain: 'social-connection',
        risk: 'moderate',
        need: 'Has spoken to nobody but the mail carrier for weeks.',
        goal: 'I want to see my card group again.',
        referral: { service: 'rides', text: 'A ride to the senior center on Tuesdays', status: 'sent' },
      },
      {
        domain: 'health-literacy',
        risk: 'low',
        need: 'Cannot read the labels of his medicines.',
        goal: 'I want to know what I take.',
      },
    ],
  },
  amina,
  earl,
  grace,
  luis,
];
