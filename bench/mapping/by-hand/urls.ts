// The systems and extensions that the mappers by hand name.

export const urls = {
  communicationCategory: 'http://terminology.hl7.org/CodeSystem/communication-category',
  conditionClinical: 'http://terminology.hl7.org/CodeSystem/condition-clinical',
  conditionAssertedDate: 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate',
  conditionVerStatus: 'http://terminology.hl7.org/CodeSystem/condition-ver-status',
  icd10cm: 'http://hl7.org/fhir/sid/icd-10-cm',
  interpreterRequired: 'http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired',
  resourcePertainsToGoal: 'http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal',
  sct: 'http://snomed.info/sct',
  sdohcc: 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes',
  taskCode: 'http://hl7.org/fhir/CodeSystem/task-code',
  ucum: 'http://unitsofmeasure.org',
  usCoreCareplanCategory: 'http://hl7.org/fhir/us/core/CodeSystem/careplan-category',
  usCoreCategory: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category',
  usCoreConditionCategory: 'http://hl7.org/fhir/us/core/CodeSystem/condition-category',
  usCoreEthnicity: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity',
  usCoreRace: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',
  v20131: 'http://terminology.hl7.org/CodeSystem/v2-0131',
  v3Confidentiality: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  npi: 'http://hl7.org/fhir/sid/us-npi',
} as const;

export const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition/';
export const sdohcc = 'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/';
