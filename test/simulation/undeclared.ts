// What a server does not take is not sent: its CapabilityStatement is the measure, of each vendor and with each switch.

import { SandboxRequest } from '../../src/sandbox/exchange.ts';
import { declaredIn, isDeclared } from '../support/declared.ts';
import type { Evidence } from './evidence.ts';

/** (k) Every request of ours, and every entry of a transaction, is an interaction that the server declares, and names no condition that it does not know. */
export async function undeclared({ site }: Evidence): Promise<string[]> {
  const { server, fhirPath, config } = site;
  const url = new URL(`${config.baseUrl}/metadata`);
  const { reply } = await server.answer(new SandboxRequest('GET', url, { accept: 'application/fhir+json' }, ''));
  const declared = declaredIn(JSON.parse(String(reply.body)));
  return server.journal
    .list(0, Number.POSITIVE_INFINITY)
    .filter(({ requestHeaders }) => requestHeaders.from !== 'partner')
    .flatMap(({ method, url: asked, requestHeaders, requestBody: body }) => {
      const path = asked.slice(fhirPath.length + 1).replace(/\?.*$/, '');
      const isConditional = requestHeaders['if-none-exist'] !== undefined;
      // Servers take that too; nothing of ours asks for it.
      const isTaken = method !== 'DELETE' && isDeclared({ method, path, body, isConditional }, declared);
      return isTaken ? [] : [`(k) ${site.id} was sent ${method} ${path}, which it does not take`];
    });
}
