// The work on a case on a server that takes all of it: assessments with their Observations, interventions with their Procedures, appointments with
// rides, coverages, measured progress, and what comes of a referral. What the server holds is read from its own store.

import { describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../src/json.ts';
import {
  aCarePlan,
  aConsent,
  aCoverage,
  aGoal,
  aNeed,
  anAppointment,
  anAssessment,
  anIntervention,
  anOrganization,
  aReferral,
} from '../builders.ts';
import { caseload, type Item } from '../support/caseload.ts';
import { aConnection } from '../support/rig.ts';
import { useWorld } from '../support/world.ts';

const world = useWorld();
const later = '2026-02-20T10:00:00-05:00';

const sendCase = (...more: Item[]) => world.send(...caseload(), ...more);

const own = (resourceType: string, name: string) => world.server.own(resourceType, `county/${name}`);

/** `Type/id` of a resource of ours. */
async function at(resourceType: string, name: string): Promise<string> {
  return `${resourceType}/${(await own(resourceType, name))?.id}`;
}

/** A partner's server, which gets what the client's consent names. */
const pantry = { basis: 'consent', organization: { source: 'county', id: 'org-pantry' } } as const;

async function nothingLeft(): Promise<void> {
  const before = (await world.server.journal()).length;
  await world.workAgain();
  expect(await world.server.writes(before)).toEqual([]);
}

describe('an assessment', () => {
  test('is a response, an Observation for each answer, and a panel that holds them; a second look writes nothing', async () => {
    await sendCase(['assessment', anAssessment()]);
    const panel = await own('Observation', 'assessment/assessment-food#panel');
    expect(panel).toMatchObject({
      code: { coding: [{ system: 'http://loinc.org', code: '88121-9' }] },
      hasMember: [
        { reference: await at('Observation', 'assessment/assessment-food#answer[88122-7]') },
        { reference: await at('Observation', 'assessment/assessment-food#answer[88123-5]') },
      ],
      derivedFrom: [{ reference: await at('QuestionnaireResponse', 'assessment/assessment-food#response') }],
    });
    expect(await own('QuestionnaireResponse', 'assessment/assessment-food#response')).toMatchObject({
      item: [{ linkId: '/88122-7' }, { linkId: '/88123-5' }],
    });
    await nothingLeft();
  });

  test('whose answer is taken out retires its Observation and the panel forgets it', async () => {
    await sendCase(['assessment', anAssessment()]);
    const [first] = [{ code: '88122-7', answer: { code: 'LA28397-0' } }];
    await world.send(['assessment', anAssessment({ items: [first], updatedAt: later })]);
    expect(await own('Observation', 'assessment/assessment-food#answer[88123-5]')).toMatchObject({
      status: 'entered-in-error',
    });
    const panel = await own('Observation', 'assessment/assessment-food#panel');
    expect(panel?.hasMember).toHaveLength(1);
    await nothingLeft();
  });

  test('an answer that somebody changes there is offered to the source', async () => {
    await sendCase(['assessment', anAssessment()]);
    const response = await own('QuestionnaireResponse', 'assessment/assessment-food#response');
    const [item, ...rest] = Array.isArray(response?.item) ? response.item.filter(isObject) : [];
    const answered = { valueCoding: { system: 'http://loinc.org', code: 'LA28398-8' } };
    await world.server.fhir('PUT', `QuestionnaireResponse/${response?.id}`, {
      ...response,
      item: [{ ...item, answer: [answered] }, ...rest],
    });
    await world.send(['assessment', anAssessment({ informant: 'client', updatedAt: later })]);
    const [change] = await world.changes();
    expect(change).toMatchObject({
      type: 'assessment',
      op: 'patch',
      body: { items: [{ code: '88122-7', answer: { code: 'LA28398-8' } }, { code: '88123-5' }] },
    });
  });

  test('that was declined is a panel that says so, and no response', async () => {
    await sendCase(['assessment', anAssessment({ status: 'declined', declineReason: 'Not today.' })]);
    expect(await world.server.all('QuestionnaireResponse')).toEqual([]);
    expect(await world.server.all('Observation')).toMatchObject([
      { dataAbsentReason: { coding: [{ code: 'asked-declined' }], text: 'Not today.' } },
    ]);
  });
});

describe('an intervention', () => {
  test('is an activity of the plan, and each delivery a Procedure', async () => {
    await sendCase(
      ['intervention', anIntervention()],
      ['carePlan', aCarePlan({ interventionIds: ['intervention-snap'], updatedAt: later })],
    );
    expect(await own('CarePlan', 'carePlan/plan-rosa#plan')).toMatchObject({
      activity: [{ detail: { status: 'in-progress', code: { text: 'Help with the SNAP application.' } } }],
    });
    expect(await own('Procedure', 'intervention/intervention-snap#delivery[d1]')).toMatchObject({
      status: 'completed',
      reasonReference: [{ reference: await at('Condition', 'need/need-food#condition') }],
    });
    await nothingLeft();
  });

  test('is not told within a plan to a partner whose consent does not name it, and neither is a need', async () => {
    await world.connect(aConnection(world.server.base, pantry));
    await sendCase(
      ['consent', aConsent({ recordTypes: ['carePlan', 'goal'] })],
      ['intervention', anIntervention()],
      ['carePlan', aCarePlan({ interventionIds: ['intervention-snap'], updatedAt: later })],
    );
    const plan = JSON.stringify(await own('CarePlan', 'carePlan/plan-rosa#plan'));
    expect(plan).toContain('food on the table');
    expect(plan).not.toContain('SNAP application');
    expect(plan).not.toContain('last week of each month');
    await world.send([
      'consent',
      aConsent({ recordTypes: ['carePlan', 'goal', 'need', 'intervention'], updatedAt: later }),
    ]);
    const told = JSON.stringify(await own('CarePlan', 'carePlan/plan-rosa#plan'));
    expect(told).toContain('SNAP application');
    expect(told).toContain('last week of each month');
  });
});

describe('a plan', () => {
  test('tells nothing of a need, a goal or an intervention that was an error, and points at none, nor does an order', async () => {
    await sendCase(
      ['intervention', anIntervention()],
      ['carePlan', aCarePlan({ interventionIds: ['intervention-snap'], updatedAt: later })],
    );
    const told = ['last week of each month', 'food on the table', 'SNAP application'];
    const plan = () => own('CarePlan', 'carePlan/plan-rosa#plan');
    const before = JSON.stringify(await plan());
    expect(told.filter((words) => before.includes(words))).toEqual(told);
    const [need, goal] = [await at('Condition', 'need/need-food#condition'), await at('Goal', 'goal/goal-meals#goal')];
    const error = { status: 'entered-in-error', updatedAt: later } as const;
    await world.send(
      ['need', aNeed(error)],
      ['goal', aGoal(error)],
      ['intervention', anIntervention({ ...error, deliveries: [] })],
    );
    for (const resource of [await plan(), await own('ServiceRequest', 'referral/referral-pantry#request')]) {
      const after = JSON.stringify(resource);
      expect([...told, need, goal].filter((words) => after.includes(words))).toEqual([]);
    }
    expect(await own('Condition', 'need/need-food#condition')).toMatchObject({
      verificationStatus: { coding: [{ code: 'entered-in-error' }] },
    });
    await nothingLeft();
  });
});

describe('an appointment', () => {
  const ride = { needed: true, kind: 'nemt', status: 'requested' } as const;

  test('with a ride makes an order for the ride, which goes when none is needed any more', async () => {
    await sendCase(['appointment', anAppointment({ transport: ride })]);
    expect(await own('ServiceRequest', 'appointment/appointment-visit#ride')).toMatchObject({
      status: 'active',
      code: { coding: [{ code: '428632005' }] },
      supportingInfo: [{ reference: await at('Appointment', 'appointment/appointment-visit#appointment') }],
    });
    await world.send(['appointment', anAppointment({ transport: { ...ride, needed: false }, updatedAt: later })]);
    expect(await own('ServiceRequest', 'appointment/appointment-visit#ride')).toMatchObject({
      status: 'entered-in-error',
    });
    await nothingLeft();
  });

  test('that is moved there is offered to the source with its new times', async () => {
    await sendCase(['appointment', anAppointment()]);
    const made = await own('Appointment', 'appointment/appointment-visit#appointment');
    expect(made).toMatchObject({ start: '2026-03-09T10:00:00-04:00', end: '2026-03-09T11:00:00-04:00' });
    const moved = { start: '2026-03-10T10:00:00-04:00', end: '2026-03-10T11:00:00-04:00' };
    await world.server.fhir('PUT', `Appointment/${made?.id}`, { ...made, ...moved });
    await world.send(['appointment', anAppointment({ title: 'Visit at home', updatedAt: later })]);
    expect(await world.changes()).toMatchObject([{ type: 'appointment', body: { startsAt: moved.start } }]);
  });
});

describe('a coverage', () => {
  test('of no case belongs to the client, and the order points at it', async () => {
    const payer = anOrganization({ id: 'org-medicaid', name: 'State Medicaid', kind: 'payer' });
    await sendCase(
      ['organization', payer],
      ['coverage', aCoverage()],
      ['referral', aReferral({ coverageId: 'coverage-rosa', updatedAt: later })],
    );
    const coverage = await at('Coverage', 'coverage/coverage-rosa#coverage');
    expect(await own('ServiceRequest', 'referral/referral-pantry#request')).toMatchObject({
      insurance: [{ reference: coverage }],
    });
    await nothingLeft();
  });
});

describe('progress of a goal', () => {
  const measured = (progress: JsonObject[]) =>
    aGoal({ measure: { text: 'Meals a day' }, updatedAt: later, ...JSON.parse(JSON.stringify({ progress })) });

  test('is an Observation that the goal names; a corrected value is taken back', async () => {
    const first = { id: 'p1', at: '2026-02-10T09:00:00-05:00', value: 1 };
    await sendCase(['goal', measured([first])]);
    expect(await own('Goal', 'goal/goal-meals#goal')).toMatchObject({
      outcomeReference: [{ reference: await at('Observation', 'goal/goal-meals#progress[p1]') }],
    });
    const second = { id: 'p2', at: '2026-02-10T09:30:00-05:00', value: 2, replaces: 'p1' };
    await world.send(['goal', { ...measured([first, second]), updatedAt: '2026-02-21T10:00:00-05:00' }]);
    expect(await own('Observation', 'goal/goal-meals#progress[p1]')).toMatchObject({ status: 'entered-in-error' });
    expect(await own('Observation', 'goal/goal-meals#progress[p2]')).toMatchObject({ valueQuantity: { value: 2 } });
    await nothingLeft();
  });
});

describe('what comes of a referral', () => {
  const done = {
    status: 'completed',
    history: [{ id: 'h3', status: 'completed', at: '2026-02-19T10:00:00-05:00' }],
    outcome: { code: 'service-received', at: '2026-02-18T15:00:00-05:00', confirmedBy: 'client' },
    updatedAt: later,
  } as const;

  test.each([
    ['phone', 1],
    ['fhir', 0],
  ] as const)('to a partner by %s: %i Procedure of ours', async (channel, count) => {
    await sendCase(['referral', aReferral({ ...done, history: [...done.history], channel })]);
    const procedures = await world.server.all('Procedure');
    expect(procedures).toHaveLength(count);
    expect(procedures.every(({ status }) => status === 'completed')).toBe(true);
  });
});

test('a need that a screening found points at it', async () => {
  await sendCase(
    ['assessment', anAssessment()],
    ['need', aNeed({ source: { assessmentId: 'assessment-food', itemCode: '88122-7' }, updatedAt: later })],
  );
  expect(await own('Condition', 'need/need-food#condition')).toMatchObject({
    evidence: [{ detail: [{ reference: await at('QuestionnaireResponse', 'assessment/assessment-food#response') }] }],
  });
});
