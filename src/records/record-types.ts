// Made by scripts/make-record-types.ts from src/records/schemas. Not edited by hand.

export interface RecordTypes {
  organization: OrganizationRecord;
  worker: WorkerRecord;
  service: ServiceRecord;
  client: ClientRecord;
  case: CaseRecord;
  consent: ConsentRecord;
  coverage: CoverageRecord;
  assessment: AssessmentRecord;
  hospitalStay: HospitalStayRecord;
  incident: IncidentRecord;
  need: NeedRecord;
  goal: GoalRecord;
  safetyPlan: SafetyPlanRecord;
  referral: ReferralRecord;
  intervention: InterventionRecord;
  carePlan: CarePlanRecord;
  appointment: AppointmentRecord;
  note: NoteRecord;
  improvementIdea: ImprovementIdeaRecord;
}
export interface OrganizationRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  name: string;
  alternateNames?: string[];
  kind:
    | 'case-management'
    | 'community-partner'
    | 'hospital'
    | 'clinic'
    | 'payer'
    | 'government'
    | 'transport'
    | 'residential'
    | 'other';
  identifiers?: {
    kind: 'npi' | 'tax-id' | 'ccn' | 'state-license' | 'other';
    value: string;
    system?: string;
  }[];
  parentId?: string;
  active?: boolean;
  phones?: {
    number: string;
    e164?: string;
    extension?: string;
    kind?: 'voice' | 'fax' | 'tty' | 'sms' | 'hotline';
    note?: string;
  }[];
  email?: string;
  website?: string;
  address?: {
    lines?: string[];
    city?: string;
    county?: string;
    state?: string;
    postalCode?: string;
    country?: string;
    confidential?: boolean;
  };
  referralChannel?: 'fhir' | 'portal-link' | 'direct-message' | 'fax' | 'phone' | 'none';
  respondsWithinHours?: number;
  timeZone?: string;
}
export interface WorkerRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  name: {
    given?: string;
    family?: string;
    credentials?: string[];
  };
  role:
    'case-manager' | 'supervisor' | 'intake' | 'nurse' | 'social-worker' | 'peer' | 'partner' | 'physician' | 'admin';
  organizationId: string;
  supervisorId?: string;
  active?: boolean;
  phone?: string;
  email?: string;
  npi?: string;
  loginName?: string;
  caseloadTarget?: number;
}
export interface ServiceRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  organizationId: string;
  programName?: string;
  name: string;
  description?: string;
  status: 'active' | 'inactive' | 'closed' | 'temporarily-closed';
  domains: (
    | 'food'
    | 'homelessness'
    | 'housing-instability'
    | 'inadequate-housing'
    | 'utilities'
    | 'transportation'
    | 'employment'
    | 'income'
    | 'education'
    | 'health-literacy'
    | 'digital-access'
    | 'medical-cost'
    | 'insurance'
    | 'physical-health'
    | 'mental-health'
    | 'substance-use'
    | 'medication'
    | 'activities-of-daily-living'
    | 'cognition'
    | 'safety-at-home'
    | 'intimate-partner-violence'
    | 'elder-abuse'
    | 'legal'
    | 'childcare'
    | 'social-connection'
    | 'stress'
    | 'veteran'
    | 'caregiver-support'
    | 'benefits'
    | 'other'
  )[];
  taxonomy?: {
    system: string;
    code: string;
    label?: string;
  }[];
  eligibility?: {
    text?: string;
    minAge?: number;
    maxAge?: number;
    populations?: string[];
  };
  locations?: {
    id: string;
    name?: string;
    address?: {
      lines?: string[];
      city?: string;
      county?: string;
      state?: string;
      postalCode?: string;
      country?: string;
      confidential?: boolean;
    };
    latitude?: number;
    longitude?: number;
    remote?: boolean;
    accessibility?: string[];
  }[];
  schedules?: {
    locationId?: string;
    days?: ('mo' | 'tu' | 'we' | 'th' | 'fr' | 'sa' | 'su')[];
    opens?: string;
    closes?: string;
    timezone?: string;
    validFrom?: string;
    validTo?: string;
    closed?: boolean;
    note?: string;
  }[];
  languages?: string[];
  documentsRequired?: string[];
  cost?: {
    text?: string;
    amount?: string;
  };
  capacity?: {
    open?: number;
    waitlist?: number;
    expectedWaitDays?: number;
    asOf?: string;
  };
  howToApply?: string;
  areaServed?: string[];
  verifiedOn?: string;
}
export interface ClientRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  names: {
    use: 'legal' | 'preferred' | 'maiden' | 'alias';
    given?: string[];
    family?: string;
    prefix?: string;
    suffix?: string;
  }[];
  nameQuality?: 'full' | 'partial' | 'unknown';
  birthDateQuality?: 'full' | 'partial' | 'unknown';
  birthDate?: string;
  identifiers?: {
    kind: 'medicaid' | 'medicare-mbi' | 'mrn' | 'ssn' | 'ssn-last4' | 'state-id' | 'hmis' | 'program' | 'other';
    value: string;
    system?: string;
    validFrom?: string;
    validTo?: string;
  }[];
  sex?: 'female' | 'male' | 'other' | 'unknown';
  genderIdentity?: string;
  pronouns?: string;
  sexualOrientation?: string;
  race?: (
    | 'american-indian-alaska-native'
    | 'asian'
    | 'black'
    | 'hispanic'
    | 'middle-eastern-north-african'
    | 'native-hawaiian-pacific'
    | 'white'
  )[];
  raceText?: string;
  languages?: {
    code: string;
    preferred?: boolean;
    interpreter?: boolean;
  }[];
  addresses?: {
    id: string;
    use?: 'home' | 'mailing' | 'temporary' | 'shelter' | 'none';
    lines?: string[];
    city?: string;
    county?: string;
    state?: string;
    postalCode?: string;
    country?: string;
    confidential?: boolean;
    from?: string;
    to?: string;
  }[];
  phones?: {
    id: string;
    number: string;
    e164?: string;
    kind?: string;
    textOk?: boolean;
    voicemailOk?: boolean;
  }[];
  emails?: string[];
  contacts?: {
    id: string;
    name?: string;
    relationship?: string;
    phone?: string;
    emergency?: boolean;
    legalRole?: 'guardian' | 'power-of-attorney' | 'payee' | 'none';
    mayShare?: boolean;
  }[];
  preferredContact?: {
    channel?: 'phone' | 'text' | 'email' | 'mail' | 'in-person';
    bestTime?: string;
    safeToContact?: boolean;
  };
  veteran?: 'yes' | 'no';
  maritalStatus?: string;
  employment?: string;
  education?: string;
  livingSituation?: {
    code: string;
    since?: string;
  };
  deceasedOn?: string;
  mergedInto?: string;
}
export interface CaseRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  organizationId: string;
  program?: string;
  caseNumber?: string;
  status: 'referred' | 'intake' | 'open' | 'on-hold' | 'closed' | 'declined';
  referredAt?: string;
  openedOn?: string;
  closedOn?: string;
  closeReason?:
    'goals-met' | 'transferred' | 'moved' | 'lost-contact' | 'declined' | 'ineligible' | 'deceased' | 'other';
  closeDestination?: string;
  reopenedOn?: string[];
  riskLevel?: 'low' | 'moderate' | 'high' | 'crisis';
  riskSetAt?: string;
  referralSource?: {
    kind?: string;
    organizationId?: string;
    name?: string;
  };
  intake?: {
    receivedAt?: string;
    completedAt?: string;
    method?: string;
    presentingConcern?: string;
    eligibility?: {
      program?: string;
      eligible?: string;
      checkedAt?: string;
    }[];
  };
  assignments?: {
    id: string;
    workerId: string;
    role: 'primary' | 'secondary' | 'covering' | 'supervisor';
    from?: string;
    to?: string;
    reason?: string;
  }[];
  household?: {
    id: string;
    relationship?: 'self' | 'child' | 'spouse-partner' | 'parent' | 'other-relative' | 'other';
    clientId?: string;
    name?: string;
    birthDate?: string;
    head?: boolean;
  }[];
  careTeam?: {
    id: string;
    name?: string;
    role?: string;
    organizationId?: string;
    workerId?: string;
    phone?: string;
    fax?: string;
    from?: string;
    to?: string;
  }[];
  coordinatingSite?: {
    code?: string;
    movedInOn?: string;
  };
}
export interface ConsentRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId?: string;
  status: 'proposed' | 'active' | 'declined' | 'revoked' | 'expired' | 'entered-in-error';
  scope: (
    | 'share-care-plan'
    | 'referral'
    | 'treatment-payment-operations'
    | 'research'
    | 'contact-by-text'
    | 'data-exchange'
    | 'benefits-application'
  )[];
  recipients: {
    organizationId?: string;
    name?: string;
    class?: string;
  }[];
  recordTypes: (
    | 'client'
    | 'case'
    | 'worker'
    | 'organization'
    | 'service'
    | 'assessment'
    | 'need'
    | 'carePlan'
    | 'goal'
    | 'intervention'
    | 'referral'
    | 'appointment'
    | 'note'
    | 'incident'
    | 'safetyPlan'
    | 'coverage'
    | 'consent'
    | 'hospitalStay'
    | 'improvementIdea'
  )[];
  purpose?: ('treatment' | 'payment' | 'operations' | 'care-coordination' | 'eligibility')[];
  period?: {
    from?: string;
    to?: string;
    event?: string;
  };
  part2?: {
    redisclosureNotice?: boolean;
    tpo?: boolean;
  };
  givenBy: {
    role: 'client' | 'guardian' | 'representative';
    name?: string;
  };
  signedAt?: string;
  method?: 'ink' | 'electronic' | 'verbal';
  revokedAt?: string;
  revokeReason?: string;
  documentId?: string;
}
export interface CoverageRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId?: string;
  kind:
    | 'medicaid'
    | 'medicare'
    | 'medicare-advantage'
    | 'dual'
    | 'chip'
    | 'va'
    | 'employer'
    | 'marketplace'
    | 'private-pay'
    | 'state'
    | 'ihs'
    | 'ryan-white'
    | 'none'
    | 'other';
  payerId?: string;
  planName?: string;
  memberId?: string;
  groupNumber?: string;
  order?: number;
  startsOn?: string;
  endsOn?: string;
  status: 'active' | 'pending' | 'ended' | 'denied';
  verifications?: {
    id: string;
    at?: string;
    byId?: string;
    method?: 'portal' | 'phone' | 'edi-270' | 'fhir';
    result?: 'active' | 'inactive' | 'unknown';
    benefits?: {
      service?: string;
      covered?: boolean;
      limit?: number;
      used?: number;
      unit?: string;
      copay?: string;
    }[];
  }[];
  authorizations?: {
    id: string;
    number?: string;
    service?: string;
    status?: 'draft' | 'requested' | 'pended' | 'approved' | 'partly-approved' | 'denied' | 'expired' | 'appealed';
    requestedAt?: string;
    decidedAt?: string;
    startsOn?: string;
    endsOn?: string;
    unitsRequested?: number;
    unitsApproved?: number;
    unitsUsed?: number;
    unit?: 'visit' | '15-min' | 'hour' | 'day' | 'trip' | 'month';
    reason?: string;
  }[];
}
export interface AssessmentRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  instrument: string;
  instrumentVersion?: string;
  reason?: 'intake' | 'reassessment' | 'annual' | 'event' | 'exit' | 'screening';
  status: 'in-progress' | 'completed' | 'declined' | 'unable' | 'entered-in-error';
  declineReason?: string;
  startedAt?: string;
  completedAt?: string;
  assessorId?: string;
  mode?: 'in-person' | 'phone' | 'video' | 'self';
  informant?: 'client' | 'caregiver' | 'records';
  items?: {
    code: string;
    text?: string;
    answer?: {
      code?: string;
      codes?: string[];
      text?: string;
      number?: number;
      bool?: boolean;
      date?: string;
    };
    missing?: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
    score?: number;
    note?: string;
  }[];
  scores?: {
    code: string;
    value: number;
    min?: number;
    max?: number;
    interpretation?: string;
  }[];
  riskLevel?: string;
  positiveDomains?: (
    | 'food'
    | 'homelessness'
    | 'housing-instability'
    | 'inadequate-housing'
    | 'utilities'
    | 'transportation'
    | 'employment'
    | 'income'
    | 'education'
    | 'health-literacy'
    | 'digital-access'
    | 'medical-cost'
    | 'insurance'
    | 'physical-health'
    | 'mental-health'
    | 'substance-use'
    | 'medication'
    | 'activities-of-daily-living'
    | 'cognition'
    | 'safety-at-home'
    | 'intimate-partner-violence'
    | 'elder-abuse'
    | 'legal'
    | 'childcare'
    | 'social-connection'
    | 'stress'
    | 'veteran'
    | 'caregiver-support'
    | 'benefits'
    | 'other'
  )[];
  sections?: {
    code: string;
    text: string;
  }[];
  nextDueOn?: string;
}
export interface HospitalStayRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  hospitalId?: string;
  hospitalName?: string;
  kind: 'inpatient' | 'observation' | 'ed' | 'psychiatric' | 'detox' | 'rehab' | 'snf';
  admittedAt: string;
  dischargedAt?: string;
  expectedDischargeOn?: string;
  planned?: boolean;
  cause?: string;
  diagnosisCodes?: {
    system: 'icd-10-cm' | 'snomed';
    code: string;
  }[];
  disposition?:
    | 'home'
    | 'home-health'
    | 'snf'
    | 'rehab'
    | 'shelter'
    | 'street'
    | 'hospice'
    | 'left-against-advice'
    | 'transferred'
    | 'deceased'
    | 'other';
  knownAt: string;
  source?: 'adt' | 'worker' | 'client' | 'payer';
  visitNumber?: string;
  followUp?: {
    dueOn?: string;
    doneAt?: string;
    byId?: string;
  };
}
export interface IncidentRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  kind:
    | 'fall'
    | 'injury'
    | 'medication-error'
    | 'suicide-attempt'
    | 'self-harm'
    | 'overdose'
    | 'aggression'
    | 'abuse-neglect'
    | 'elopement'
    | 'death'
    | 'property'
    | 'privacy-breach'
    | 'emergency-hospitalization'
    | 'other';
  occurredAt: string;
  occurredApprox?: boolean;
  discoveredAt: string;
  documentedAt?: string;
  severity: 'minor' | 'moderate' | 'major' | 'sentinel';
  description: string;
  place?: string;
  shareWithChart?: boolean;
  people?: {
    role: 'client' | 'worker' | 'witness' | 'other-client' | 'alleged-perpetrator';
    id?: string;
    initials?: string;
    injured?: boolean;
  }[];
  emergencyServices?: {
    kind: '911' | 'police' | 'fire' | 'ems' | 'crisis-line' | 'poison-control';
    calledAt?: string;
    arrivedAt?: string;
    reference?: string;
  }[];
  reportedTo?: {
    agency: string;
    at?: string;
    reference?: string;
    mandated?: boolean;
  }[];
  actions?: {
    id: string;
    at?: string;
    byId?: string;
    text: string;
  }[];
  followUp?: {
    dueOn?: string;
    doneOn?: string;
    text?: string;
  };
  status: 'open' | 'under-review' | 'closed';
}
export interface NeedRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  domain:
    | 'food'
    | 'homelessness'
    | 'housing-instability'
    | 'inadequate-housing'
    | 'utilities'
    | 'transportation'
    | 'employment'
    | 'income'
    | 'education'
    | 'health-literacy'
    | 'digital-access'
    | 'medical-cost'
    | 'insurance'
    | 'physical-health'
    | 'mental-health'
    | 'substance-use'
    | 'medication'
    | 'activities-of-daily-living'
    | 'cognition'
    | 'safety-at-home'
    | 'intimate-partner-violence'
    | 'elder-abuse'
    | 'legal'
    | 'childcare'
    | 'social-connection'
    | 'stress'
    | 'veteran'
    | 'caregiver-support'
    | 'benefits'
    | 'other';
  description?: string;
  status: 'identified' | 'addressing' | 'met' | 'unmet' | 'declined' | 'entered-in-error';
  riskLevel: 'low' | 'moderate' | 'high' | 'crisis';
  priority?: number;
  wantsHelp?: 'yes' | 'no' | 'later';
  confirmedBy?: 'client-report' | 'screening' | 'worker' | 'clinician';
  diagnosisCodes?: {
    system: 'icd-10-cm' | 'snomed';
    code: string;
  }[];
  identifiedOn: string;
  resolvedOn?: string;
  source?: {
    assessmentId?: string;
    itemCode?: string;
  };
}
export interface GoalRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  statement: string;
  domain:
    | 'food'
    | 'homelessness'
    | 'housing-instability'
    | 'inadequate-housing'
    | 'utilities'
    | 'transportation'
    | 'employment'
    | 'income'
    | 'education'
    | 'health-literacy'
    | 'digital-access'
    | 'medical-cost'
    | 'insurance'
    | 'physical-health'
    | 'mental-health'
    | 'substance-use'
    | 'medication'
    | 'activities-of-daily-living'
    | 'cognition'
    | 'safety-at-home'
    | 'intimate-partner-violence'
    | 'elder-abuse'
    | 'legal'
    | 'childcare'
    | 'social-connection'
    | 'stress'
    | 'veteran'
    | 'caregiver-support'
    | 'benefits'
    | 'other';
  needIds?: string[];
  status: 'proposed' | 'accepted' | 'active' | 'on-hold' | 'completed' | 'cancelled' | 'rejected' | 'entered-in-error';
  achievement?:
    | 'in-progress'
    | 'improving'
    | 'no-change'
    | 'worsening'
    | 'achieved'
    | 'sustaining'
    | 'not-achieved'
    | 'not-attainable';
  achievedOn?: string;
  priority?: 'high' | 'medium' | 'low';
  horizon?: 'short' | 'long';
  measure?: {
    code?: string;
    text?: string;
    unit?: string;
  };
  baseline?: {
    value?: number;
    on?: string;
  };
  targets?: {
    id: string;
    comparator?: '<' | '<=' | '=' | '>=' | '>';
    value?: number;
    low?: number;
    high?: number;
    text?: string;
    unit?: string;
    dueOn?: string;
  }[];
  startsOn: string;
  dueOn?: string;
  responsible: {
    kind: 'client' | 'worker' | 'organization' | 'caregiver';
    id?: string;
    name?: string;
  }[];
  barriers?: string[];
  progress?: {
    id: string;
    at: string;
    byId?: string;
    value?: number;
    unit?: string;
    achievement?:
      | 'in-progress'
      | 'improving'
      | 'no-change'
      | 'worsening'
      | 'achieved'
      | 'sustaining'
      | 'not-achieved'
      | 'not-attainable';
    note?: string;
    replaces?: string;
  }[];
}
export interface SafetyPlanRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  status: 'active' | 'superseded' | 'ended';
  effectiveOn?: string;
  reviewDueOn?: string;
  reason?: 'suicide' | 'violence' | 'domestic-violence' | 'relapse' | 'other';
  warningSigns: string[];
  copingStrategies?: string[];
  distractions?: string[];
  reasonsForLiving?: string[];
  supportContacts?: {
    id: string;
    name?: string;
    phone?: string;
    relationship?: string;
    available?: string;
  }[];
  professionalContacts?: {
    id: string;
    name?: string;
    phone?: string;
    relationship?: string;
    available?: string;
  }[];
  meansSafety?: {
    means?: string;
    step?: string;
    responsible?: string;
    doneOn?: string;
  }[];
  clientAgreed?: boolean;
  sharedWith?: string[];
  copyGivenAt?: string;
}
export interface ReferralRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  direction: 'outgoing' | 'incoming';
  serviceId?: string;
  organizationId?: string;
  requestedService?: string;
  requestedText?: string;
  domain:
    | 'food'
    | 'homelessness'
    | 'housing-instability'
    | 'inadequate-housing'
    | 'utilities'
    | 'transportation'
    | 'employment'
    | 'income'
    | 'education'
    | 'health-literacy'
    | 'digital-access'
    | 'medical-cost'
    | 'insurance'
    | 'physical-health'
    | 'mental-health'
    | 'substance-use'
    | 'medication'
    | 'activities-of-daily-living'
    | 'cognition'
    | 'safety-at-home'
    | 'intimate-partner-violence'
    | 'elder-abuse'
    | 'legal'
    | 'childcare'
    | 'social-connection'
    | 'stress'
    | 'veteran'
    | 'caregiver-support'
    | 'benefits'
    | 'other';
  needIds?: string[];
  goalIds?: string[];
  reason?: string;
  urgency: 'routine' | 'urgent' | 'asap' | 'emergency';
  status:
    | 'draft'
    | 'sent'
    | 'undeliverable'
    | 'received'
    | 'accepted'
    | 'waitlisted'
    | 'on-hold'
    | 'in-progress'
    | 'completed'
    | 'failed'
    | 'declined'
    | 'cancelled'
    | 'entered-in-error';
  history: {
    id: string;
    status:
      | 'draft'
      | 'sent'
      | 'undeliverable'
      | 'received'
      | 'accepted'
      | 'waitlisted'
      | 'on-hold'
      | 'in-progress'
      | 'completed'
      | 'failed'
      | 'declined'
      | 'cancelled'
      | 'entered-in-error';
    at: string;
    byId?: string;
    byName?: string;
    reason?: string;
  }[];
  requestedAt?: string;
  sentAt?: string;
  receivedAt?: string;
  decidedAt?: string;
  requesterOrganizationId?: string;
  requestedById?: string;
  requesterContact?: {
    name?: string;
    phone?: string;
  };
  cancelRequest?: {
    at: string;
    byId?: string;
    reason?: string;
    answeredAt?: string;
    answer?: 'cancelled' | 'completed';
  };
  replacesId?: string;
  partOfId?: string;
  neededFrom?: string;
  neededBy?: string;
  channel?: 'fhir' | 'portal-link' | 'direct-message' | 'fax' | 'phone' | 'warm-handoff';
  firstContact?: {
    at: string;
    mode?: string;
    byName?: string;
    outcome?: 'reached' | 'left-message' | 'no-answer' | 'wrong-number' | 'client-declined' | 'partner-pending';
  };
  followUps?: {
    id: string;
    dueAt?: string;
    doneAt?: string;
    byId?: string;
    mode?: string;
    outcome?: 'reached' | 'left-message' | 'no-answer' | 'wrong-number' | 'client-declined' | 'partner-pending';
    note?: string;
  }[];
  outcome?: {
    code:
      | 'service-received'
      | 'partly-received'
      | 'not-received'
      | 'client-declined'
      | 'ineligible'
      | 'no-capacity'
      | 'no-show'
      | 'unreachable'
      | 'other';
    at?: string;
    text?: string;
    confirmedBy?: 'partner' | 'client' | 'worker';
  };
  declineReason?:
    | 'no-capacity'
    | 'ineligible'
    | 'out-of-area'
    | 'duplicate'
    | 'insufficient-information'
    | 'safety'
    | 'client-unreachable'
    | 'other';
  declineText?: string;
  waitlist?: {
    position?: number;
    expectedOn?: string;
    since?: string;
  };
  comments?: {
    id: string;
    at: string;
    byName?: string;
    byOrganizationId?: string;
    text: string;
    visibility?: 'shared' | 'internal';
  }[];
  consentId?: string;
  coverageId?: string;
}
export interface InterventionRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  kind:
    | 'education'
    | 'coaching'
    | 'counselling'
    | 'care-coordination'
    | 'benefits-assistance'
    | 'financial-assistance'
    | 'transport'
    | 'housing-support'
    | 'medication-support'
    | 'monitoring'
    | 'advocacy'
    | 'outreach'
    | 'direct-service'
    | 'other';
  description?: string;
  status: 'planned' | 'active' | 'on-hold' | 'completed' | 'stopped' | 'entered-in-error';
  stopReason?: string;
  goalIds?: string[];
  needIds?: string[];
  domain?:
    | 'food'
    | 'homelessness'
    | 'housing-instability'
    | 'inadequate-housing'
    | 'utilities'
    | 'transportation'
    | 'employment'
    | 'income'
    | 'education'
    | 'health-literacy'
    | 'digital-access'
    | 'medical-cost'
    | 'insurance'
    | 'physical-health'
    | 'mental-health'
    | 'substance-use'
    | 'medication'
    | 'activities-of-daily-living'
    | 'cognition'
    | 'safety-at-home'
    | 'intimate-partner-violence'
    | 'elder-abuse'
    | 'legal'
    | 'childcare'
    | 'social-connection'
    | 'stress'
    | 'veteran'
    | 'caregiver-support'
    | 'benefits'
    | 'other';
  responsible: {
    kind: 'client' | 'worker' | 'organization' | 'caregiver';
    id?: string;
    name?: string;
  }[];
  schedule?: {
    startsOn?: string;
    endsOn?: string;
    times?: number;
    per?: 'day' | 'week' | 'month';
    days?: ('mo' | 'tu' | 'we' | 'th' | 'fr' | 'sa' | 'su')[];
    durationMinutes?: number;
    text?: string;
  };
  deliveries?: {
    id: string;
    at: string;
    minutes?: number;
    units?: number;
    unitCode?: string;
    amount?: string;
    byId?: string;
    outcome?: 'delivered' | 'partly' | 'client-absent' | 'refused';
    note?: string;
  }[];
  referralId?: string;
  authorizationId?: string;
}
export interface CarePlanRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  title: string;
  summary?: string;
  status: 'draft' | 'active' | 'on-hold' | 'completed' | 'revoked' | 'entered-in-error';
  startsOn?: string;
  endsOn?: string;
  activatedAt?: string;
  needIds?: string[];
  goalIds?: string[];
  interventionIds?: string[];
  safetyPlanId?: string;
  reviewEveryDays?: number;
  reviews?: {
    id: string;
    at: string;
    byId?: string;
    kind?: 'scheduled' | 'event';
    eventId?: string;
    outcome?: 'no-change' | 'revised' | 'closed';
    summary?: string;
  }[];
  majorEvents?: {
    id: string;
    kind:
      | 'hospital-admission'
      | 'ed-visit'
      | 'discharge'
      | 'housing-loss'
      | 'incident'
      | 'new-diagnosis'
      | 'death-in-family'
      | 'coverage-change'
      | 'arrest'
      | 'crisis'
      | 'other';
    occurredAt?: string;
    knownAt: string;
    recordType?:
      | 'client'
      | 'case'
      | 'worker'
      | 'organization'
      | 'service'
      | 'assessment'
      | 'need'
      | 'carePlan'
      | 'goal'
      | 'intervention'
      | 'referral'
      | 'appointment'
      | 'note'
      | 'incident'
      | 'safetyPlan'
      | 'coverage'
      | 'consent'
      | 'hospitalStay'
      | 'improvementIdea';
    recordId?: string;
  }[];
  strengths?: string[];
  barriers?: string[];
  preferences?: string[];
  signatures?: {
    id: string;
    role: 'client' | 'guardian' | 'worker' | 'supervisor' | 'clinician';
    name?: string;
    signedAt?: string;
    method?: 'ink' | 'electronic' | 'verbal';
  }[];
  sharedWith?: {
    organizationId: string;
    at?: string;
    consentId?: string;
  }[];
}
export interface AppointmentRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  kind: 'case-management' | 'medical' | 'behavioral-health' | 'benefits' | 'partner' | 'home-visit' | 'court' | 'other';
  title?: string;
  status: 'proposed' | 'booked' | 'confirmed' | 'arrived' | 'kept' | 'no-show' | 'cancelled' | 'rescheduled';
  startsAt: string;
  endsAt?: string;
  minutes?: number;
  timezone?: string;
  with?: {
    workerId?: string;
    organizationId?: string;
    name?: string;
  };
  place?: {
    name?: string;
    address?: {
      lines?: string[];
      city?: string;
      county?: string;
      state?: string;
      postalCode?: string;
      country?: string;
      confidential?: boolean;
    };
    remoteUrl?: string;
  };
  mode?: 'in-person' | 'phone' | 'video';
  transport?: {
    needed: boolean;
    kind?: 'own' | 'bus-pass' | 'ride-share' | 'nemt' | 'volunteer' | 'ambulance' | 'none';
    providerId?: string;
    pickupAt?: string;
    pickupAddress?: {
      lines?: string[];
      city?: string;
      county?: string;
      state?: string;
      postalCode?: string;
      country?: string;
      confidential?: boolean;
    };
    returnAt?: string;
    wheelchair?: boolean;
    attendants?: number;
    confirmation?: string;
    status?: 'requested' | 'scheduled' | 'completed' | 'failed';
  };
  interpreter?: {
    language?: string;
    booked?: boolean;
  };
  reminders?: {
    at: string;
    channel?: string;
  }[];
  cancelReason?: string;
  replacedById?: string;
  referralId?: string;
  serviceId?: string;
}
export interface NoteRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  clientId: string;
  caseId: string;
  kind:
    | 'progress'
    | 'contact'
    | 'home-visit'
    | 'assessment-summary'
    | 'care-conference'
    | 'discharge-planning'
    | 'supervision'
    | 'crisis'
    | 'closing'
    | 'other';
  text: string;
  format?: 'plain' | 'soap' | 'birp' | 'dap';
  sections?: {
    code: string;
    text: string;
  }[];
  occurredAt: string;
  minutes?: number;
  contact?: {
    mode?: string;
    with?: 'client' | 'caregiver' | 'provider' | 'partner';
    outcome?: string;
  };
  authorId: string;
  signedAt?: string;
  coSigner?: {
    workerId: string;
    at?: string;
  };
  status: 'draft' | 'signed' | 'amended' | 'entered-in-error';
  addenda?: {
    id: string;
    kind: 'addendum' | 'correction';
    text: string;
    authorId?: string;
    signedAt?: string;
    replaces?: string;
  }[];
  about?: {
    goalIds?: string[];
    referralId?: string;
    appointmentId?: string;
    incidentId?: string;
    hospitalStayId?: string;
  };
  billing?: {
    code?: string;
    units?: number;
    authorizationId?: string;
  };
}
export interface ImprovementIdeaRecord {
  id: string;
  createdAt?: string;
  createdBy?: string;
  updatedAt: string;
  updatedBy?: string;
  deleted?: boolean;
  sensitivity?: (
    'substance-use-part2' | 'mental-health' | 'hiv' | 'domestic-violence' | 'reproductive-health' | 'minor-consented'
  )[];
  missing?: {
    [k: string]: 'unknown' | 'declined' | 'not-collected' | 'not-applicable';
  };
  origin?: {
    connection: string;
    resourceType: string;
    id: string;
  };
  caseId?: string;
  organizationId?: string;
  kind: 'process-gap' | 'idea' | 'complaint' | 'success';
  title: string;
  description?: string;
  step?: 'intake' | 'assessment' | 'planning' | 'referral' | 'follow-up' | 'transition' | 'documentation' | 'billing';
  raisedAt?: string;
  raisedById?: string;
  status: 'new' | 'accepted' | 'in-progress' | 'done' | 'rejected';
  owner?: string;
  dueOn?: string;
  outcome?: string;
}
