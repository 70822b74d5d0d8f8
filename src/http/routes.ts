// The route table: everything that Casebridge answers over HTTP.

import { alertRoutes } from './handlers/alerts.ts';
import { caseRoutes } from './handlers/cases.ts';
import { changeRoutes } from './handlers/changes.ts';
import { clockRoutes } from './handlers/clocks.ts';
import { connectionRoutes } from './handlers/connections.ts';
import { consoleRoutes } from './handlers/console.ts';
import { decisionRoutes } from './handlers/decisions.ts';
import { healthRoutes } from './handlers/health.ts';
import { hookRoutes } from './handlers/hooks.ts';
import { inboundRoutes } from './handlers/inbound.ts';
import { laneRoutes } from './handlers/lanes.ts';
import { partnerLinkRoutes } from './handlers/partner-links.ts';
import { patientRoutes } from './handlers/patients.ts';
import { previewRoutes } from './handlers/preview.ts';
import { recordRoutes } from './handlers/records.ts';
import { replayRoutes } from './handlers/replays.ts';
import { rosterRoutes } from './handlers/roster.ts';
import { staleRoutes } from './handlers/stale.ts';
import { unknownOutcomeRoutes } from './handlers/unknown-outcomes.ts';
import { unmappedRoutes } from './handlers/unmapped.ts';
import { webhookRoutes } from './handlers/webhooks.ts';
import { openApi } from './openapi.ts';
import { tokenRoutes } from './partner-interface.ts';
import type { Route } from './route.ts';

const described: readonly Route[] = [
  ...recordRoutes,
  ...caseRoutes,
  ...previewRoutes,
  ...changeRoutes,
  ...webhookRoutes,
  ...staleRoutes,
  ...unmappedRoutes,
  ...laneRoutes,
  ...unknownOutcomeRoutes,
  ...replayRoutes,
  ...alertRoutes,
  ...clockRoutes,
  ...inboundRoutes,
  ...decisionRoutes,
  ...connectionRoutes,
  ...partnerLinkRoutes,
  ...patientRoutes,
  ...rosterRoutes,
  ...hookRoutes,
  ...healthRoutes,
  ...tokenRoutes,
  ...consoleRoutes,
];

const openApiRoute: Route = {
  method: 'GET',
  path: '/openapi.json',
  summary: 'This description (OpenAPI 3.1).',
  access: 'anyone',
  handle: async ({ gateway }) => openApi(routes, await gateway.schemas()),
};

export const routes: readonly Route[] = [...described, openApiRoute];
