// Overlays that must not load: each tells file, line and column, one plain sentence, and the nearest valid name. The files that they are made from
// are those of docs/custom-fields.md.

import { describe, expect, test } from '@jest/globals';
import { compileMappings, type MappingFile } from '../../src/mapping/mapping.ts';
import { overlayFiles } from '../docs/worked-example.ts';
import { shippedMappings } from './fixtures.ts';

function problemsOf(overlay: readonly MappingFile[]): string[] {
  const compiled = compileMappings([...shippedMappings, ...overlay]);
  return 'problems' in compiled
    ? compiled.problems.map(({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`)
    : [];
}

/** The place of a rule of ours, which this file does not know by heart. */
function placeOf(path: string, text: string): string {
  const lines = shippedMappings.find((file) => file.path === path)?.text.split('\n') ?? [];
  const line = lines.findIndex((one) => one.trimStart().startsWith(text));
  const dash = text.startsWith('- ') ? 2 : 0;
  return `${path}:${line + 1}:${(lines[line]?.indexOf(text) ?? 0) + dash + 1}`;
}

test('the files that the others are made from load', () => {
  expect(problemsOf(overlayFiles)).toEqual([]);
});

interface Broken {
  readonly what: string;
  /** In this file of the overlay, this text becomes that one; without a text, the file is another one or a new one. */
  readonly edit: readonly [path: string, to: string, from?: string];
  readonly told: string;
}

const clashes: readonly Broken[] = [
  {
    what: 'a field that the record has',
    edit: ['need.yaml', '  description: { kind: text }\n  pets:', '  pets:'],
    told: 'overlay/need.yaml:4:3: The need record has a field "description" already: use that one, or choose another name.',
  },
  {
    what: 'a field that the items of a list have',
    edit: ['intervention.yaml', 'deliveries.minutes:', 'deliveries.miles:'],
    told: 'overlay/intervention.yaml:4:3: The intervention record has a field "deliveries.minutes" already: use that one, or choose another name.',
  },
  {
    what: 'a field that another file of the overlay has',
    edit: ['more-needs.yaml', 'overlay: need\nfields:\n  pets: { kind: line }\n'],
    told: 'overlay/need.yaml:4:3: There are two fields "custom.pets" of need; the other one is overlay/more-needs.yaml:3:3.',
  },
  {
    what: 'an element that a rule of ours writes',
    edit: [
      'need.yaml',
      '      clinicalStatus: { from: custom.moveReason, code: move-reason }\n      extension:',
      '      extension:',
    ],
    told: `overlay/need.yaml:10:7: A rule writes Condition.clinicalStatus already (${placeOf('need.yaml', 'clinicalStatus:')}): an overlay adds to our rules and changes none.`,
  },
  {
    what: 'an element in an element of ours',
    edit: ['need.yaml', '      code: { text: { from: custom.landlordNote } }\n      extension:', '      extension:'],
    told: `overlay/need.yaml:10:15: A rule writes Condition.code.text already (${placeOf('need.yaml', 'text:')}): an overlay adds to our rules and changes none.`,
  },
  {
    what: 'another type of a choice that a rule of ours writes',
    edit: ['need.yaml', '      abatementString: { from: custom.landlordNote }\n      extension:', '      extension:'],
    told: `overlay/need.yaml:10:7: A rule writes Condition.abatementString already (${placeOf('need.yaml', 'abatementDateTime:')}): an overlay adds to our rules and changes none.`,
  },
  {
    what: 'more entries of a list of ours, which could be taken for ours',
    edit: ['need.yaml', '      note: [{ text: { from: custom.landlordNote } }]\n      extension:', '      extension:'],
    told: `overlay/need.yaml:10:7: A rule writes Condition.note already (${placeOf('need.yaml', 'note:')}), which takes more only as an extension: an overlay adds to our rules and changes none.`,
  },
  {
    what: 'an extension of ours',
    edit: ['need.yaml', 'fixed: condition-assertedDate', 'fixed: pets-moving-along'],
    told: `overlay/need.yaml:11:11: The extension http://hl7.org/fhir/StructureDefinition/condition-assertedDate is there already (${placeOf('need.yaml', '- { key: assertedDate')}).`,
  },
  {
    what: 'an extension that is there twice',
    edit: [
      'need.yaml',
      'url: https://riverside.example.org/fhir/StructureDefinition/pets-moving-along',
      'url: { fixed: move-reason }',
    ],
    told: 'overlay/need.yaml:15:11: The extension https://riverside.example.org/fhir/StructureDefinition/pets-moving-along is there already (overlay/need.yaml:11:11).',
  },
  {
    what: 'a profile',
    edit: ['need.yaml', '      meta: { profile: [us-core-patient] }\n      extension:', '      extension:'],
    told: 'overlay/need.yaml:10:15: Which profiles a resource claims is not for an overlay to say.',
  },
  {
    what: 'a slot of ours',
    edit: ['need.yaml', '    resourceType: Condition\n    elements:', '    elements:'],
    told: `overlay/need.yaml:9:5: The slot "condition" is there already (${placeOf('need.yaml', 'condition:')}): an overlay adds to its "elements" only.`,
  },
  {
    what: 'a code that a ConceptMap has',
    edit: ['concept-maps/services.yaml', 'food-pantry:', 'pet-boarding:'],
    told: `overlay/concept-maps/services.yaml:6:3: ConceptMap sdoh-intervention has the code "food-pantry" already (${placeOf('concept-maps/sdoh-intervention.yaml', 'food-pantry:')}): an overlay adds codes and changes none.`,
  },
  {
    what: 'a way back as a list',
    edit: [
      'concept-maps/sex.yaml',
      'addsTo: race-omb\nversion: 1\nsource: ours\ncodes: { moor: local }\nback: [moor]\n',
    ],
    told: 'overlay/concept-maps/sex.yaml:5:7: "back" is a map; a list stands here.',
  },
  {
    what: 'a way back that a ConceptMap has',
    edit: [
      'concept-maps/sex.yaml',
      'addsTo: race-omb\nversion: 1\nsource: ours\ncodes: { moor: 2106-3 }\nback:\n  2106-3: moor\n',
    ],
    told: `overlay/concept-maps/sex.yaml:6:3: ConceptMap race-omb says already what 2106-3 means on the way back (${placeOf('concept-maps/race-omb.yaml', '2106-3:')}).`,
  },
  {
    what: 'a ConceptMap that there is',
    edit: ['concept-maps/own.yaml', 'conceptMap: language\nversion: 1\nsource: ours\ncodes: { es: local }\n'],
    told: 'overlay/concept-maps/own.yaml:1:1: There are two ConceptMaps "language"; the other one is concept-maps/language.yaml.',
  },
  {
    what: 'a short name that there is',
    edit: ['systems.yaml', 'loinc:', 'miles-driven:'],
    told: `overlay/systems.yaml:4:1: The short name "loinc" is there already (${placeOf('systems.yaml', 'loinc:')}).`,
  },
];

const mistakes: readonly Broken[] = [
  {
    what: 'a record type that there is not',
    edit: ['need.yaml', 'overlay: ned', 'overlay: need'],
    told: 'overlay/need.yaml:2:10: There is no record type "ned". Did you mean "need"?',
  },
  {
    what: 'a word that an overlay has not',
    edit: ['need.yaml', 'resource:', 'resources:'],
    told: 'overlay/need.yaml:7:1: An overlay has no "resource". Did you mean "resources"?',
  },
  {
    what: 'a file that is none of an overlay',
    edit: ['need.yaml', 'overlai: need', 'overlay: need'],
    told: 'overlay/need.yaml:2:1: A file of an overlay says "overlay" (a record type), "conceptMap" or "addsTo", or is systems.yaml. Did you mean "overlay"?',
  },
  {
    what: 'a whole mapping',
    edit: ['need.yaml', 'record: need', 'overlay: need'],
    told: 'overlay/need.yaml:2:1: The mapping of a record type is ours; an overlay adds to it, and says to which under "overlay".',
  },
  {
    what: 'a kind that there is not',
    edit: ['need.yaml', 'kind: integr', 'kind: integer'],
    told: 'overlay/need.yaml:4:17: There is no kind "integr". Did you mean "integer"?',
  },
  {
    what: 'a word that a field has not',
    edit: ['need.yaml', 'maxi: 20', 'max: 20'],
    told: 'overlay/need.yaml:4:34: A field has no "maxi". Did you mean "max"?',
  },
  {
    what: 'a field of which nothing is said',
    edit: ['need.yaml', 'landlordNote: text', 'landlordNote: { kind: text }'],
    told: 'overlay/need.yaml:6:17: Say what "landlordNote" is, as in { kind: integer }.',
  },
  {
    what: 'a name that is none',
    edit: ['need.yaml', 'Landlord-note:', 'landlordNote:'],
    told: 'overlay/need.yaml:6:3: The name of a field begins with a small letter, holds letters and digits only, and is not id; "Landlord-note" is no such name.',
  },
  {
    what: 'bounds the wrong way round',
    edit: ['need.yaml', 'min: 21', 'min: 0'],
    told: 'overlay/need.yaml:4:35: "max" lies below "min".',
  },
  {
    what: 'bounds of what is no number',
    edit: ['need.yaml', 'kind: text, max: 10', 'kind: text'],
    told: 'overlay/need.yaml:6:31: Only a number has "max"; this field is of kind text.',
  },
  {
    what: 'codes of what is no code',
    edit: ['need.yaml', 'kind: text, codes: [a]', 'kind: text'],
    told: 'overlay/need.yaml:6:31: Only a field of kind code has "codes"; this one is of kind text.',
  },
  {
    what: 'a code that is no code',
    edit: ['need.yaml', 'kind: code, codes: [eviction, House fire]', 'kind: code'],
    told: 'overlay/need.yaml:5:47: A code is text in lower-case letters and digits, joined by single hyphens.',
  },
  {
    what: 'a code that is there twice',
    edit: ['need.yaml', 'kind: code, codes: [fire, fire]', 'kind: code'],
    told: 'overlay/need.yaml:5:43: This code is there twice.',
  },
  {
    what: 'a list that is not there',
    edit: ['intervention.yaml', 'deliverys.miles:', 'deliveries.miles:'],
    told: 'overlay/intervention.yaml:4:3: The intervention record has no object or list "deliverys" that a field could stand in. Did you mean "deliveries"?',
  },
  {
    what: 'a field in what is no object',
    edit: ['need.yaml', 'domain.landlordNote:', 'landlordNote:'],
    told: 'overlay/need.yaml:6:3: "domain" is no object: no field can stand in it.',
  },
  {
    what: 'an id of a record type that there is not',
    edit: ['need.yaml', 'kind: id, of: goals', 'kind: text'],
    told: 'overlay/need.yaml:6:33: There is no record type "goals". Did you mean "goal"?',
  },
  {
    what: 'a field that a rule reads by another name',
    edit: ['need.yaml', 'from: custom.pet }', 'from: custom.pets }'],
    told: 'overlay/need.yaml:14:33: "custom" has no field "pet". Did you mean "pets"?',
  },
  {
    what: 'an element that there is not',
    edit: ['need.yaml', 'valueIntegr:', 'valueInteger:'],
    told: 'overlay/need.yaml:14:11: Condition.extension has no element "valueIntegr". Did you mean "valueInteger"?',
  },
  {
    what: 'a type that the field does not become',
    edit: ['need.yaml', 'valueBoolean:', 'valueInteger:'],
    told: 'overlay/need.yaml:14:33: A integer does not fit Condition.extension.valueBoolean, which is a boolean.',
  },
  {
    what: 'a field that no rule reads, without a reason',
    edit: [
      'need.yaml',
      '',
      'unused:\n  custom.landlordNote: for our own staff alone # a field that no rule reads, with the reason\n',
    ],
    told: 'overlay/need.yaml:6:3: Unmapped record field "custom.landlordNote": use it in a rule, or name it under "unused" with the reason.',
  },
  {
    what: 'a field that a rule reads, with a reason why none does',
    edit: ['need.yaml', 'unused:\n  custom.pets: private\n', 'unused:\n'],
    told: 'overlay/need.yaml:19:3: "custom.pets" is said to be unused, but a rule reads it.',
  },
  {
    what: 'a reason for a field of ours',
    edit: ['need.yaml', 'unused:\n  custom.landlordNotes: private\n', 'unused:\n'],
    told: 'overlay/need.yaml:19:3: An overlay says of its own fields alone why they are not sent; "custom.landlordNotes" is none. Did you mean "custom.landlordNote"?',
  },
  {
    what: 'an extension without a url',
    edit: ['need.yaml', '', '          url: { fixed: pets-moving-along }\n'],
    told: 'overlay/need.yaml:11:11: An extension needs its "url", as in url: { fixed: pets }, with a name of systems.yaml.',
  },
  {
    what: 'a short name that there is not',
    edit: ['need.yaml', 'fixed: pets-moving-alone', 'fixed: pets-moving-along'],
    told: 'overlay/need.yaml:13:25: systems.yaml has no "pets-moving-alone". Did you mean "pets-moving-along"?',
  },
  {
    what: 'a ConceptMap that there is not',
    edit: ['concept-maps/services.yaml', 'addsTo: sdoh-interventions', 'addsTo: sdoh-intervention'],
    told: 'overlay/concept-maps/services.yaml:2:9: There is no ConceptMap "sdoh-interventions". Did you mean "sdoh-intervention"?',
  },
  {
    what: 'a ConceptMap that no rule names',
    edit: ['concept-maps/pets.yaml', 'conceptMap: pets\nversion: 1\nsource: ours\ncodes: { dog: local }\n'],
    told: 'overlay/concept-maps/pets.yaml:1:1: No rule names the ConceptMap "pets".',
  },
  {
    what: 'two codes that become one, without a way back',
    edit: [
      'concept-maps/services.yaml',
      '',
      'back:\n  464161000124109: community-resources         # two codes become this one: which one is meant on the way back\n',
    ],
    told: 'overlay/concept-maps/services.yaml:6:3: "pet-boarding" and "community-resources" both become 464161000124109: say under "back" which one it means on the way back.',
  },
  {
    what: 'more codes without a version',
    edit: [
      'concept-maps/services.yaml',
      '',
      'version: 1.0.0                                 # of what is added; lineage names both\n',
    ],
    told: 'overlay/concept-maps/services.yaml:2:1: An addition needs "version": another one whenever its codes change.',
  },
  {
    what: 'more codes without a source',
    edit: ['concept-maps/services.yaml', '', 'source: the services of Riverside\n'],
    told: 'overlay/concept-maps/services.yaml:2:1: An addition needs "codes" (a map) and "source": where its codes come from.',
  },
  {
    what: 'resources of a record of which nothing is sent',
    edit: ['idea.yaml', 'overlay: improvementIdea\nresources:\n  idea: { resourceType: Basic, elements: {} }\n'],
    told: `overlay/idea.yaml:2:1: Nothing of a record of type improvementIdea is ever sent (${placeOf('improvementIdea.yaml', 'unsent:')}), so an overlay adds no resources to it.`,
  },
];

function edited([name, to, from]: Broken['edit']): MappingFile[] {
  const path = `overlay/${name}`;
  if (from === undefined)
    return [...overlayFiles, { path, text: to }].sort((one, other) => (one.path < other.path ? -1 : 1));
  return overlayFiles.map((file) => {
    if (file.path !== path) return file;
    if (!file.text.includes(from)) throw new Error(`${path} has no "${from}"`);
    return { path, text: file.text.replace(from, () => to) };
  });
}

describe('an overlay that clashes with what is there is refused', () => {
  test.each(clashes)('$what', ({ edit, told }) => {
    expect(problemsOf(edited(edit))).toEqual([told]);
  });
});

describe('an overlay with a mistake is refused', () => {
  test.each(mistakes)('$what', ({ edit, told }) => {
    expect(problemsOf(edited(edit))).toContain(told);
  });
});
