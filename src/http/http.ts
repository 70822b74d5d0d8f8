// Front door of http/: the Express app made from the route table, and the server that it runs in (design section 8).

import { randomUUID } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import { rateLimit, sharedRate } from '../access/access.ts';
import { CasebridgeError } from '../errors.ts';
import { checkBodyHeaders, refuseBody } from './body.ts';
import type { GatewayApi } from './gateway-api.ts';
import { monitorRoutes } from './handlers/health.ts';
import { keepAct } from './looks.ts';
import { checkPath, readQuery } from './parameters.ts';
import { fhirHandler, fhirPath } from './partner-interface.ts';
import { partnerPage } from './partner-page.ts';
import { callerReader, checkAccess, type Principal } from './principal.ts';
import { hasBody, logFault, outcomeOf, problemOf, sendProblem } from './problem.ts';
import { apiVersion, type Call, defaultLimits, type HttpLimits, type PageRules, type Route } from './route.ts';
import { routes } from './routes.ts';

export type * from './gateway-api.ts';
export { readReplayScope } from './handlers/replays.ts';
export { checkLine, emptyCounts, type IntakeCounts, takeIn } from './intake.ts';
export { FieldsRefused } from './problem.ts';
export type { AlertView } from './queries/alerts.ts';
export type { AttentionView } from './queries/attention.ts';
export type { CaseView } from './queries/cases.ts';
export { shownChange } from './queries/changes.ts';
export type { ClockView } from './queries/clocks.ts';
export type { ConnectionView } from './queries/connections.ts';
export type { DecisionView } from './queries/decisions.ts';
export type { LaneReasonView } from './queries/lane-reasons.ts';
export type { LaneView } from './queries/lanes.ts';
export { listReplayLanes, type ReplayView, replayView } from './queries/replays.ts';
export type { TimelineEntry } from './queries/timeline-words.ts';
export type { HttpLimits } from './route.ts';
export { type Listening, listen } from './server.ts';

/** The HTTP interface of a gateway. It reads rows from the gateway's store and asks the gateway for everything else. */
export function buildApp(gateway: GatewayApi, limits: Partial<HttpLimits> = {}): Express {
  const bounds = { ...defaultLimits, ...limits };
  const app = openApp(gateway, bounds);
  app.use('/p', partnerPage(gateway, bounds));
  answerRoutes(app, routes, gateway, bounds);
  app.use(fhirPath, fhirHandler(gateway, bounds));
  return refuseTheRest(app, gateway);
}

/** Health and metrics of a process that takes no other requests. Whoever reaches its port is answered. */
export function buildMonitorApp(gateway: GatewayApi): Express {
  const app = openApp(gateway, defaultLimits);
  answerRoutes(app, monitorRoutes, gateway, defaultLimits);
  return refuseTheRest(app, gateway);
}

/** With an id, a line in the log and safe headers for each request. */
function openApp(gateway: GatewayApi, limits: HttpLimits): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use(helmet());
  app.use((request, response, next) => begin(gateway, limits, request, response, next));
  return app;
}

function answerRoutes(app: Express, table: readonly Route[], gateway: GatewayApi, limits: HttpLimits): void {
  const readPrincipal = callerReader(gateway, limits);
  const signIns = sharedRate(gateway.store, 'sign-in', limits.signInsPerMinute);
  const keptRefusals = rateLimit(refusalsPerMinute, () => performance.now());
  for (const [path, methods] of Map.groupBy(table, (route) => route.path)) {
    const address = path.replaceAll(/\{(\w+)\}/g, ':$1');
    for (const route of methods) {
      const handler = (request: Request, response: Response) =>
        answer({ gateway, limits, signIns, keptRefusals }, readPrincipal, route, request, response).catch(
          (error: unknown) => refuse(gateway, error, response, route.page),
        );
      app[expressMethod[route.method]](address, handler);
    }
    app.all(address, (_request, response) => {
      const allowed = methods.map(({ method }) => method).join(', ');
      response.setHeader('allow', allowed);
      throw new CasebridgeError('method-not-allowed', { methods: allowed });
    });
  }
}

/** What nothing has answered, and what has failed outside a route. */
function refuseTheRest(app: Express, gateway: GatewayApi): Express {
  app.use(() => {
    throw new CasebridgeError('address-unknown');
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    if (!/^\/fhir(?=[/?]|$)/.test(request.originalUrl)) return refuse(gateway, error, response);
    const requestId = requestIdOf(response);
    logFault(gateway.logger, error, requestId);
    sendProblem(response, outcomeOf(error, requestId), 'application/fhir+json');
  });
  return app;
}

function refuse({ logger }: GatewayApi, error: unknown, response: Response, page?: PageRules): void {
  const requestId = requestIdOf(response);
  logFault(logger, error, requestId);
  const problem = problemOf(error, requestId);
  if (page === undefined) sendProblem(response, problem);
  else sendProblem(response, problem, 'text/html', page.problem(problem));
}

/** Of one operator, and of whoever is none. */
const refusalsPerMinute = 60;

const expressMethod = { GET: 'get', PUT: 'put', POST: 'post' } as const;

/** What partners call, as `response.locals.route` has it: of an address no more than that is ever told. */
const partnerRoute = /^[A-Z]+ \/(?:fhir\/R4\/|oauth\/token$|p\/)/;

/** Gives every request its id and its line in the log; nothing of an address but the route is logged. */
function begin(
  gateway: GatewayApi,
  limits: HttpLimits,
  request: Request,
  response: Response,
  next: NextFunction,
): void {
  const given = request.headers['x-request-id'];
  const requestId = typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
  response.setHeader('casebridge-api', apiVersion);
  response.setHeader('x-request-id', requestId);
  response.setHeader('cache-control', 'no-store');
  const start = performance.now();
  response.once('close', () => {
    const ms = Math.round(performance.now() - start);
    const route: unknown = response.locals.route;
    const caller: unknown = response.locals.caller;
    const isWhole = response.writableFinished || response.locals.isWhole === true;
    const status = isWhole ? response.statusCode : 'cut';
    gateway.logger.info({ requestId, method: request.method, route, caller, status, ms }, 'request');
    if (typeof route === 'string' && partnerRoute.test(route)) {
      const outcome = status === 'cut' ? status : `${Math.floor(status / 100)}xx`;
      gateway.metrics.partnerRequests.inc({ route, outcome });
    }
  });
  if (Buffer.byteLength(request.url) > limits.addressBytes) {
    throw new CasebridgeError('address-too-long', { limit: limits.addressBytes });
  }
  next();
}

async function answer(
  parts: Pick<Call, 'gateway' | 'limits' | 'signIns' | 'keptRefusals'>,
  readPrincipal: (request: Request) => Promise<Principal>,
  route: Route,
  request: Request,
  response: Response,
): Promise<void> {
  response.locals.route = `${route.method} ${route.path}`;
  if (route.page) response.setHeader('content-security-policy', route.page.policy);
  const { access } = route;
  const needsToken = access !== 'anyone' && access !== 'console';
  const principal = needsToken ? await readPrincipal(request) : undefined;
  response.locals.caller = principal?.name;
  if (needsToken && principal) checkAccess(access, principal);
  const path = textsOf(request.params);
  checkPath(path);
  const query = readQuery(route, searchOf(request.url));
  const type = answerType(route, request);
  if (route.checksBody === undefined) {
    if (route.takes) checkBodyHeaders(request, route.takes);
    else if (route.method !== 'GET') await refuseBody(request, route.query);
  }
  response.status(route.status ?? 200);
  const requestId = requestIdOf(response);
  const call = { ...parts, requestId, path, query, principal, request, response };
  const body = await route.handle(call);
  await keepAct(call, route, body);
  if (body === undefined) return;
  // A GET means nothing by its body (RFC 9110 9.3.1), which is not waited for.
  if (!request.complete && hasBody(request.headers)) response.setHeader('connection', 'close');
  response.type(type).send(JSON.stringify(body));
}

/** @throws CasebridgeError `answer-type-unknown` */
function answerType({ answers = ['application/json'], accepts = answers }: Route, request: Request): string {
  const types = accepts === 'anything' ? answers : accepts;
  const [usual = ''] = answers;
  const type = request.accepts([...types]);
  if (type !== false) return answers.includes(type) ? type : usual;
  if (accepts === 'anything') return usual;
  throw new CasebridgeError('answer-type-unknown', { types: types.join(' or ') });
}

/** Only what stands behind the question mark is read: the rest of an address may be no URL, and need not be. */
function searchOf(address: string): URLSearchParams {
  const start = address.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : address.slice(start));
}

function requestIdOf(response: Response): string {
  return String(response.getHeader('x-request-id'));
}

function textsOf(parameters: Request['params']): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
}
