// The tables that the mappers by hand use, each under its own name.

import type { Table, Tables } from '../tables.ts';

export type HandTables = ReturnType<typeof handTables>;

export function handTables(tables: Tables) {
  const table = (name: string): Table => tables.table(name);
  return {
    activityStatus: table('activity-status'),
    addressType: table('address-type'),
    addressUse: table('address-use'),
    administrativeGender: table('administrative-gender'),
    assignmentRole: table('assignment-role'),
    carePlanStatus: table('care-plan-status'),
    caseStatus: table('case-status'),
    caseTeamStatus: table('case-team-status'),
    contactLegalRole: table('contact-legal-role'),
    contactRelationship: table('contact-relationship'),
    daysOfWeek: table('days-of-week'),
    ethnicity: table('ethnicity'),
    goalAchievement: table('goal-achievement'),
    goalDescription: table('goal-description'),
    goalMeasure: table('goal-measure'),
    goalPriority: table('goal-priority'),
    goalStatus: table('goal-status'),
    identifierType: table('identifier-type'),
    interventionProcedure: table('intervention-procedure'),
    language: table('language'),
    maritalStatus: table('marital-status'),
    nameUse: table('name-use'),
    needClinicalStatus: table('need-clinical-status'),
    needDiagnosis: table('need-diagnosis'),
    needFinding: table('need-finding'),
    needVerification: table('need-verification'),
    phoneUse: table('phone-use'),
    quantityComparator: table('quantity-comparator'),
    raceDetailed: table('race-detailed'),
    raceOmb: table('race-omb'),
    raceWords: table('race-words'),
    referralOutcome: table('referral-outcome'),
    referralReason: table('referral-reason'),
    referralRequestStatus: table('referral-request-status'),
    referralTaskStatus: table('referral-task-status'),
    requestPriority: table('request-priority'),
    sdohCategory: table('sdoh-category'),
    sdohIntervention: table('sdoh-intervention'),
    sdohReferralCategory: table('sdoh-referral-category'),
    sensitivity: table('sensitivity'),
    unitsOfTime: table('units-of-time'),
  };
}
