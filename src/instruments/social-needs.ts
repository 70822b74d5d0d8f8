// Screenings for social needs: the AHC HRSN tool (CMS), the Hunger Vital Sign within it, and PRAPARE, of which only codes are here.

import { type Instrument, type InstrumentItem, ordinal, type Worth, yesNo } from './instrument.ts';

/** Often, sometimes, never true: at risk with either of the first two. */
const often: Worth = { 'LA28397-0': 1, 'LA6729-3': 1, 'LA28398-8': 0 };
/** A steady place, worried about losing it, none; and whether one has housing at all. */
const steadyPlace: Worth = { 'LA31993-1': 0, 'LA31994-9': 1, 'LA31995-6': 1, 'LA30189-7': 0, 'LA30190-5': 1 };
const utilities: Worth = { ...yesNo, 'LA32002-0': 1 };
/** HITS: never to frequently, 1 to 5. */
const hits = ordinal(['LA6270-8', 'LA10066-1', 'LA10082-8', 'LA16644-9', 'LA6482-9'], 1);

const hunger: readonly InstrumentItem[] = ['88122-7', '88123-5'].map((code) => ({
  code,
  worth: often,
  unscored: true,
  positiveFrom: 1,
  domain: 'food',
}));

const safety = ['95618-5', '95617-7', '95616-9', '95615-1'];

export const ahcHrsn: Instrument = {
  code: 'ahc-hrsn',
  rule: 'Each domain by its own answer; safety is the sum of four items of 1 to 5, positive from 11.',
  items: [
    { code: '71802-3', worth: steadyPlace, unscored: true, positiveFrom: 1, domain: 'housing-instability' },
    // None of the above is the only answer that is no problem.
    {
      code: '96778-6',
      worth: { 'LA9-3': 0, '*': 1 },
      unscored: true,
      positiveFrom: 1,
      domain: 'inadequate-housing',
    },
    ...hunger,
    { code: '93030-5', worth: yesNo, unscored: true, positiveFrom: 1, domain: 'transportation' },
    { code: '96779-4', worth: utilities, unscored: true, positiveFrom: 1, domain: 'utilities' },
    ...safety.map((code) => ({ code, worth: hits })),
  ],
  totals: [
    {
      codes: ['95614-4', 'safety'],
      of: safety,
      min: 4,
      max: 20,
      bands: [
        { from: 4, code: 'negative' },
        { from: 11, code: 'positive' },
      ],
      positive: { from: 11, domain: 'safety-at-home' },
    },
  ],
};

export const hungerVitalSign: Instrument = {
  code: 'hunger-vital-sign',
  rule: 'At risk if either answer is often or sometimes true; no sum.',
  items: hunger,
  totals: [],
};

/** Items whose answers say whether there is a risk; the worth of the other items is the source's to give, as their score. */
const prapareRisks: readonly InstrumentItem[] = [
  { code: '71802-3', worth: steadyPlace, positiveFrom: 1, domain: 'homelessness' },
  { code: '93033-9', worth: yesNo, positiveFrom: 1, domain: 'housing-instability' },
  { code: '67875-5', worth: { 'LA17956-6': 1 }, positiveFrom: 1, domain: 'employment' },
  {
    code: '76437-3',
    worth: { 'LA30194-7': 1, 'LA17849-3': 0, 'LA30195-4': 0, 'LA15652-3': 0, 'LA6350-8': 0 },
    positiveFrom: 1,
    domain: 'insurance',
  },
  {
    code: '93030-5',
    worth: { 'LA30133-5': 1, 'LA30134-3': 1, 'LA32-8': 0 },
    positiveFrom: 1,
    domain: 'transportation',
  },
  { code: '93028-9', worth: yesNo, positiveFrom: 1 },
  { code: '93027-1', worth: yesNo, positiveFrom: 1 },
  { code: '93026-3', worth: { 'LA33-6': 0, 'LA32-8': 1, yes: 0, no: 1 }, positiveFrom: 1, domain: 'safety-at-home' },
  { code: '93034-7', worth: yesNo, positiveFrom: 1, domain: 'veteran' },
];

const prapareOthers = [
  '56051-6',
  '32624-9',
  '93035-4',
  '54899-0',
  '63512-8',
  '56799-0',
  '82589-3',
  '63586-2',
  '93031-3',
  '93029-7',
  '93038-8',
  '76501-6',
];

export const prapare: Instrument = {
  code: 'prapare',
  rule: 'The count of risks: each of the 21 items by its answer, or by the score that its source gives it.',
  items: [...prapareRisks, ...prapareOthers.map((code) => ({ code, worth: {} }))],
  totals: [{ codes: ['prapare-risks', 'total', 'prapare'], min: 0, bands: [] }],
};
