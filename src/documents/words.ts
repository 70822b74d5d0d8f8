// Codes of records in plain English, for readers who have never seen the records. Open lists read as their own words.

const domains: Readonly<Record<string, string>> = {
  income: 'Income',
  insurance: 'Health insurance',
  'medical-cost': 'Cost of medical care',
  'activities-of-daily-living': 'Activities of daily living',
  'safety-at-home': 'Safety at home',
  'social-connection': 'Social connection',
  veteran: 'Veteran services',
  legal: 'Legal problem',
  childcare: 'Child care',
  other: 'Other need',
};

const statuses: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  case: { referred: 'referred', intake: 'in intake', open: 'open', 'on-hold': 'on hold', closed: 'closed' },
  need: {
    addressing: 'being worked on',
    met: 'met',
    unmet: 'closed without being met',
    declined: 'client declined help',
  },
  goal: { proposed: 'proposed', accepted: 'accepted, not started', rejected: 'not wanted by the client' },
  plan: { revoked: 'withdrawn' },
  referral: {
    sent: 'sent, no answer yet',
    undeliverable: 'could not be delivered yet',
    received: 'received, no answer yet',
    waitlisted: 'on a waiting list',
    'in-progress': 'in progress',
    completed: 'completed',
    failed: 'ended without the service',
    declined: 'declined',
  },
  confirmed: {
    'client-report': 'reported by the client, not confirmed',
    screening: 'found by screening, not confirmed',
    worker: 'confirmed by a case worker',
    clinician: 'confirmed by a clinician',
  },
  declined: {
    'no-capacity': 'no capacity',
    ineligible: 'client is not eligible',
    'out-of-area': 'outside the area served',
    'insufficient-information': 'not enough information',
    safety: 'safety',
    'client-unreachable': 'client could not be reached',
    other: 'other reason',
  },
  outcome: {
    'partly-received': 'service partly received',
    'not-received': 'service not received',
    ineligible: 'client is not eligible',
    'no-show': 'client did not come',
    unreachable: 'client could not be reached',
    other: 'outcome not known',
  },
  outcomeSource: {
    partner: 'reported by the partner',
    client: 'reported by the client',
    worker: 'reported by a case worker',
  },
  contact: {
    reached: 'client reached',
    'left-message': 'left a message',
    'partner-pending': 'partner has not acted yet',
  },
  appointment: {
    proposed: 'proposed, not booked',
    kept: 'took place',
    'no-show': 'client did not come',
    rescheduled: 'moved to another time',
  },
  visit: {
    medical: 'medical visit',
    'behavioral-health': 'behavioral health visit',
    benefits: 'benefits appointment',
    partner: 'visit to a community partner',
    court: 'court date',
    other: 'appointment',
  },
  ride: {
    nemt: 'Medicaid ride',
    own: 'own transport',
    'bus-pass': 'bus pass',
    'ride-share': 'ride share',
    volunteer: 'volunteer driver',
    none: 'no ride found yet',
  },
  rideStatus: { requested: 'asked for', scheduled: 'booked', completed: 'done', failed: 'FELL THROUGH' },
  assessment: { declined: 'client declined', unable: 'could not be done' },
  meaning: { full: 'full function', 'moderately-severe': 'moderately severe' },
  intervention: { active: 'under way', stopped: 'stopped early' },
  authorization: {
    pended: 'waiting for the payer',
    'partly-approved': 'approved in part',
    appealed: 'denied, appealed',
  },
  role: { admin: 'administrator', peer: 'peer worker', partner: 'partner worker', intake: 'intake worker' },
  channel: { text: 'text message', email: 'e-mail', mail: 'letter', 'in-person': 'in person' },
  closed: {
    'goals-met': 'goals met',
    moved: 'client moved away',
    'lost-contact': 'contact lost',
    declined: 'client declined',
    other: 'other reason',
  },
};

const instruments: Readonly<Record<string, string>> = {
  'phq-9': 'PHQ-9 (depression)',
  'phq-2': 'PHQ-2 (depression)',
  'gad-7': 'GAD-7 (anxiety)',
  'ahc-hrsn': 'AHC social needs screening',
  'hunger-vital-sign': 'Hunger Vital Sign',
  prapare: 'PRAPARE social needs screening',
  'katz-adl': 'Katz ADL (daily activities)',
  'lawton-iadl': 'Lawton IADL (household activities)',
  'c-ssrs-screen': 'C-SSRS suicide screener',
};

const scores: Readonly<Record<string, string>> = {
  '95614-4': 'safety',
  safety: 'safety',
  'prapare-risks': 'risks',
};

const risks: Readonly<Record<string, string>> = {
  low: 'low risk',
  moderate: 'moderate risk',
  high: 'HIGH RISK',
  crisis: 'CRISIS',
};

/** A need domain as the first words of a line: `Housing instability`. */
export function domainWords(code: string): string {
  return domains[code] ?? capital(spaced(code));
}

/** An instrument as people call it; of others, its own name. */
export function instrumentWords(code: string): string {
  return instruments[code] ?? capital(spaced(code));
}

/** What a score counts, where an instrument has not just one total. */
export function scoreWords(code: string): string | undefined {
  return scores[code];
}

export function riskWords(code: string): string {
  return risks[code] ?? spaced(code);
}

/** The words for a code of one list; a code that reads well by itself needs no entry. */
export function wordsFor(list: string, code: string): string {
  return statuses[list]?.[code] ?? spaced(code);
}

/** `pt-BR` as `Brazilian Portuguese`. */
export function languageWords(tag: string): string {
  try {
    return languageNames.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

const languageNames = new Intl.DisplayNames('en', { type: 'language' });

/** UCUM units as words: `{steps}/d` as `steps a day`. */
export function unitWords(unit: string): string {
  const annotated = unit.replace(/[{}[\]]/g, '').replaceAll('_', ' ');
  return annotated.replace(/\/(d|wk|mo|a|h)$/, (_, per: string) => ` ${periods[per] ?? per}`).trim();
}

const periods: Readonly<Record<string, string>> = {
  d: 'a day',
  wk: 'a week',
  mo: 'a month',
  a: 'a year',
  h: 'an hour',
};

export function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function spaced(code: string): string {
  return code.replaceAll('-', ' ');
}
