// GAD-7 (Spitzer, Kroenke, Williams, Löwe 2006). Reproduction needs no permission.

import type { Instrument } from './instrument.ts';
import { frequency } from './phq.ts';

export const gad7: Instrument = {
  code: 'gad-7',
  rule: 'Sum of seven items of 0 to 3; cuts 5, 10, 15.',
  items: ['69725-0', '68509-9', '69733-4', '69734-2', '69735-9', '69689-8', '69736-7'].map((code) => ({
    code,
    worth: frequency,
  })),
  totals: [
    {
      codes: ['70274-6', 'total', 'gad-7'],
      min: 0,
      max: 21,
      bands: [
        { from: 0, code: 'minimal' },
        { from: 5, code: 'mild' },
        { from: 10, code: 'moderate' },
        { from: 15, code: 'severe' },
      ],
      positive: { from: 10, domain: 'mental-health' },
    },
  ],
};
