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

function network(address: string): string {
  return address.includes(':') && !address.includes('.') ? address.split(':').slice(0, 4).join(':') : address;
}
