// A server and our connection to it. The `standard` one takes everything and has the habits of the swarm; a hospital knows its patients already and
// takes documents.

import type { ConnectionConfig, VendorName } from '../../src/config.ts';
import { sendMsFor } from '../../src/lanes/send/send.ts';
import { seed } from '../../src/sandbox/control/seed.ts';
import { SandboxRequest } from '../../src/sandbox/exchange.ts';
import { hospitalSeed } from '../../src/sandbox/hospital-seed.ts';
import type { SimulatedServer } from '../../src/sandbox/serve.ts';
import { oracleTenant } from '../../src/sandbox/vendors/oracle/tenant.ts';
import { aConnection } from '../support/rig.ts';
import { personOf } from './source.ts';
import type { Stage } from './stage.ts';
import type { Swarm } from './swarm.ts';

export interface Site {
  /** Of the connection. */
  readonly id: string;
  readonly vendor: VendorName;
  readonly config: ConnectionConfig;
  readonly server: SimulatedServer;
  readonly fhirPath: string;
  /** Whether an update over something newer is refused. */
  readonly hasVersions: boolean;
  /**
   * How old the look may be that a write rests on which no version tag protects (lanes.md 28): between the two lie other looks and writes of the run, none
   * of which takes as long as a lease; or a freeze that ends before the lease does, and the time in which a write may leave after that.
   */
  readonly windowMs: number;
}

const host = 'http://hospital.example.org';
const fhirPaths: Readonly<Record<VendorName, string>> = {
  standard: '/standard/fhir/R4',
  epic: '/epic/api/FHIR/R4',
  oracle: `/oracle/r4/${oracleTenant}`,
};
const mrnSystem = 'urn:oid:1.2.3';

/** Makes the server ready for a history. */
export function openSite({ servers }: Stage, vendor: VendorName, swarm: Swarm, pollEveryMs: number): Site {
  const server = servers[vendor];
  server.reset();
  const { settleMs, basis, versions, transactions, conditionalCreate, searchLagMs } = swarm;
  const fhirPath = fhirPaths[vendor];
  const windowMs = Math.max(60_000, swarm.leaseMs + sendMsFor(swarm.leaseMs) + 5_000);
  const common = { pollEveryMs, settleMs, basis, organization: { source: 'county', id: 'org-pantry' } };
  if (vendor === 'standard') {
    server.configure({
      versions,
      transactions,
      conditionalCreate: conditionalCreate !== 'none',
      conditionalCreateGapMs: conditionalCreate === 'gap' ? 3_000 : 0,
      searchLagMs,
      hiddenSearchParameters: swarm.provenance ? [] : ['Provenance._tag'],
    });
    const config = aConnection(`${host}${fhirPath}`, common);
    return { id: config.id, vendor, config, server, fhirPath, hasVersions: versions, windowMs };
  }
  server.configure({ auth: 'none', searchLagMs });
  const people = Array.from({ length: swarm.cases }, (_, at) => personOf(at));
  const known = hospitalSeed({ mrnSystem, people, since: '2026-02-01T08:00:00Z', padded: vendor === 'epic' });
  seed(server, new SandboxRequest('POST', new URL(host), {}, JSON.stringify(known)));
  const config = aConnection(`${host}${fhirPath}`, {
    ...common,
    id: vendor,
    vendor,
    createPatients: false,
    task: 'answer',
    documents: { quietMs: 5_000, atMostEveryMs: 15_000, encounter: 'latest-open' },
  });
  return { id: vendor, vendor, config, server, fhirPath, hasVersions: vendor === 'oracle', windowMs };
}
