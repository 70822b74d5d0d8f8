// What a person does alone: Katz (1963) and Lawton and Brody (1969). Short labels only; the wording belongs to others.

import type { Instrument, Worth } from './instrument.ts';

const independent: Worth = {
  independent: 1,
  dependent: 0,
  yes: 1,
  no: 0,
  'LA33-6': 1,
  'LA32-8': 0,
  '1': 1,
  '0': 0,
};

export const katzAdl: Instrument = {
  code: 'katz-adl',
  rule: 'One point for each of six activities done alone: 6 full, 3 to 5 moderate, 0 to 2 severe impairment.',
  items: ['bathing', 'dressing', 'toileting', 'transferring', 'continence', 'feeding'].map((code) => ({
    code,
    worth: independent,
  })),
  totals: [
    {
      codes: ['katz-adl', 'total'],
      min: 0,
      max: 6,
      bands: [
        { from: 0, code: 'severe' },
        { from: 3, code: 'moderate' },
        { from: 6, code: 'full' },
      ],
    },
  ],
};

export const lawtonIadl: Instrument = {
  code: 'lawton-iadl',
  rule: 'One point for each of eight activities done alone; 8 is independent.',
  items: ['telephone', 'shopping', 'food', 'housekeeping', 'laundry', 'transport', 'medication', 'finances'].map(
    (code) => ({ code, worth: independent }),
  ),
  totals: [{ codes: ['lawton-iadl', 'total'], min: 0, max: 8, bands: [] }],
};
