// What else the hospital holds of a linked patient: offered where a record can say it, kept with the reason where none can.

import { describe, expect, test } from '@jest/globals';
import { aCase } from '../../builders.ts';
import { hospitalHas, ops } from '../../support/begun.ts';
import { directoryAndClient } from '../../support/caseload.ts';
import { charting, chartOf, stay } from '../../support/chart.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld(charting);
const { keptFor, rosaIsLinked, shows } = chartOf(world);

describe('beside stays', () => {
  const concept = (system: string, code: string) => ({ coding: [{ system, code }] });
  const sdoh = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';
  const subject = { reference: 'Patient/rosa' };

  test('needs, goals and plans are offered as far as a record can say them, and nothing there is written', async () => {
    await rosaIsLinked();
    const before = (await world.server.journal()).length;
    await shows(
      {
        resourceType: 'Condition',
        id: 'c1',
        category: [concept(sdoh, 'transportation-insecurity')],
        code: { text: 'No way to the clinic' },
        subject,
      },
      {
        resourceType: 'Condition',
        id: 'c2',
        category: [concept('http://terminology.hl7.org/CodeSystem/condition-category', 'problem-list-item')],
        code: { text: 'Asthma' },
        subject,
      },
      {
        resourceType: 'Goal',
        id: 'g1',
        lifecycleStatus: 'active',
        category: [concept(sdoh, 'transportation-insecurity')],
        description: { text: 'Gets to every visit' },
        startDate: '2026-02-01',
        subject,
      },
      { resourceType: 'CarePlan', id: 'p1', status: 'active', intent: 'plan', title: 'Discharge plan', subject },
      {
        resourceType: 'CarePlan',
        id: 'p2',
        status: 'active',
        intent: 'plan',
        text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Words alone</div>' },
        subject,
      },
      {
        resourceType: 'DocumentReference',
        id: 'd1',
        status: 'current',
        type: { text: 'Summary' },
        subject,
        content: [{ attachment: { contentType: 'text/plain', data: 'eA==' } }],
      },
    );
    expect((await ops(world)).sort()).toEqual(['propose carePlan', 'propose goal', 'propose need']);
    expect((await keptFor()).sort()).toEqual([
      'CarePlan kept inbound-unreadable',
      'CarePlan proposed',
      'Condition kept inbound-unreadable',
      'Condition proposed',
      'DocumentReference kept inbound-document-type',
      'Goal proposed',
    ]);
    expect(await world.server.writes(before)).toEqual([]);
  });

  test('of a patient whom no client is, nothing is kept: it is nobody of ours', async () => {
    await rosaIsLinked();
    await hospitalHas(world, { ...rosaOnFile, id: 'stranger' });
    await shows(stay({ subject: { reference: 'Patient/stranger' } }));
    expect(await keptFor()).toEqual([]);
  });

  test('of a client without an open case it is kept, and not offered', async () => {
    await hospitalHas(world, rosaOnFile);
    await world.send(...directoryAndClient());
    await shows(stay());
    expect(await keptFor()).toEqual(['Encounter kept inbound-no-case']);
    expect(await ops(world)).toEqual([]);
    // It is offered as soon as there is one.
    await world.send(['case', aCase()]);
    expect(await ops(world)).toEqual(['propose hospitalStay']);
  });

  test('offered and taken back because the case was closed, it is offered again when that is reopened', async () => {
    await rosaIsLinked();
    await shows(stay());
    const closed = { status: 'closed', closedOn: '2026-03-04', closeReason: 'goals-met' } as const;
    await world.accept(['case', aCase({ ...closed, updatedAt: '2026-03-05T10:00:00-05:00' })]);
    await world.workAgain();
    expect(await keptFor()).toEqual(['Encounter withdrawn inbound-no-case']);
    await world.send(['case', aCase({ updatedAt: '2026-03-06T10:00:00-05:00' })]);
    expect(await ops(world)).toEqual(['propose hospitalStay', 'withdraw hospitalStay', 'propose hospitalStay']);
  });
});
