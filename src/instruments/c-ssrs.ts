// The C-SSRS screener (Columbia Lighthouse Project): yes/no questions and no sum. Short labels only; the wording belongs to others.

import { type Instrument, yesNo } from './instrument.ts';

const always = ['wish-dead', 'suicidal-thoughts', 'behaviour'];
const afterThoughts = ['thoughts-with-method', 'intent', 'plan-and-intent'];
const recent = 'behaviour-last-3-months';

export const cSsrsScreen: Instrument = {
  code: 'c-ssrs-screen',
  rule: 'Questions 1 and 2 low; 3 or behaviour in a lifetime moderate; 4, 5 or behaviour in the last three months high.',
  items: [...always, ...afterThoughts, recent].map((code) => ({ code, worth: yesNo, positiveFrom: 1, alert: true })),
  totals: [],
  level: (worth) => {
    const yes = (code: string): boolean => worth(code) === 1;
    if (['intent', 'plan-and-intent', recent].some(yes)) return 'high';
    const asked = [
      ...always,
      ...(yes('suicidal-thoughts') ? afterThoughts : []),
      ...(yes('behaviour') ? [recent] : []),
    ];
    if (asked.some((code) => worth(code) === undefined)) return undefined;
    if (['thoughts-with-method', 'behaviour'].some(yes)) return 'moderate';
    return ['wish-dead', 'suicidal-thoughts'].some(yes) ? 'low' : 'none';
  },
};
