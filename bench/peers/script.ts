// A script as a user would write it: reads JSON, maps by hand, posts with axios. It keeps nothing.

import { Agent } from 'node:http';
import axios from 'axios';
import { given, names, steps } from './by-hand.js';
import { readWork, workOff } from './work.ts';

const work = await readWork();
const httpAgent = new Agent({ keepAlive: true, maxSockets: work.concurrency });
const headers = { 'content-type': 'application/fhir+json' };
const client = axios.create({ baseURL: work.fhirUrl, httpAgent, headers });

await workOff(work, async (records) => {
  const made: Record<string, string> = { ...work.directory };
  for (const [index, step] of steps.entries()) {
    const resource = step(given(records, made));
    const { data } = await client.post(`/${resource.resourceType}`, resource);
    made[names[index] ?? ''] = `${data.resourceType}/${data.id}`;
  }
});
httpAgent.destroy();
