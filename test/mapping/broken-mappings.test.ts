// Mapping files that must not load: each tells file, line and column, one plain sentence, and the nearest valid name. Numbers are those of the
// list of bad inputs.

import { expect, test } from '@jest/globals';
import { compileMappings, type MappingFile } from '../../src/mapping/mapping.ts';
import { fieldTree } from '../../src/records/records.ts';

const envelope = ['id', 'createdAt', 'createdBy', 'updatedAt', 'updatedBy', 'deleted', 'missing', 'origin'];

const files: Readonly<Record<string, string>> = {
  'systems.yaml': `us-npi: http://hl7.org/fhir/sid/us-npi
condition-ver-status: http://terminology.hl7.org/CodeSystem/condition-ver-status
condition-clinical: http://terminology.hl7.org/CodeSystem/condition-clinical
sct: http://snomed.info/sct
`,
  'concept-maps/status.yaml': `conceptMap: status
version: 1.0.0
source: R4 condition-clinical
target: condition-clinical
codes:
  identified: active
  addressing: active
  met: resolved
  unmet: inactive
  declined: none
  entered-in-error: none
back:
  active: identified
`,
  'need.yaml': `record: need
about: A need as a Condition.
resources:
  condition:
    resourceType: Condition
    profile: [us-core-condition-problems-health-concerns]
    retired: { verificationStatus: { fixed: condition-ver-status#entered-in-error } }
    elements:
      clinicalStatus: { from: status, code: status }
      verificationStatus:
        first:
          - { fixed: condition-ver-status#confirmed, when: { confirmedBy: clinician } }
          - { fixed: condition-ver-status#unconfirmed }
      category:
        - { fixed: sct#410606002 }
      code:
        coding:
          - each: diagnosisCodes
            by: [code]
            where: { system: snomed }
            item: { system: { fixed: sct }, code: { from: code } }
        text: { from: description }
      subject: { from: clientId, reference: client }
      onsetDateTime: { from: identifiedOn }
      abatementDateTime: { from: resolvedOn }
unused:
  caseId: not said
  domain: not said
  riskLevel: not said
  priority: not said
  wantsHelp: not said
  source: not said
  sensitivity: not said
`,
  'client.yaml': `record: client
resources:
  patient:
    resourceType: Patient
    elements:
      name:
        - each: names
          by: content
          item: { family: { from: family }, given: { from: given } }
      birthDate: { from: birthDate }
      gender: { from: sex }
unused:
${unusedOfClient()
  .map((path) => `  ${path}: not said\n`)
  .join('')}`,
};

function unusedOfClient(): string[] {
  const mapped = ['names', 'birthDate', 'sex', ...envelope];
  const others = [...(fieldTree('client').fields?.keys() ?? [])].filter((name) => !mapped.includes(name));
  return ['names.use', 'names.prefix', 'names.suffix', ...others];
}

const good: readonly MappingFile[] = Object.entries(files).map(([path, text]) => ({ path, text }));

type Edit = readonly [path: string, from: string, to: string];

function edited([path, from, to]: Edit): MappingFile[] {
  return good.map((file) => {
    if (file.path !== path) return file;
    if (!file.text.includes(from)) throw new Error(`${path} has no "${from}"`);
    return { path, text: file.text.replace(from, () => to) };
  });
}

function problemsOf(mapping: readonly MappingFile[]): string[] {
  const compiled = compileMappings(mapping);
  return 'problems' in compiled
    ? compiled.problems.map(({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`)
    : [];
}

test('the files that the others are made from load', () => {
  expect(problemsOf(good)).toEqual([]);
});

interface Broken {
  readonly what: string;
  readonly edit: Edit;
  readonly told: string;
}

const broken: readonly Broken[] = [
  {
    what: '52: a key that is there twice',
    edit: [
      'need.yaml',
      '      onsetDateTime: { from: identifiedOn }\n',
      '      onsetDateTime: { from: identifiedOn }\n      onsetDateTime: { from: resolvedOn }\n',
    ],
    told: 'need.yaml:25:7: The key "onsetDateTime" is there twice; the first one stands in line 24.',
  },
  {
    what: '52: a slot that is there twice',
    edit: ['need.yaml', 'unused:\n', '  condition: {}\nunused:\n'],
    told: 'need.yaml:26:3: The key "condition" is there twice; the first one stands in line 4.',
  },
  {
    what: 'a slot that was what another one is',
    edit: [
      'need.yaml',
      'unused:\n',
      '  concern:\n    was: condition\n    resourceType: Basic\n    elements:\n      code: { text: { from: description } }\nunused:\n',
    ],
    told: 'need.yaml:26:3: "condition" is the first name of another slot, too: leave one of them out.',
  },
  {
    what: '53: a tag of a language',
    edit: ['need.yaml', 'from: identifiedOn', 'from: !!js/function "f"'],
    told: 'need.yaml:24:30: Not valid YAML: Unresolved tag: tag:yaml.org,2002:js/function',
  },
  {
    what: '53: a tag of its own',
    edit: ['need.yaml', 'from: identifiedOn', 'from: !env HOME'],
    told: 'need.yaml:24:30: Not valid YAML: Unresolved tag: !env',
  },
  {
    what: '54: a tab',
    edit: ['need.yaml', '      onsetDateTime', '\t  onsetDateTime'],
    told: 'need.yaml:24:1: Not valid YAML: Tabs are not allowed as indentation',
  },
  {
    what: '55: a number with a leading zero',
    edit: ['concept-maps/status.yaml', 'met: resolved', 'met: 0123'],
    told: 'concept-maps/status.yaml:8:8: 0123 is read as the number 123; put it in quotes if the text is meant.',
  },
  {
    what: '55: a number in powers of ten',
    edit: ['concept-maps/status.yaml', 'met: resolved', 'met: 1e3'],
    told: 'concept-maps/status.yaml:8:8: 1e3 is read as the number 1000; put it in quotes if the text is meant.',
  },
  {
    what: '55: a number that no computer holds exactly',
    edit: ['concept-maps/status.yaml', 'met: resolved', 'met: 1234567890123456789'],
    told: 'concept-maps/status.yaml:8:8: 1234567890123456789 is read as the number 1234567890123456800; put it in quotes if the text is meant.',
  },
  {
    what: '55: on, which YAML 1.2 reads as a text',
    edit: ['concept-maps/status.yaml', 'met: resolved', 'met: on'],
    told: 'need.yaml:9:31: ConceptMap status makes on of met, which Condition.clinicalStatus does not allow.',
  },
  {
    what: '55: true where a text is meant',
    edit: ['need.yaml', '{ from: identifiedOn }', 'true'],
    told: 'need.yaml:24:22: Condition.onsetDateTime is a dateTime; a boolean does not fit.',
  },
  {
    what: '56: an unknown kind of rule',
    edit: ['need.yaml', '{ from: identifiedOn }', '{ form: identifiedOn }'],
    told: 'need.yaml:24:24: Condition.onsetDateTime is a dateTime; a rule for it has one of first, each, fixed, local, slot, narrative, document, identifierSystem, from. Did you mean "from"?',
  },
  {
    what: '56: an unknown word in a rule',
    edit: ['need.yaml', '{ from: status, code: status }', '{ from: status, cod: status }'],
    told: 'need.yaml:9:39: A rule of this kind has no "cod". Did you mean "code"?',
  },
  {
    what: '56: an unknown record field',
    edit: ['need.yaml', 'from: identifiedOn', 'from: identifidOn'],
    told: 'need.yaml:24:30: The need record has no field "identifidOn". Did you mean "identifiedOn"?',
  },
  {
    what: '56: an unknown field of an item',
    edit: ['need.yaml', 'code: { from: code }', 'code: { from: cod }'],
    told: 'need.yaml:21:59: "diagnosisCodes" has no field "cod". Did you mean "code"?',
  },
  {
    what: '56: an unknown element',
    edit: ['need.yaml', 'onsetDateTime:', 'onsetDatTime:'],
    told: 'need.yaml:24:7: Condition has no element "onsetDatTime". Did you mean "onsetDateTime"?',
  },
  {
    what: '56: an unknown element of an element',
    edit: ['need.yaml', '        text: { from: description }', '        txt: { from: description }'],
    told: 'need.yaml:22:9: Condition.code has no element "txt". Did you mean "text"?',
  },
  {
    what: '56: an unknown ConceptMap',
    edit: ['need.yaml', 'code: status }', 'code: statuss }'],
    told: 'need.yaml:9:45: There is no ConceptMap "statuss". Did you mean "status"?',
  },
  {
    what: '56: an unknown alias of a system',
    edit: ['need.yaml', 'fixed: sct#410606002', 'fixed: stc#410606002'],
    told: 'need.yaml:15:20: systems.yaml has no "stc".',
  },
  {
    what: '56: an unknown profile',
    edit: ['need.yaml', 'us-core-condition-problems-health-concerns', 'us-core-condition-problem-health-concerns'],
    told: 'need.yaml:6:15: There is no profile "us-core-condition-problem-health-concerns". Did you mean "us-core-condition-problems-health-concerns"?',
  },
  {
    what: '56: an unknown resource type',
    edit: ['need.yaml', 'resourceType: Condition', 'resourceType: Conditions'],
    told: 'need.yaml:5:19: Slot "condition" needs a "resourceType" of R4 and a map of "elements".',
  },
  {
    what: '56: an unknown record type',
    edit: ['need.yaml', 'record: need', 'record: ned'],
    told: 'need.yaml:1:9: There is no record type "ned". Did you mean "need"?',
  },
  {
    what: '56: an unknown slot of another record',
    edit: ['need.yaml', 'reference: client', 'reference: client#patients'],
    told: 'need.yaml:23:45: client has no single slot "patients". Did you mean "patient"?',
  },
  {
    what: '56: an unknown state machine',
    edit: ['need.yaml', '{ from: status, code: status }', '{ from: status, code: status, moves: referral-tasks }'],
    told: 'need.yaml:9:60: There is no state machine "referral-tasks". Did you mean "referral-task"?',
  },
  {
    what: '56: an unknown word in a slot',
    edit: ['need.yaml', '    retired:', '    retire:'],
    told: 'need.yaml:7:5: A slot has no "retire". Did you mean "retired"?',
  },
  {
    what: '56: an unknown word in a mapping',
    edit: ['need.yaml', 'about:', 'abuot:'],
    told: 'need.yaml:2:1: A mapping has no "abuot". Did you mean "about"?',
  },
  {
    what: '56: an unknown word in a ConceptMap',
    edit: ['concept-maps/status.yaml', 'back:', 'bck:'],
    told: 'concept-maps/status.yaml:12:1: A ConceptMap has no "bck". Did you mean "back"?',
  },
  {
    what: '56: an unknown test in a condition',
    edit: ['need.yaml', 'when: { confirmedBy: clinician }', 'when: { confirmedBy: { nott: clinician } }'],
    told: 'need.yaml:12:77: There is no test "nott". Did you mean "not"?',
  },
  {
    what: '56: an unknown value in a condition',
    edit: ['need.yaml', 'when: { confirmedBy: clinician }', 'when: { confirmedBy: clinicain }'],
    told: 'need.yaml:12:75: "clinicain" is not a value of this field. Did you mean "clinician"?',
  },
  {
    what: '56: an unknown owner',
    edit: ['need.yaml', '{ from: identifiedOn }', '{ from: identifiedOn, owner: sourc }'],
    told: 'need.yaml:24:44: An owner is one of source, remote, latest, ask, requester, performer. Did you mean "source"?',
  },
  {
    what: '59: an element that R4 requires and no rule fills',
    edit: ['need.yaml', '      subject: { from: clientId, reference: client }\n', ''],
    told: 'need.yaml:9:7: No rule fills Condition.subject, which R4 requires.',
  },
  {
    what: '60: oneWay without a reason',
    edit: ['need.yaml', '{ from: identifiedOn }', '{ from: identifiedOn, oneWay: "" }'],
    told: 'need.yaml:24:52: "oneWay" is empty: say it in words, or leave it out.',
  },
  {
    what: '60: a rule without a way back that does not say so',
    edit: ['need.yaml', 'text: { from: description }', 'text: { from: status, words: status }'],
    told: 'need.yaml:22:15: This rule has no way back; say why under "oneWay".',
  },
  {
    what: 'a value of another type',
    edit: ['need.yaml', 'from: identifiedOn', 'from: description'],
    told: 'need.yaml:24:30: A text does not fit Condition.onsetDateTime, which is a dateTime.',
  },
  {
    what: 'a list for a single element',
    edit: ['need.yaml', 'onsetDateTime: { from: identifiedOn }', 'onsetDateTime: [{ from: identifiedOn }]'],
    told: 'need.yaml:24:22: Condition.onsetDateTime is no list.',
  },
  {
    what: 'a list of the record for a single element',
    edit: ['need.yaml', 'text: { from: description }', 'text: { from: diagnosisCodes }'],
    told: 'need.yaml:22:23: A list of object does not fit Condition.code.text, which is a string.',
  },
  {
    what: 'a plain value of another type',
    edit: [
      'need.yaml',
      'retired: { verificationStatus: { fixed: condition-ver-status#entered-in-error } }',
      'retired: { onsetDateTime: 5 }',
    ],
    told: 'need.yaml:7:31: Condition.onsetDateTime is a dateTime; a number does not fit.',
  },
  {
    what: 'a code that the element does not allow',
    edit: ['concept-maps/status.yaml', 'met: resolved', 'met: solved'],
    told: 'need.yaml:9:31: ConceptMap status makes solved of met, which Condition.clinicalStatus does not allow.',
  },
  {
    what: 'a fixed code that the element does not allow',
    edit: ['need.yaml', '{ fixed: condition-ver-status#confirmed,', '{ fixed: condition-ver-status#confirmd,'],
    told: 'need.yaml:12:22: "condition-ver-status#confirmd" is no code that Condition.verificationStatus allows. Did you mean "confirmed"?',
  },
  {
    what: 'a code of the record that the ConceptMap lacks',
    edit: ['concept-maps/status.yaml', '  met: resolved\n', ''],
    told: 'need.yaml:9:31: ConceptMap status has no entry for met; give a target, or none.',
  },
  {
    what: 'two codes that become one, and no way back',
    edit: ['concept-maps/status.yaml', 'back:\n  active: identified\n', ''],
    told: 'concept-maps/status.yaml:7:3: "addressing" and "identified" both become active: say under "back" which one it means on the way back.',
  },
  {
    what: 'a way back to a code that is not there',
    edit: ['concept-maps/status.yaml', 'active: identified', 'active: identifed'],
    told: 'concept-maps/status.yaml:13:3: "back" must name a code of this map. Did you mean "identified"?',
  },
  {
    what: 'a ConceptMap without a version',
    edit: ['concept-maps/status.yaml', 'version: 1.0.0\n', ''],
    told: 'concept-maps/status.yaml:1:1: A ConceptMap needs "version": another one whenever its codes change.',
  },
  {
    what: 'an entry until a day that there is not',
    edit: ['concept-maps/status.yaml', 'unmet: inactive', 'unmet: { code: inactive, until: 2026-06-31 }'],
    told: 'concept-maps/status.yaml:9:35: "until" is a day such as 2026-07-01; "2026-06-31" is none.',
  },
  {
    what: 'an entry from a month',
    edit: ['concept-maps/status.yaml', 'unmet: inactive', 'unmet: { code: inactive, from: 2026-07 }'],
    told: 'concept-maps/status.yaml:9:34: "from" is a day such as 2026-07-01; "2026-07" is none.',
  },
  {
    what: 'an entry that ends before it begins',
    edit: [
      'concept-maps/status.yaml',
      'unmet: inactive',
      'unmet: { code: inactive, from: 2026-07-01, until: 2026-06-30 }',
    ],
    told: 'concept-maps/status.yaml:9:46: "until" (2026-06-30) lies before "from" (2026-07-01).',
  },
  {
    what: 'two entries of a code for one day',
    edit: [
      'concept-maps/status.yaml',
      'unmet: inactive',
      'unmet: [{ code: inactive, until: 2026-07-01 }, { code: active, from: 2026-07-01 }]',
    ],
    told: 'concept-maps/status.yaml:9:50: "unmet" has another entry (line 9) for some of these days; let one end before the other begins.',
  },
  {
    what: 'an entry for all days beside one with a last day',
    edit: [
      'concept-maps/status.yaml',
      'unmet: inactive',
      'unmet:\n    - { code: inactive, until: 2026-06-30 }\n    - resolved',
    ],
    told: 'concept-maps/status.yaml:11:7: "unmet" has another entry (line 10) for some of these days; let one end before the other begins.',
  },
  {
    what: 'days between two entries of a code',
    edit: [
      'concept-maps/status.yaml',
      'unmet: inactive',
      'unmet: [{ code: active, from: 2026-07-05 }, { code: inactive, until: 2026-06-30 }]',
    ],
    told: 'concept-maps/status.yaml:9:11: "unmet" has no entry from 2026-07-01 to 2026-07-04; give a target, or none.',
  },
  {
    what: 'a code of a closed list that has an entry for some days only',
    edit: ['concept-maps/status.yaml', 'unmet: inactive', 'unmet: { code: inactive, from: 2026-07-01 }'],
    told: 'need.yaml:9:31: ConceptMap status has no entry for unmet before 2026-07-01; give a target, or none.',
  },
  {
    what: 'a code of a closed list whose only entry ends',
    edit: ['concept-maps/status.yaml', 'unmet: inactive', 'unmet: { code: inactive, until: 2026-06-30 }'],
    told: 'need.yaml:9:31: ConceptMap status has no entry for unmet on 2026-07-01; give a target, or none.',
  },
  {
    what: 'a code of another time that the element does not allow',
    edit: [
      'concept-maps/status.yaml',
      'unmet: inactive',
      'unmet: [{ code: inactiv, until: 2026-06-30 }, { code: inactive, from: 2026-07-01 }]',
    ],
    told: 'need.yaml:9:31: ConceptMap status makes inactiv of unmet, which Condition.clinicalStatus does not allow.',
  },
  {
    what: 'a day beside no code',
    edit: ['concept-maps/status.yaml', 'back:\n', 'unmapped: { code: active, until: 2026-06-30 }\nback:\n'],
    told: 'concept-maps/status.yaml:12:27: "until" stands at an entry of "codes", beside its code.',
  },
  {
    what: 'an unknown word in an entry',
    edit: ['concept-maps/status.yaml', 'unmet: inactive', 'unmet: { code: inactive, untill: 2026-06-30 }'],
    told: 'concept-maps/status.yaml:9:28: A target has no key "untill". Did you mean "until"?',
  },
  {
    what: 'two codes that become one in turn, and then neither, without a way back',
    edit: [
      'concept-maps/status.yaml',
      'met: resolved\n  unmet: inactive',
      'met: [{ code: inactive, until: 2026-05-31 }, { code: resolved, from: 2026-06-01 }]\n  unmet: [{ code: active, until: 2026-05-31 }, { code: inactive, from: 2026-06-01, until: 2026-06-30 }, { code: active, from: 2026-07-01 }]',
    ],
    told: 'concept-maps/status.yaml:9:3: "unmet" and "met" both become inactive: say under "back" which one it means on the way back.',
  },
  {
    what: 'a ConceptMap without a source',
    edit: ['concept-maps/status.yaml', 'source: R4 condition-clinical\n', ''],
    told: 'concept-maps/status.yaml:1:1: A ConceptMap needs "source": where its codes come from.',
  },
  {
    what: 'a reference to another record than the field points to',
    edit: ['need.yaml', '{ from: clientId, reference: client }', '{ from: caseId, reference: client }'],
    told: 'need.yaml:23:24: This field points to case, not to client.',
  },
  {
    what: 'a reference that the element does not take',
    edit: [
      'need.yaml',
      '      onsetDateTime: { from: identifiedOn }',
      '      recorder: { from: clientId, reference: need }',
    ],
    told: 'need.yaml:24:46: Condition.recorder may not point to a Condition, only to Patient, Practitioner, PractitionerRole, RelatedPerson.',
  },
  {
    what: 'two rules for one element',
    edit: [
      'need.yaml',
      '        - { fixed: sct#410606002 }',
      '        - { fixed: sct#410606002 }\n        - { fixed: sct#410606002 }',
    ],
    told: 'need.yaml:16:11: Two rules for category are both called "410606002"; give one a "key".',
  },
  {
    what: 'two types of one choice',
    edit: [
      'need.yaml',
      '      onsetDateTime: { from: identifiedOn }',
      '      onsetDateTime: { from: identifiedOn }\n      onsetString: { from: description }',
    ],
    told: 'need.yaml:25:7: "onsetString" and "onsetDateTime" are the same element; only a condition ("when") can keep them apart.',
  },
  {
    what: 'a rule that is never reached',
    edit: [
      'need.yaml',
      '          - { fixed: condition-ver-status#unconfirmed }',
      '          - { fixed: condition-ver-status#unconfirmed }\n          - { fixed: condition-ver-status#confirmed }',
    ],
    told: 'need.yaml:14:13: This rule is never reached: the one before it always speaks.',
  },
  {
    what: 'a record field that is neither mapped nor said to be unused',
    edit: ['need.yaml', '  riskLevel: not said\n', ''],
    told: 'need.yaml:27:3: Unmapped record field "riskLevel": use it in a rule, or name it under "unused" with the reason.',
  },
  {
    what: 'an unused field that a rule reads',
    edit: ['need.yaml', '  riskLevel: not said', '  riskLevel: not said\n  status: not said'],
    told: 'need.yaml:30:3: "status" is said to be unused, but a rule reads it.',
  },
  {
    what: 'an unused field that is not there',
    edit: ['need.yaml', '  riskLevel: not said', '  riskLevel: not said\n  risk: not said'],
    told: 'need.yaml:30:3: The need record has no field "risk".',
  },
  {
    what: 'an unused field without a reason',
    edit: ['need.yaml', 'riskLevel: not said', 'riskLevel: 5'],
    told: 'need.yaml:29:3: Say in words why "riskLevel" is not mapped.',
  },
  {
    what: 'each over what is no list',
    edit: ['need.yaml', 'each: diagnosisCodes', 'each: description'],
    told: 'need.yaml:18:19: "each" needs a list of the record.',
  },
  {
    what: 'an owner that only a record with a direction has',
    edit: ['need.yaml', '{ from: identifiedOn }', '{ from: identifiedOn, owner: requester }'],
    told: 'need.yaml:24:44: The need record has no direction, so requester is nobody here.',
  },
  {
    what: 'an explanation of what does not move',
    edit: ['need.yaml', '{ from: identifiedOn }', '{ from: identifiedOn, goesWith: clinicalStatus }'],
    told: 'need.yaml:5:5: "onsetDateTime" goes with "clinicalStatus" (need.yaml:24), which does not move.',
  },
  {
    what: 'a slot name that no identifier can hold',
    edit: ['need.yaml', '  condition:\n', '  Condition-1:\n'],
    told: 'need.yaml:4:3: A slot name begins with a small letter and holds letters and digits only; "Condition-1" does not.',
  },
  {
    what: 'a mapping without resources',
    edit: ['need.yaml', 'resources:', 'resource:'],
    told: 'need.yaml:3:1: A mapping has no "resource". Did you mean "resources"?',
  },
  {
    what: 'YAML that ends too early',
    edit: ['need.yaml', '{ from: identifiedOn }', '{ from: identifiedOn'],
    told: 'need.yaml:25:7: Not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
  },
];

test.each(broken)('$what', ({ edit, told }) => {
  expect(problemsOf(edited(edit))).toContain(told);
});

/** Words and values that would load, and do nothing or something else than what they seem to say. */
const idle: readonly Broken[] = [
  {
    what: 'a text for true in a condition',
    edit: condition('{ deleted: { not: yes } }'),
    told: 'need.yaml:12:78: "deleted" is true or false; yes is a text here: write true.',
  },
  {
    what: 'true for a code in a condition',
    edit: condition('{ status: [met, true] }'),
    told: 'need.yaml:12:76: "status" is a text; true is a boolean here: put it in quotes.',
  },
  {
    what: 'null in a condition',
    edit: condition('{ status: null }'),
    told: 'need.yaml:12:70: No field of a record is null: write absent.',
  },
  {
    what: 'a slip of the pen in present',
    edit: condition('{ description: presnt }'),
    told: 'need.yaml:12:75: Did you mean "present"? Where the text "presnt" itself is meant, write [presnt].',
  },
  {
    what: 'a value for a list of objects in a condition',
    edit: condition('{ diagnosisCodes: snomed }'),
    told: 'need.yaml:12:78: "diagnosisCodes" is no single value: write present or absent, or {some: {...}}.',
  },
  {
    what: 'a condition without tests',
    edit: condition('{}'),
    told: 'need.yaml:12:60: A condition is a map from record fields to values, at least one.',
  },
  {
    what: 'one of no values',
    edit: condition('{ status: [] }'),
    told: 'need.yaml:12:70: A test of "status" needs at least one value.',
  },
  {
    what: 'any of no conditions',
    edit: condition('{ any: [] }'),
    told: 'need.yaml:12:67: "any" is a list of conditions, at least one.',
  },
  {
    what: 'told: false, which would mean true',
    edit: condition('{ told: false }'),
    told: 'need.yaml:12:68: "told" is true, or left out: there is no test for the others.',
  },
  {
    what: 'mapped of what is no code',
    edit: condition('{ deleted: { mapped: status } }'),
    told: 'need.yaml:12:73: "mapped" asks for one code; "deleted" is none.',
  },
  {
    what: 'among of a list',
    edit: condition('{ diagnosisCodes: { among: /diagnosisCodes.code } }'),
    told: 'need.yaml:12:80: "among" looks for one value; "diagnosisCodes" is none.',
  },
  {
    what: 'some of what is no list',
    edit: condition('{ status: { some: { status: met } } }'),
    told: 'need.yaml:12:72: "some" looks into the items of a list; "status" has none.',
  },
  {
    what: 'retired by a field of the record, which says nothing then',
    edit: retired('{ clinicalStatus: { from: status, code: status } }'),
    told: 'need.yaml:7:16: "clinicalStatus" is not the same for every record: "retired" takes fixed values only.',
  },
  {
    what: 'retired under a condition',
    edit: retired('{ verificationStatus: { fixed: condition-ver-status#refuted, when: { status: absent } } }'),
    told: 'need.yaml:7:16: "verificationStatus" is not the same for every record: "retired" takes fixed values only.',
  },
  {
    what: 'retired by a code of a list that hangs below a configured system',
    edit: retired('{ category: [{ coding: [{ local: status#met }] }] }'),
    told: 'need.yaml:7:16: "category" is not the same for every record: "retired" takes fixed values only.',
  },
  {
    what: 'retired by nothing',
    edit: retired('{}'),
    told: 'need.yaml:7:14: "retired" is a map from elements to what they say then, at least one.',
  },
  {
    what: 'an owner of a part of an item',
    edit: ['need.yaml', '{ fixed: sct }', '{ fixed: sct, owner: remote }'],
    told: 'need.yaml:21:43: "owner" is said of a whole element, and this is a part of one: say it there.',
  },
  {
    what: 'a state machine of an item',
    edit: ['need.yaml', 'item: { system', 'item: { moves: nowhere, system'],
    told: 'need.yaml:21:21: "moves" is said of a whole element, and this is a part of one: say it there.',
  },
  {
    what: 'one of several rules for an element, derived by itself',
    edit: ['need.yaml', '#confirmed, when', '#confirmed, derived: true, when'],
    told: 'need.yaml:12:54: "derived" is said of a whole element, and this is a part of one: say it there.',
  },
  {
    what: 'an explanation below an element',
    edit: ['need.yaml', '- { fixed: sct#410606002 }', '- { coding: [{ fixed: sct#410606002, goesWith: nowhere }] }'],
    told: 'need.yaml:15:46: "goesWith" is said of a whole element, and this is a part of one: say it there.',
  },
  {
    what: 'a code for unmapped ones that is a slip of the pen',
    edit: ['concept-maps/status.yaml', 'back:\n', 'unmapped: locl\nback:\n'],
    told: 'concept-maps/status.yaml:12:11: "unmapped" is local, same, none, alias#code, or a code that this map makes; "locl" is none. Did you mean "local"?',
  },
  {
    what: 'a list of our own that is not there',
    edit: coding('{ local: no-such-map#x }'),
    told: 'need.yaml:22:22: There is no ConceptMap "no-such-map".',
  },
  {
    what: 'a code that a list of our own has not',
    edit: coding('{ local: status#mett }'),
    told: 'need.yaml:22:22: ConceptMap status has no code "mett". Did you mean "met"?',
  },
  {
    what: 'a text beside a Coding, which has none',
    edit: coding('{ fixed: sct#410606002, text: Social }'),
    told: 'need.yaml:22:43: "text" is a fixed text here, beside the code of a CodeableConcept; Condition.code.coding is a Coding.',
  },
  {
    what: 'a derivation that every object has',
    edit: ['need.yaml', 'about:', 'derive: constructor\nabout:'],
    told: 'need.yaml:2:9: There is nothing to derive called "constructor".',
  },
  {
    what: 'a report without a condition',
    edit: onset('report: Left out.'),
    told: 'need.yaml:24:52: "report" tells what "when" keeps out, and there is no "when" here.',
  },
  {
    what: 'a rule that reads in two places',
    edit: onset('via: { caseId: case }, pick: { from: diagnosisCodes, where: { code: present } }'),
    told: 'need.yaml:24:73: A rule reads by "via" or by "pick", not by both.',
  },
  {
    what: 'two records to read from',
    edit: onset('via: { caseId: case, clientId: client }'),
    told: 'need.yaml:24:49: "via" is written {idField: recordType}, as in {caseId: case}.',
  },
  {
    what: 'an unknown word beside what is picked',
    edit: onset('pick: { from: diagnosisCodes, where: { code: present }, wher: { system: snomed } }'),
    told: 'need.yaml:24:50: "pick" is written {from: list, where: {...}}.',
  },
  {
    what: 'a text for required',
    edit: ['need.yaml', 'reference: client }', 'reference: client, required: yes }'],
    told: 'need.yaml:23:63: "required" is true or false; yes is a text here: write true.',
  },
  {
    what: 'a text for derived',
    edit: onset('derived: no'),
    told: 'need.yaml:24:53: "derived" is true or false; no is a text here: write false.',
  },
  {
    what: 'display: false, which would mean true',
    edit: ['need.yaml', '{ from: clientId, reference: client }', '{ from: description, display: false }'],
    told: 'need.yaml:23:24: A text does not fit Condition.subject, which is a Reference.',
  },
  {
    what: 'display of what is no reference',
    edit: onset('display: true'),
    told: 'need.yaml:24:44: "display" is the text of a Reference; Condition.onsetDateTime is a dateTime.',
  },
  {
    what: 'a number for a prefix',
    edit: ['need.yaml', 'text: { from: description }', 'text: { from: description, prefix: 5 }'],
    told: 'need.yaml:22:44: "prefix" is a text; 5 is a number here: put it in quotes.',
  },
  {
    what: 'a prefix of a day',
    edit: onset('prefix: on'),
    told: 'need.yaml:24:52: "prefix" stands before a text; Condition.onsetDateTime is a dateTime.',
  },
  {
    what: 'a number for an element',
    edit: onset('goesWith: 5'),
    told: 'need.yaml:24:54: "goesWith" is a text; 5 is a number here: put it in quotes.',
  },
  {
    what: 'a number for the first name of a slot',
    edit: ['need.yaml', '    retired:', '    was: 5\n    retired:'],
    told: 'need.yaml:7:10: "was" is a text; 5 is a number here: put it in quotes.',
  },
  {
    what: 'the name of items in a slot that does not repeat',
    edit: ['need.yaml', '    retired:', '    by: id\n    retired:'],
    told: 'need.yaml:7:9: "by" tells apart the items of "each", and this slot has no "each".',
  },
  {
    what: 'a condition that was left empty',
    edit: ['need.yaml', '    retired:', '    when:\n    retired:'],
    told: 'need.yaml:7:10: "when" is a map; nothing stands here.',
  },
  {
    what: 'a way back as a list',
    edit: ['concept-maps/status.yaml', 'back:\n  active: identified', 'back: [identified]'],
    told: 'concept-maps/status.yaml:12:7: "back" is a map; a list stands here.',
  },
  {
    what: 'a number for the system of identifiers',
    edit: ['systems.yaml', 'sct:', 'identifiers: { npi: 5 }\nsct:'],
    told: 'systems.yaml:4:16: "npi" must name a URL (http:, https: or urn:).',
  },
  {
    what: 'a profile of another resource type',
    edit: ['need.yaml', 'health-concerns]', 'health-concerns, us-core-goal]'],
    told: 'need.yaml:6:59: Profile "us-core-goal" is one of Goal; this slot makes a Condition.',
  },
  {
    what: 'an unknown word beside a profile',
    edit: [
      'need.yaml',
      '[us-core-condition-problems-health-concerns]',
      '[{ profile: us-core-condition-problems-health-concerns, wen: { status: met } }]',
    ],
    told: 'need.yaml:6:70: An entry of "profile" has no "wen". Did you mean "when"?',
  },
  {
    what: 'a definition of an unknown resource type',
    edit: [
      'need.yaml',
      'unused:\n',
      '  plan:\n    resourceType: CarePlan\n    elements:\n      instantiatesCanonical: [{ from: domain, canonical: Questionaire, oneWay: ours }]\nunused:\n',
    ],
    told: 'need.yaml:29:58: R4 has no resource type "Questionaire". Did you mean "Questionnaire"?',
  },
  {
    what: 'a code without quotes that is another one as a number',
    edit: ['concept-maps/status.yaml', 'met: resolved', '007: resolved'],
    told: 'concept-maps/status.yaml:8:3: 007 is read as 7; put it in quotes if the text is meant.',
  },
  {
    what: 'a code that is there twice, with quotes and without',
    edit: ['concept-maps/status.yaml', 'met: resolved', '7: resolved\n  "7": active'],
    told: 'concept-maps/status.yaml:9:3: The key "7" is there twice, with quotes and without.',
  },
  {
    what: 'an unknown word beside alternatives of which one makes a list',
    edit: [
      'need.yaml',
      '- { fixed: sct#410606002 }',
      '- { first: [{ each: diagnosisCodes, by: content, item: { text: { from: code } } }], reprot: x }',
    ],
    told: 'need.yaml:15:93: A rule of this kind has no "reprot". Did you mean "report"?',
  },
];

function condition(test: string): Edit {
  return ['need.yaml', '{ confirmedBy: clinician }', test];
}

function retired(said: string): Edit {
  return ['need.yaml', '{ verificationStatus: { fixed: condition-ver-status#entered-in-error } }', said];
}

function onset(more: string): Edit {
  return ['need.yaml', '{ from: identifiedOn }', `{ from: identifiedOn, ${more} }`];
}

/** One more entry of code.coding. */
function coding(entry: string): Edit {
  const item = 'item: { system: { fixed: sct }, code: { from: code } }\n';
  return ['need.yaml', item, `${item}          - ${entry}\n`];
}

test.each(idle)('$what', ({ edit, told }) => {
  expect(problemsOf(edited(edit))).toContain(told);
});

test.each([
  ['a code that is called yes', '{ confirmedBy: clinician, wantsHelp: yes }', ['wantsHelp']],
  ['a text in brackets that is like present', '{ confirmedBy: clinician, description: [presnt] }', []],
  ['the absence of a list', '{ confirmedBy: clinician, diagnosisCodes: absent }', []],
])('%s is no mistake in a condition', (_, test, read) => {
  expect(problemsOf(edited(condition(test)))).toEqual(
    read.map((field) => expect.stringContaining(`"${field}" is said to be unused, but a rule reads it.`)),
  );
});

test('51: aliases are refused, few or many', () => {
  const bomb = 'a: &a [1, 1]\nb: &b [*a, *a, *a]\nrecord: need\n';
  expect(problemsOf([...good, { path: 'bomb.yaml', text: bomb }])).toEqual([
    'bomb.yaml:1:7: Anchors and aliases are not allowed: write the rule out.',
    'bomb.yaml:2:7: Anchors and aliases are not allowed: write the rule out.',
  ]);
});

test('57: slots that require each other name the way round', () => {
  const others = [...(fieldTree('organization').fields?.keys() ?? [])].filter(
    (name) => !['parentId', ...envelope].includes(name),
  );
  const text = `record: organization
resources:
  organization:
    resourceType: Organization
    elements:
      partOf: { from: parentId, reference: organization, required: true }
unused:
${others.map((path) => `  ${path}: not said\n`).join('')}`;
  expect(problemsOf([...good, { path: 'organization.yaml', text }])).toEqual([
    'organization.yaml:6:44: These slots require each other, so none could ever be made: organization#organization -> organization#organization.',
  ]);
});

test('63: two mappings for one record type name both files', () => {
  const again = { path: 'need-again.yaml', text: files['need.yaml'] ?? '' };
  expect(problemsOf([...good, again])).toContain(
    'need-again.yaml:1:1: There are two mappings for need; the other one is need.yaml.',
  );
});

test('two files of systems, two ConceptMaps of one name, an empty file, and one that is no map', () => {
  const told = problemsOf([
    ...good,
    { path: 'more.yaml', text: 'x: http://x.example\n' },
    { path: 'concept-maps/again.yaml', text: files['concept-maps/status.yaml'] ?? '' },
  ]);
  expect(told).toEqual([
    'concept-maps/again.yaml:1:1: There are two ConceptMaps "status"; the other one is concept-maps/status.yaml.',
    'more.yaml:1:1: Neither a mapping ("record") nor a ConceptMap ("conceptMap"), and systems.yaml already names the systems.',
  ]);
  expect(problemsOf([...good, { path: 'empty.yaml', text: '' }, { path: 'list.yaml', text: '- a\n' }])).toEqual([
    'empty.yaml:1:1: The file must hold a map.',
    'list.yaml:1:1: The file must hold a map.',
  ]);
});
