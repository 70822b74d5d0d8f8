// From one edition to the next: what changed, whether it can wait, and how a document is found again and taken back.

import { describe, expect, test } from '@jest/globals';
import {
  type DocumentFacts,
  type DocumentInput,
  documentFacts,
  findMarker,
  markerOf,
  renderRetraction,
  renderText,
  renderXhtml,
  unnamedPlaces,
  urgency,
} from '../../src/documents/documents.ts';
import { aCase, aClient } from '../builders.ts';
import {
  appointment,
  assessment,
  coverage,
  find,
  frame,
  full,
  goal,
  input,
  intervention,
  later,
  marker,
  need,
  phq9,
  plan,
  referral,
} from './cases.ts';
import { readXml, textOf } from './xml.ts';

const facts = (overrides: Partial<DocumentInput> = {}): DocumentFacts => documentFacts(input(overrides));
const before = facts();

const mine = [need(), goal(), referral(), plan()];

type Row = [change: string, after: Partial<DocumentInput>, said: string, urgent: string | undefined];

const completed = { status: 'completed', outcome: { code: 'service-received' } } as const;
const rows: Row[] = [
  [
    'a need in crisis',
    { records: [need({ riskLevel: 'crisis' }), goal(), referral(), plan()] },
    'SAFETY, new: Food, CRISIS',
    'document-safety',
  ],
  [
    'a client not safe to contact',
    { client: aClient({ preferredContact: { safeToContact: false } }) },
    'SAFETY, new: It is not safe',
    'document-safety',
  ],
  [
    'an answer on self-harm, whatever the total',
    { records: [...mine, assessment({ instrument: 'phq-9', items: phq9([0, 0, 0, 0, 0, 0, 0, 0, 1]) })] },
    'SAFETY, new: PHQ-9 (depression) of Feb 2, 2026: positive answer about suicide or self-harm',
    'document-safety',
  ],
  [
    'an ordinary score',
    { records: [...mine, assessment({ instrument: 'phq-9', items: phq9([2, 2, 2]) })] },
    'New assessment: PHQ-9 (depression), Feb 2, 2026',
    undefined,
  ],
  [
    'an appointment',
    { records: [...mine, appointment({ startsAt: '2026-03-09T10:00:00-04:00' })] },
    'New appointment: Mar 9, 2026, 10:00 AM EDT, Home visit, booked',
    undefined,
  ],
  [
    'an authorization',
    { records: [...mine, coverage({ authorizations: [{ id: 'a1', service: 'Rides', status: 'approved' }] })] },
    'New authorization: Rides (medicaid) - approved',
    undefined,
  ],
  ['work of our own', { records: [...mine, intervention()] }, 'New intervention: Benefits assistance', undefined],
  [
    'a final referral',
    { records: [need(), goal(), referral(completed), plan()] },
    'Referral: Elm Street Pantry, Weekly groceries - now completed (was sent, no answer yet), service received',
    'document-referral-final',
  ],
  [
    'a review',
    {
      records: [
        need(),
        goal(),
        referral(),
        plan({ reviews: [{ id: 'r1', at: '2026-03-01T12:00:00-05:00', outcome: 'revised' }] }),
      ],
    },
    'Plan: reviewed Mar 1, 2026, revised',
    'document-review',
  ],
  [
    'a signature',
    {
      records: [
        need(),
        goal(),
        referral(),
        plan({ signatures: [{ id: 's1', role: 'client', signedAt: '2026-03-01T12:00:00-05:00' }] }),
      ],
    },
    'Plan: signed by client',
    'document-review',
  ],
  [
    'another plan',
    { records: [need(), goal(), referral(), plan({ id: 'plan-2', title: 'Next steps' })] },
    'New plan: Next steps - active',
    'document-plan-activated',
  ],
  [
    'a plan on hold',
    { records: [need(), goal(), referral(), plan({ status: 'on-hold' })] },
    'Plan: now on hold (was active)',
    undefined,
  ],
  [
    'a referral that goes on',
    { records: [need(), goal(), referral({ status: 'accepted' }), plan()] },
    'now accepted (was sent, no answer yet)',
    undefined,
  ],
  [
    'a confirmed need',
    { records: [need({ confirmedBy: 'clinician' }), goal(), referral(), plan()] },
    'Need: Food, moderate risk - confirmed by a clinician',
    undefined,
  ],
  [
    'a value measured',
    {
      records: [
        need(),
        goal({ progress: [{ id: 'p', at: '2026-03-01T12:00:00-05:00', achievement: 'improving' }] }),
        referral(),
        plan(),
      ],
    },
    'latest: improving on Mar 1, 2026',
    undefined,
  ],
  [
    'a new need',
    { records: [...input().records, need({ id: 'n2', domain: 'utilities' })] },
    'New need: Utilities, moderate risk',
    undefined,
  ],
  [
    'another worker',
    { caseRecord: aCase({ assignments: [{ id: 'a', workerId: 'worker-lindqvist', role: 'primary' }] }) },
    'Case worker or their phone changed',
    undefined,
  ],
  [
    'a closed case',
    { caseRecord: aCase({ status: 'closed', closeReason: 'goals-met' }) },
    'The case is now closed',
    undefined,
  ],
];

describe('an edition says what changed', () => {
  test.each(rows)('%s', (_, after, said) => {
    const text = renderText(facts(after), frame({ edition: 2, before })).text.replace(/\s+/g, ' ');
    expect(text.slice(text.indexOf('CHANGED SINCE'), text.indexOf('NEEDS'))).toContain(said);
  });

  test('and counts what is gone without naming it', () => {
    const text = renderText(facts({ records: [goal(), referral(), plan()] }), frame({ edition: 2, before })).text;
    expect(text).toContain('- 1 need is no longer listed');
    expect(text).not.toContain('Food, ');
  });
});

describe('an edition goes at once', () => {
  test.each(rows)('or not, for %s', (_, after, _said, urgent) => {
    expect(urgency(before, facts(after))?.code).toBe(urgent);
  });

  test('when it is the first one of an active plan, and not when nothing changed', () => {
    expect(urgency(undefined, before)?.code).toBe('document-plan-activated');
    expect(urgency(undefined, facts({ records: [need()] }))).toBeUndefined();
    expect(urgency(before, before)).toBeUndefined();
  });

  const seen = aCase({
    careTeam: [{ id: 'm1', organizationId: 'org-pantry', workerId: 'worker-lindqvist', role: 'Counselor' }],
  });
  const labelling =
    (...ids: readonly string[]): DocumentInput['find'] =>
    (type, id) => {
      const found = find(type, id);
      return found && ids.includes(id) ? { ...found, sensitivity: ['domestic-violence'] } : found;
    };
  test.each<[string, Partial<DocumentInput>]>([
    ['the case worker', { find: labelling('worker-okafor') }],
    ['a member of the care team', { find: labelling('worker-lindqvist', 'org-pantry') }],
    ['the person of an organization that stays', { find: labelling('worker-lindqvist') }],
    ['the organization of a person who stays', { find: labelling('org-pantry') }],
  ])('when the edition before names who may not be named any more: %s', (_, after) => {
    const unnamed = unnamedPlaces(seen, after.find ?? find);
    expect(urgency(facts({ caseRecord: seen }), facts({ caseRecord: seen, ...after }), unnamed)?.code).toBe(
      'document-name-left',
    );
    // Once the edition without the name has gone, and where somebody merely leaves, nothing is urgent.
    const without = facts({ caseRecord: seen, ...after });
    expect(urgency(without, without, unnamed)).toBeUndefined();
    expect(urgency(facts({ caseRecord: seen }), facts(), unnamedPlaces(aCase(), find))).toBeUndefined();
  });

  test('when a safety concern is over, but not when it is only worded otherwise', () => {
    const concern = (description: string) => facts({ records: [need({ riskLevel: 'crisis', description })] });
    expect(urgency(concern('No food.'), facts({ records: [] }))?.code).toBe('document-safety');
    expect(urgency(concern('No food.'), concern('No food at all.'))).toBeUndefined();
  });
});

describe('the marker', () => {
  const parts = { connection: 'general', source: 'county', type: 'carePlan', id: 'plan-rosa', slot: 'document' };

  test('is the same for ever: it is stored on other servers', () => {
    expect(markerOf(parts)).toBe('CB-X4H21TDGWLSC');
  });

  test('is another one where a part is, also where parts run together', () => {
    const all = [
      parts,
      ...Object.keys(parts).map((name) => ({ ...parts, [name]: 'x' })),
      { ...parts, type: 'carePlanp', id: 'lan-rosa' },
    ].map(markerOf);
    expect(new Set(all).size).toBe(all.length);
  });

  test('spells no word', () => {
    const many = Array.from({ length: 500 }, (_, index) => markerOf({ ...parts, id: `p${index}` }));
    for (const each of many) expect(each).toMatch(/^CB-[^AEIOUY]{12}$/);
    expect(new Set(many).size).toBe(500);
  });

  test.each<[string, (text: string) => string]>([
    ['as it was', (text) => text],
    ['other white space', (text) => text.replaceAll(' ', '\u00a0').replaceAll('\n', '\r\n')],
    ['entities', (text) => text.replaceAll(' ', '&nbsp;').replaceAll('-', '&#45;')],
    ['numeric entities', (text) => text.replaceAll(' ', '&#160;')],
    ['a broken line', (text) => text.replace(/ v(\d+)$/, '\n   v$1')],
    ['tags', (text) => text.replace(/ v(\d+)/g, '</b> <b>v$1')],
    ['something added below', (text) => `${text}\n-- filed by interface --`],
  ])('is found in what a server made of it: %s', (_, rewrite) => {
    const framed = frame({ edition: 12 });
    expect(findMarker(rewrite(renderText(before, framed).text))).toEqual({ marker, edition: 12 });
    expect(findMarker(rewrite(renderXhtml(before, framed).text))).toEqual({ marker, edition: 12 });
  });

  test('that a worker pasted into a record is not taken for this one', () => {
    const pasted = facts({ records: [need({ description: 'From the last note: Ref CB-0000BBBB1111 v7' })] });
    expect(findMarker(renderText(pasted, frame({ edition: 2 })).text)).toEqual({ marker, edition: 2 });
  });

  test.each(['', 'Ref CB-SHORT v1', 'Ref CB-X4H21TDGWLSC', 'Ref CB-AEIOUAEIOUAE v1', 'CB-X4H21TDGWLSC v1'])(
    'is not found in %j',
    (text) => {
      expect(findMarker(text)).toBeUndefined();
    },
  );

  test('is looked for in time that grows with the text only', () => {
    const started = performance.now();
    expect(findMarker(`Ref${' '.repeat(20_000)}`.repeat(20))).toBeUndefined();
    expect(findMarker('Ref <'.repeat(50_000))).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('a retraction', () => {
  const framed = {
    asOf: '2026-03-24T14:00:00Z',
    timeZone: 'America/New_York',
    edition: 3,
    marker,
    retracts: { edition: 2, asOf: '2026-03-23T13:30:00Z' },
    contact: 'Riverside <Family> Services & more',
  };

  test.each(['text', 'xhtml'] as const)('as %s names the edition, whom to ask, and nothing else', (format) => {
    const { text } = renderRetraction(format, framed);
    const visible = (format === 'xhtml' ? textOf(readXml(text), 'body') : text).replace(/\s+/g, ' ').trim();
    expect(visible).toContain(`The document Ref ${marker} v2 of Mar 23, 2026, 9:30 AM EDT was taken back`);
    expect(visible).toContain('Questions: Riverside <Family> Services & more');
    expect(visible.endsWith(`Ref ${marker} v3`)).toBe(true);
    expect(findMarker(text)).toEqual({ marker, edition: 3 });
  });
});

test('a need that was withdrawn from sharing is nowhere in the next edition', () => {
  const text = renderText(documentFacts(later), frame({ edition: 2, before: documentFacts(full) })).text;
  expect(text).not.toMatch(/recovery|Substance|42 CFR/);
});
