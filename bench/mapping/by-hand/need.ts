// A need by hand: one Condition.

import type { NeedRecord } from '../../../src/records/records.ts';
import { sdohcc, urls, usCore } from './urls.ts';
import { codeText, codingIn, concept, head, list, type Out, type Run, text, to } from './values.ts';

const clinical = new Set([
  'physical-health',
  'mental-health',
  'substance-use',
  'medication',
  'activities-of-daily-living',
  'cognition',
]);

export function condition(record: NeedRecord, run: Run): Out {
  const { domain, status, confirmedBy, resolvedOn } = record;
  const hasFinding = run.tables.needFinding.concepts.get(domain) !== undefined;
  const isClosed = status === 'met' || status === 'unmet';
  if (resolvedOn !== undefined && !isClosed) run.issues.push({ code: 'left-out' });
  const verification = urls.conditionVerStatus;
  return {
    resourceType: 'Condition',
    ...head('need', 'condition', record, profileOf(hasFinding), run),
    extension: [{ url: urls.conditionAssertedDate, valueDateTime: record.identifiedOn }],
    clinicalStatus:
      status === 'unmet'
        ? { coding: [{ system: urls.conditionClinical, code: 'inactive' }] }
        : concept(run.tables.needClinicalStatus, status, '/status', run),
    verificationStatus:
      status === 'entered-in-error'
        ? { coding: [{ system: verification, code: 'entered-in-error' }] }
        : confirmedBy === undefined
          ? { coding: [{ system: verification, code: 'unconfirmed' }] }
          : concept(run.tables.needVerification, confirmedBy, '/confirmedBy', run),
    category: list<Out>([
      { coding: [{ system: urls.usCoreConditionCategory, code: 'health-concern' }] },
      clinical.has(domain) ? undefined : { coding: [{ system: urls.usCoreCategory, code: 'sdoh' }] },
      concept(run.tables.sdohCategory, domain, '/domain', run),
    ]),
    code: {
      coding: codings(record, run),
      text:
        record.description === undefined
          ? run.tables.sdohCategory.words(domain)
          : text(record.description, '/description', run),
    },
    subject: to('client', 'patient', record.clientId, run),
    abatementDateTime: status === 'met' ? resolvedOn : undefined,
    recordedDate: record.createdAt ?? record.identifiedOn,
    evidence: evidenceOf(record, run),
    note: noteOf(record),
  };
}

function noteOf({ status, resolvedOn }: NeedRecord): Out[] | undefined {
  if (status === 'declined') return [{ text: 'The client declined help with this need.' }];
  if (status !== 'unmet') return undefined;
  return resolvedOn === undefined
    ? [{ text: 'This need was closed without being met.' }]
    : [{ time: resolvedOn, text: 'This need was closed on this day without being met.' }];
}

function evidenceOf({ source }: NeedRecord, run: Run): Out {
  const response = to('assessment', 'response', source?.assessmentId, run);
  return response && [{ detail: [response] }];
}

function profileOf(hasFinding: boolean): string {
  return hasFinding ? `${sdohcc}SDOHCC-Condition` : `${usCore}us-core-condition-problems-health-concerns`;
}

function codings({ domain, confirmedBy, diagnosisCodes = [] }: NeedRecord, run: Run): Out {
  const isConfirmed = confirmedBy === 'worker' || confirmedBy === 'clinician';
  const given = (system: string, url: string): Out[] =>
    diagnosisCodes.flatMap((one, at) => {
      const code = one.system === system ? codeText(one.code, `/diagnosisCodes/${at}/code`, run) : undefined;
      return code === undefined ? [] : [{ system: url, code }];
    });
  const isGiven = (system: string): boolean => diagnosisCodes.some((one) => one.system === system);
  const findings = isGiven('snomed')
    ? given('snomed', urls.sct)
    : [codingIn(run.tables.needFinding, domain, '/domain', run)];
  if (!isConfirmed) {
    if (isGiven('icd-10-cm')) run.issues.push({ code: 'left-out' });
    return list<Out>(findings);
  }
  const diagnoses = isGiven('icd-10-cm')
    ? given('icd-10-cm', urls.icd10cm)
    : [codingIn(run.tables.needDiagnosis, domain, '/domain', run)];
  return list<Out>([...findings, ...diagnoses]);
}
