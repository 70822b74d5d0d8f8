// How each kind of record reaches a server, and why: configuration, scopes, declaration, vendor, in this order.

import { describe, expect, test } from '@jest/globals';
import type { Capabilities, RouteInput } from '../../src/connections/connections.ts';
import { routeTable, vendors } from '../../src/connections/connections.ts';
import { notOffered } from '../../src/connections/vendors/vendor.ts';

const full = ['create', 'read', 'search-type', 'update'];
const goal = { recordType: 'goal', resourceType: 'Goal' } as const;
const client = { recordType: 'client', resourceType: 'Patient' } as const;
const task = { recordType: 'referral', resourceType: 'Task' } as const;

function declares(interactions: Record<string, string[]>): Capabilities {
  return {
    readAt: '2026-03-02T10:00:00.000Z',
    interactions,
    searchParams: {},
    conditionalCreate: {},
    transaction: true,
    versioned: {},
    patch: false,
    hash: 'a',
  };
}

const everything = declares({ Goal: full, Patient: full, Task: full });
const withDocuments = declares({ Goal: full, Patient: full, Task: full, DocumentReference: ['create'] });

/** What `manual` adds where a document was the next best thing. */
const noDocument = (why: string) => ` A document cannot carry it either. ${why}`;
const noneDeclared = noDocument('The server does not declare create for DocumentReference.');
const noneGranted = noDocument('The token does not allow create on DocumentReference.');

function routeOf(slot: RouteInput['slots'][number], input: Partial<RouteInput>) {
  const [row] = routeTable({
    capabilities: everything,
    scopes: ['system/*.cruds'],
    vendor: vendors.standard,
    overrides: {},
    task: 'home',
    slots: [slot],
    ...input,
  });
  return row;
}

const byPatch = declares({ Goal: ['create', 'patch', 'read', 'search-type'] });

const noWrites = { ...vendors.standard, interactions: { Goal: notOffered('they are read only') } };

test.each<[string, RouteInput['slots'][number], Partial<RouteInput>, string, string]>([
  ['declared and granted', goal, {}, 'native', 'The server declares all that Goal needs, and the token allows it.'],
  [
    'changed by JSON Patch only',
    goal,
    { capabilities: { ...byPatch, patch: true } },
    'native',
    'The server declares all that Goal needs, and the token allows it.',
  ],
  [
    'changed by a patch that is no JSON Patch',
    goal,
    { capabilities: byPatch },
    'manual',
    `The server does not declare update for Goal.${noneDeclared}`,
  ],
  [
    'changed by JSON Patch only, which this vendor never takes',
    goal,
    { capabilities: { ...byPatch, patch: true }, vendor: { ...vendors.standard, update: vendors.epic.update } },
    'manual',
    `The server does not declare update for Goal.${noneDeclared}`,
  ],
  [
    'no scopes in this auth',
    goal,
    { scopes: undefined },
    'native',
    'The server declares all that Goal needs, and the token allows it.',
  ],
  [
    'granted in the old spelling',
    goal,
    { scopes: ['system/Goal.read', 'system/Goal.write'] },
    'native',
    'The server declares all that Goal needs, and the token allows it.',
  ],
  [
    'set by configuration',
    goal,
    { overrides: { goal: 'document' } },
    'document',
    'Set in the configuration (routes: goal: document).',
  ],
  [
    'configuration before scopes',
    goal,
    { overrides: { goal: 'native' }, scopes: [] },
    'native',
    'Set in the configuration (routes: goal: native).',
  ],
  [
    'configuration of another type',
    goal,
    { overrides: { need: 'off' } },
    'native',
    'The server declares all that Goal needs, and the token allows it.',
  ],
  [
    'one action not granted',
    goal,
    { scopes: ['system/Goal.rus'] },
    'manual',
    `The token does not allow create on Goal.${noneDeclared}`,
  ],
  [
    'another type granted',
    goal,
    { scopes: ['system/Task.crus'] },
    'manual',
    `The token does not allow create, read, update, search on Goal.${noneDeclared}`,
  ],
  [
    'nothing granted at all',
    goal,
    { scopes: [] },
    'manual',
    `The token does not allow create, read, update, search on Goal.${noneDeclared}`,
  ],
  [
    'a patient that can be found',
    client,
    { scopes: ['system/Patient.rs'] },
    'read',
    'The token does not allow create, update on Patient.',
  ],
  [
    'a patient that cannot be found',
    client,
    { scopes: ['system/Patient.cru'] },
    'manual',
    'The token does not allow search on Patient.',
  ],
  [
    'a scope for what is not declared is not asked for',
    goal,
    { scopes: ['system/Goal.cru'], capabilities: declares({}) },
    'manual',
    `The server does not declare create, read, update, search for Goal.${noneDeclared}`,
  ],
  [
    'a type not declared',
    goal,
    { capabilities: declares({ Task: full }) },
    'manual',
    `The server does not declare create, read, update, search for Goal.${noneDeclared}`,
  ],
  [
    'one interaction not declared',
    goal,
    { capabilities: declares({ Goal: ['read', 'search-type', 'create', 'patch'] }) },
    'manual',
    `The server does not declare update for Goal.${noneDeclared}`,
  ],
  [
    'a patient declared for reading',
    client,
    { capabilities: declares({ Patient: ['read', 'search-type'] }) },
    'read',
    'The server does not declare create, update for Patient.',
  ],
  [
    'never read',
    goal,
    { capabilities: undefined },
    'manual',
    'What the server can do could not be read; nothing is written until it is.',
  ],
  [
    'not with this vendor',
    goal,
    { vendor: noWrites },
    'manual',
    `Goal cannot be written on servers of this vendor: they are read only.${noneDeclared}`,
  ],
  [
    'a document, where the server takes one',
    goal,
    { vendor: noWrites, capabilities: withDocuments },
    'document',
    'Goal cannot be written on servers of this vendor: they are read only.',
  ],
  [
    'a document instead of what is not declared',
    { recordType: 'carePlan', resourceType: 'CarePlan' },
    { capabilities: withDocuments },
    'document',
    'The server does not declare create, read, update, search for CarePlan.',
  ],
  [
    'no document of a vendor that has none',
    goal,
    {
      vendor: { ...noWrites, documents: notOffered('Nothing is known of its documents.') },
      capabilities: withDocuments,
    },
    'manual',
    `Goal cannot be written on servers of this vendor: they are read only.${noDocument('Nothing is known of its documents.')}`,
  ],
  [
    'no document for what none tells of',
    { recordType: 'consent', resourceType: 'Consent' },
    { capabilities: withDocuments },
    'manual',
    'The server does not declare create, read, update, search for Consent.',
  ],
  ['tasks off', task, { task: 'off' }, 'off', 'By its setting, or the default of its vendor (task: off).'],
  [
    'tasks off although configured as a copy of the record type',
    task,
    { task: 'off', overrides: { referral: 'native' } },
    'native',
    'Set in the configuration (routes: referral: native).',
  ],
  [
    'tasks answered',
    task,
    { task: 'answer' },
    'answer',
    'By its setting, or the default of its vendor (task: answer): Tasks that began there are answered, none is made there.',
  ],
  [
    'tasks copied',
    task,
    { task: 'copy' },
    'native',
    'The server declares all that Task needs, and the token allows it.',
  ],
  [
    'other types with tasks off',
    goal,
    { task: 'off' },
    'native',
    'The server declares all that Goal needs, and the token allows it.',
  ],
])('%s', (_name, slot, input, route, text) => {
  expect(routeOf(slot, input)).toMatchObject({ ...slot, route, reason: { text } });
});

describe('words about a referral', () => {
  const message = { recordType: 'referral', resourceType: 'Communication' } as const;
  const posts = declares({ Communication: ['create', 'read', 'search-type'] });
  const atEpic = { vendor: vendors.epic, task: 'answer', capabilities: posts } as const;

  test.each<[string, Partial<RouteInput>, string, string]>([
    ['are messages where they can be posted and found', atEpic, 'answer', 'posted as a message'],
    [
      'are notes where none may be posted',
      { ...atEpic, scopes: ['system/Communication.rs'] },
      'off',
      'stands in the notes of its Task (The token does not allow create on Communication).',
    ],
    [
      'are notes where a lost one could not be found again',
      { ...atEpic, capabilities: declares({ Communication: ['create', 'read'] }) },
      'off',
      'The server does not declare search for Communication).',
    ],
    ['are notes on a standard server', { capabilities: posts }, 'off', 'stands in the notes of its Task'],
    ['go nowhere with tasks off', { ...atEpic, task: 'off' }, 'off', 'task: off'],
    ['go nowhere where referrals do not', { ...atEpic, overrides: { referral: 'withheld' } }, 'withheld', 'Set in the'],
  ])('%s', (_name, input, route, text) => {
    expect(routeOf(message, input)).toMatchObject({ route, reason: { text: expect.stringContaining(text) } });
  });
});

test('one row per slot, in the order given', () => {
  const slots = [task, goal, client, { recordType: 'referral', resourceType: 'ServiceRequest' }] as const;
  const rows = routeTable({ capabilities: everything, vendor: vendors.standard, overrides: {}, task: 'home', slots });
  expect(rows.map(({ resourceType, route }) => [resourceType, route])).toEqual([
    ['Task', 'native'],
    ['Goal', 'native'],
    ['Patient', 'native'],
    ['ServiceRequest', 'manual'],
  ]);
});

describe('what a hospital gets of each record', () => {
  const epic = declares({
    Appointment: ['read', 'search-type'],
    CarePlan: ['read', 'search-type'],
    Condition: ['create', 'read', 'search-type'],
    Consent: ['read', 'search-type'],
    Coverage: ['read', 'search-type'],
    DocumentReference: ['create', 'read', 'search-type', 'update'],
    EpisodeOfCare: ['read', 'search-type'],
    Goal: ['read', 'search-type'],
    Observation: full,
    Organization: ['read', 'search-type'],
    Patient: ['create', 'read', 'search-type'],
    Practitioner: ['read', 'search-type'],
    Procedure: full,
    QuestionnaireResponse: ['create', 'read', 'search-type'],
    ServiceRequest: full,
    Task: ['read', 'search-type', 'update'],
  });
  const oracle = declares({
    ...epic.interactions,
    Condition: full,
    Organization: ['create', 'read', 'search-type'],
    ServiceRequest: ['read', 'search-type'],
    EpisodeOfCare: [],
    Task: [],
  });
  const standard = declares(Object.fromEntries(Object.keys(epic.interactions).map((type) => [type, full])));

  test.each<[RouteInput['slots'][number]['recordType'], string, string, string, string]>([
    ['carePlan', 'CarePlan', 'document', 'document', 'native'],
    ['appointment', 'Appointment', 'document', 'document', 'native'],
    ['appointment', 'ServiceRequest', 'document', 'document', 'native'],
    ['assessment', 'QuestionnaireResponse', 'document', 'document', 'native'],
    ['assessment', 'Observation', 'document', 'document', 'native'],
    ['case', 'EpisodeOfCare', 'document', 'document', 'native'],
    ['coverage', 'Coverage', 'read', 'read', 'native'],
    ['goal', 'Observation', 'document', 'document', 'native'],
    ['intervention', 'Procedure', 'document', 'document', 'native'],
    ['referral', 'Procedure', 'document', 'document', 'native'],
    ['client', 'Patient', 'read', 'read', 'native'],
    ['consent', 'Consent', 'manual', 'manual', 'native'],
    ['goal', 'Goal', 'document', 'document', 'native'],
    ['need', 'Condition', 'document', 'document', 'native'],
    ['organization', 'Organization', 'read', 'read', 'native'],
    ['referral', 'ServiceRequest', 'document', 'document', 'native'],
    ['referral', 'Task', 'answer', 'off', 'native'],
    ['service', 'HealthcareService', 'document', 'document', 'document'],
    ['worker', 'Practitioner', 'read', 'read', 'native'],
  ])('%s as %s: %s at Epic, %s at Oracle, %s elsewhere', (recordType, resourceType, ...expected) => {
    const slot = { recordType, resourceType };
    const found = [
      routeOf(slot, { vendor: vendors.epic, capabilities: epic, task: 'answer' }),
      routeOf(slot, { vendor: vendors.oracle, capabilities: oracle, task: 'off' }),
      routeOf(slot, { vendor: vendors.standard, capabilities: standard }),
    ];
    expect(found.map((row) => row?.route)).toEqual(expected);
  });

  test.each(['epic', 'oracle'] as const)('%s gets problems only where the configuration says so', (name) => {
    const need = { recordType: 'need', resourceType: 'Condition' } as const;
    const input = { vendor: vendors[name], capabilities: oracle, overrides: { need: 'native' } } as const;
    expect(routeOf(need, input)).toMatchObject({ route: 'native', reason: { code: 'route-configured' } });
  });

  test.each(['epic', 'oracle'] as const)(
    '%s gets a shared incident as a document; others have no resource to send',
    (name) => {
      const incident = { recordType: 'incident', resourceType: 'DocumentReference' } as const;
      expect(routeOf(incident, { vendor: vendors[name], capabilities: oracle })).toMatchObject({ route: 'document' });
    },
  );

  test.each(['epic', 'oracle', 'standard'] as const)(
    '%s is never sent what a mapping keeps, whatever is configured',
    (name) => {
      const idea = { recordType: 'improvementIdea', resourceType: 'none', unsent: 'it is internal' } as const;
      expect(routeOf(idea, { vendor: vendors[name], overrides: { improvementIdea: 'native' } })).toEqual({
        recordType: 'improvementIdea',
        resourceType: 'none',
        route: 'withheld',
        reason: expect.objectContaining({ code: 'route-unsent' }),
      });
    },
  );

  test.each(['epic', 'oracle', 'standard'] as const)('%s keeps its own hospital stays: they are read', (name) => {
    const stay = { recordType: 'hospitalStay', resourceType: 'Encounter' } as const;
    const capabilities = declares({ Encounter: full });
    expect(routeOf(stay, { vendor: vendors[name], capabilities })).toMatchObject({ route: 'read' });
  });

  test('a token that may not file documents leaves it to a person', () => {
    const scopes = ['system/CarePlan.r', 'system/CarePlan.s', 'system/DocumentReference.r'];
    expect(
      routeOf(
        { recordType: 'carePlan', resourceType: 'CarePlan' },
        { vendor: vendors.epic, capabilities: epic, scopes },
      ),
    ).toMatchObject({
      route: 'manual',
      reason: {
        text: `The server does not declare create, update for CarePlan.${noneGranted}`,
      },
    });
  });

  test('one that may file clinical notes only may file ours', () => {
    const category = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category|clinical-note';
    const scopes = ['system/CarePlan.r', 'system/CarePlan.s', `system/DocumentReference.c?category=${category}`];
    expect(
      routeOf(
        { recordType: 'carePlan', resourceType: 'CarePlan' },
        { vendor: vendors.epic, capabilities: epic, scopes },
      ),
    ).toMatchObject({ route: 'document', declared: ['read', 'search-type'], granted: ['read', 'search'] });
  });
});
