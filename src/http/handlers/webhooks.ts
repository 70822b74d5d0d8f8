// Webhooks of sources: how each does, and what its source or an operator may ask of it.

import type { Json } from '../../json.ts';
import { type FieldRules, readFields, textOf } from '../answer-fields.ts';
import { readJson } from '../body.ts';
import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { changeCursor } from '../queries/changes.ts';
import { listWebhooks, webhookView } from '../queries/webhooks.ts';
import type { Call, Route } from '../route.ts';

const runners = { source: true, operator: 'run' } as const;

const replaying = {
  after: { fits: (value) => typeof value === 'string', form: 'the cursor of a change' },
} satisfies FieldRules;

export const webhookRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/webhooks',
    summary: 'Webhooks: whether changes are posted, what is undelivered and since when, the last failure.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source'],
    handle: (call) =>
      listWebhooks(call.gateway, { source: visibleSource(call), limit: limitOf(call.query), after: call.query.after }),
  },
  {
    method: 'POST',
    path: '/api/webhooks/{source}/test',
    summary: 'Post one ping. Answers {delivered, status, reason}.',
    access: runners,
    act: { action: 'test', on: 'webhook' },
    handle: test,
  },
  {
    method: 'POST',
    path: '/api/webhooks/{source}/enable',
    summary: 'Post again after it was disabled, and try at once whatever waits.',
    access: runners,
    act: { action: 'enable', on: 'webhook' },
    handle: async (call) => {
      const source = addressed(call);
      await call.gateway.enableWebhook(source);
      return webhookView(call.gateway, source);
    },
  },
  {
    method: 'POST',
    path: '/api/webhooks/{source}/replay',
    summary: 'Post what comes after {after} once more, a cursor of the feed; everything without it. Answers {changes}.',
    access: runners,
    act: { action: 'replay', on: 'webhook' },
    takes: ['application/json'],
    fields: replaying,
    status: 202,
    handle: async (call) => {
      const source = addressed(call);
      return { changes: await call.gateway.replayWebhook(source, readAfter(await readJson(call))) };
    },
  },
];

/** @throws CasebridgeError `source-unknown`, for another source's too */
function addressed(call: Call): string {
  const source = call.path.source ?? '';
  visibleSource({ ...call, query: { source } });
  return source;
}

async function test(call: Call): Promise<object> {
  const { isTaken, status = null, reason = null } = await call.gateway.testWebhook(addressed(call));
  return { delivered: isTaken, status, reason };
}

function readAfter(body: Json): number {
  return changeCursor(textOf(readFields(body, replaying).after));
}
