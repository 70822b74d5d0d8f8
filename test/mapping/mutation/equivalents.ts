// Mutants that change nothing anybody could see, each with the reason. `npm run mutate` fails for one that is seen after all, or is no longer there.

export interface Equivalent {
  readonly path: string;
  /** The line of the file, without its indentation, and what is done to it. */
  readonly line: string;
  readonly what: string;
  readonly why: string;
}

const ladder =
  'With what this mapping fills by itself, whatever satisfies the second profile satisfies the first; the step stays for guides that ask for more.';
const name = 'The key only names the entry within the facts of the element; the other entry keeps the names apart.';

export const equivalents: readonly Equivalent[] = [
  {
    path: 'appointment.yaml',
    line: 'profile: [SDOHCC-ServiceRequest, us-core-servicerequest]',
    what: 'item 2 of 2 removed',
    why: ladder,
  },
  {
    path: 'client.yaml',
    line: 'when: { race: hispanic }',
    what: '"when" removed',
    why: 'Only this race has a code in the ConceptMap, and without one nothing is made; the exported StructureMap needs it said.',
  },
  { path: 'goal.yaml', line: 'profile: [SDOHCC-Goal, us-core-goal]', what: 'item 2 of 2 removed', why: ladder },
  { path: 'hospitalStay.yaml', line: '- key: snomed', what: '"key" removed', why: name },
  { path: 'hospitalStay.yaml', line: '- key: icd10cm', what: '"key" removed', why: name },
  {
    path: 'referral.yaml',
    line: 'profile: [SDOHCC-ServiceRequest, us-core-servicerequest]',
    what: 'item 2 of 2 removed',
    why: ladder,
  },
  {
    path: 'referral.yaml',
    line: 'profile: [SDOHCC-Procedure, us-core-procedure]',
    what: 'item 2 of 2 removed',
    why: ladder,
  },
];
