// PHQ-9 and its first two questions, PHQ-2 (Kroenke, Spitzer, Williams 2001 and 2003). Reproduction needs no permission.

import { type Instrument, type InstrumentItem, ordinal } from './instrument.ts';

/** LOINC answer list LL358-3: not at all, several days, more than half the days, nearly every day. */
export const frequency = ordinal(['LA6568-5', 'LA6569-3', 'LA6570-1', 'LA6571-9']);

const interest: readonly InstrumentItem[] = ['44250-9', '44255-8'].map((code) => ({ code, worth: frequency }));

export const phq9: Instrument = {
  code: 'phq-9',
  rule: 'Sum of nine items of 0 to 3; cuts 5, 10, 15, 20. The item on self-harm above 0 is an alert whatever the total.',
  items: [
    ...interest,
    ...['44259-0', '44254-1', '44251-7', '44258-2', '44252-5', '44253-3'].map((code) => ({ code, worth: frequency })),
    { code: '44260-8', worth: frequency, positiveFrom: 1, alert: true },
    // How difficult all this makes life: two codes for one question are in use.
    { code: '69722-7', worth: {}, unscored: true },
    { code: '44256-6', worth: {}, unscored: true },
  ],
  totals: [
    {
      codes: ['44261-6', 'total', 'phq-9'],
      min: 0,
      max: 27,
      bands: [
        { from: 0, code: 'minimal' },
        { from: 5, code: 'mild' },
        { from: 10, code: 'moderate' },
        { from: 15, code: 'moderately-severe' },
        { from: 20, code: 'severe' },
      ],
      positive: { from: 10, domain: 'mental-health' },
    },
  ],
};

export const phq2: Instrument = {
  code: 'phq-2',
  rule: 'Sum of the first two items of the PHQ-9; positive from 3.',
  items: interest,
  totals: [
    {
      codes: ['phq-2', 'total'],
      min: 0,
      max: 6,
      bands: [
        { from: 0, code: 'negative' },
        { from: 3, code: 'positive' },
      ],
      positive: { from: 3, domain: 'mental-health' },
    },
  ],
};
