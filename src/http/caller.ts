// From where a request comes, for counting how often somebody asks.

import type { Request } from 'express';

/** The address, of IPv6 the half that a provider gives to one customer. Behind a proxy it is what the proxy says. */
export function callerNetwork(request: Request, behindProxy: boolean): string {
  return network(addressOf(request, behindProxy));
}

function addressOf(request: Request, behindProxy: boolean): string {
  const forwarded = request.headers['x-forwarded-for'];
  const last = behindProxy
    ? String(forwarded ?? '')
        .split(',')
        .at(-1)
        ?.trim()
    : undefined;
  return last === undefined || last === '' ? (request.socket.remoteAddress ?? '') : last;
}

function network(written: string): string {
  const address = withoutPort(written);
  if (!address.includes(':') || address.includes('.')) return address.replace(/^::ffff:/i, '');
  return groupsOf(address).slice(0, 4).join(':');
}

/** Some proxies write the port behind the address: another one for each connection. */
function withoutPort(address: string): string {
  const [, v6] = /^\[(.*)\](?::\d+)?$/.exec(address) ?? [];
  const [, v4] = /^([\d.]+):\d+$/.exec(address) ?? [];
  return v6 ?? v4 ?? address;
}

/** The groups of an IPv6 address, those too that `::` stands for. */
function groupsOf(address: string): string[] {
  const [front = [], back] = address
    .toLowerCase()
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':')));
  if (back === undefined) return front;
  return [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back];
}
