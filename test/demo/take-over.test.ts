import { describe, expect, test } from '@jest/globals';
import { takeOver } from '../../src/demo/take-over.ts';

describe('a source takes over a change', () => {
  test('fields are replaced, added, and taken out by null; the rest stays', () => {
    expect(
      takeOver({ id: 'r', status: 'sent', reason: 'x' }, { status: 'accepted', decidedAt: 'now', reason: null }),
    ).toEqual({
      id: 'r',
      status: 'accepted',
      decidedAt: 'now',
    });
  });

  test('two changes that were made from the same version both keep their list items', () => {
    const record = { history: [{ id: 'h1', status: 'sent' }] };
    const first = {
      history: [
        { id: 'h1', status: 'sent' },
        { id: 'h2', status: 'accepted' },
      ],
    };
    const second = {
      history: [
        { id: 'h1', status: 'sent' },
        { id: 'h3', status: 'completed' },
      ],
    };
    expect(takeOver(takeOver(record, first), second)).toEqual({
      history: [
        { id: 'h1', status: 'sent' },
        { id: 'h2', status: 'accepted' },
        { id: 'h3', status: 'completed' },
      ],
    });
  });

  test('an item that both have is taken as the change has it, in its place', () => {
    const record = {
      comments: [
        { id: 'a', text: 'old' },
        { id: 'b', text: 'own' },
      ],
    };
    expect(takeOver(record, { comments: [{ id: 'a', text: 'new' }] })).toEqual({
      comments: [
        { id: 'a', text: 'new' },
        { id: 'b', text: 'own' },
      ],
    });
  });

  test('objects are merged; lists without ids are replaced; the record itself is not touched', () => {
    const record = { outcome: { code: 'other', text: 'x' }, needIds: ['n1'] };
    expect(takeOver(record, { outcome: { code: 'service-received' }, needIds: ['n2'] })).toEqual({
      outcome: { code: 'service-received', text: 'x' },
      needIds: ['n2'],
    });
    expect(record).toEqual({ outcome: { code: 'other', text: 'x' }, needIds: ['n1'] });
  });
});
