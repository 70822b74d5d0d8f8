// A mapping as a user writes it for one project: from the records of one case to its ten resources, in the order in which they are made. Plain
// JavaScript, because an OpenFn workflow takes the text of this file as its globals. `made` holds the references of what is there already.

const system = 'https://riverside.example.org/by-hand';

export const steps = [
  ({ client, name, identifier }) => ({
    resourceType: 'Patient',
    identifier: [identifier('patient')],
    name: [{ use: 'official', given: name.given, family: name.family }],
    birthDate: client.birthDate,
    gender: client.sex,
    telecom: [{ system: 'phone', value: client.phones[0].number }],
    address: [{ use: 'home', line: client.addresses[0].lines, city: client.addresses[0].city }],
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'es' }] }, preferred: true }],
  }),
  ({ caseRecord, identifier, to, made }) => ({
    resourceType: 'EpisodeOfCare',
    identifier: [identifier('episode')],
    status: 'active',
    patient: to('patient'),
    managingOrganization: { reference: made.organization },
    careManager: { reference: made.practitioner },
    period: { start: caseRecord.openedOn },
  }),
  ({ identifier, to, made }) => ({
    resourceType: 'CareTeam',
    identifier: [identifier('team')],
    status: 'active',
    subject: to('patient'),
    participant: [{ role: [{ text: 'Case manager' }], member: { reference: made.practitioner } }],
  }),
  (given) => condition(given, 'need', 0),
  (given) => condition(given, 'rent', 1),
  (given) => goal(given, 'goal', 0, 'need'),
  (given) => goal(given, 'home', 1, 'rent'),
  ({ plan, identifier, to }) => ({
    resourceType: 'CarePlan',
    identifier: [identifier('plan')],
    status: 'active',
    intent: 'plan',
    title: plan.title,
    description: plan.summary,
    subject: to('patient'),
    period: { start: plan.startsOn },
    addresses: [to('need'), to('rent')],
    goal: [to('goal'), to('home')],
  }),
  ({ referral, identifier, to, made }) => ({
    resourceType: 'ServiceRequest',
    identifier: [identifier('request')],
    status: 'active',
    intent: 'order',
    priority: referral.urgency,
    code: { text: referral.requestedText },
    subject: to('patient'),
    authoredOn: referral.sentAt,
    requester: { reference: made.practitioner },
    performer: [{ reference: made.pantry }],
    reasonReference: [to('need')],
  }),
  ({ referral, identifier, to, made }) => ({
    resourceType: 'Task',
    identifier: [identifier('task')],
    status: 'requested',
    intent: 'order',
    focus: to('request'),
    for: to('patient'),
    authoredOn: referral.requestedAt,
    requester: { reference: made.practitioner },
    owner: { reference: made.pantry },
  }),
];

/** The names under which the references of the ten are kept. */
export const names = ['patient', 'episode', 'team', 'need', 'rent', 'goal', 'home', 'plan', 'request', 'task'];

/** What each step gets. */
export function given(records, made) {
  const of = (type) => records.filter((line) => line.type === type).map(({ record }) => record);
  const [client] = of('client');
  const [caseRecord] = of('case');
  return {
    client,
    caseRecord,
    name: client.names[0],
    needs: of('need'),
    goals: of('goal'),
    plan: of('carePlan')[0],
    referral: of('referral')[0],
    made,
    identifier: (slot) => ({ system, value: `${caseRecord.id}/${slot}` }),
    to: (name) => ({ reference: made[name] }),
  };
}

function condition({ needs, identifier, to }, slot, index) {
  return {
    resourceType: 'Condition',
    identifier: [identifier(slot)],
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] },
    ],
    code: { text: needs[index].description },
    subject: to('patient'),
    recordedDate: needs[index].identifiedOn,
  };
}

function goal({ goals, identifier, to }, slot, index, need) {
  return {
    resourceType: 'Goal',
    identifier: [identifier(slot)],
    lifecycleStatus: 'active',
    description: { text: goals[index].statement },
    subject: to('patient'),
    startDate: goals[index].startsOn,
    target: [{ measure: { text: goals[index].targets[0].text }, dueDate: goals[index].targets[0].dueOn }],
    addresses: [to(need)],
  };
}
