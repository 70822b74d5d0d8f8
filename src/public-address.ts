// Which addresses a request may go to when somebody else has chosen its host: public ones, and private ones only on purpose.

import { BlockList, isIP } from 'node:net';

/** What no request is ever for: this network, link-local (with the metadata services of clouds), multicast, reserved. */
const never = listOf([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]);

/** This machine and private networks. */
const internal = listOf([
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
]);

/** Global unicast; IPv4 written as IPv6; within the first, what leads elsewhere: Teredo and other assignments, documentation, 6to4. */
const global6 = listOf([['2000::', 3]]);
const mapped6 = listOf([['::ffff:0:0', 96]]);
const detours6 = listOf([
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

/**
 * Whether a request may go to this host, as an address; undefined for a name, which is to be resolved first.
 * @param host as URL gives it: IPv6 in brackets, decimal and hexadecimal forms already written with dots
 */
export function isReachable(host: string, allowPrivate: boolean): boolean | undefined {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(address);
  if (version === 0) return undefined;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  // A BlockList knows IPv4 addresses written as IPv6 (::ffff:…) by their IPv4 ranges.
  if (never.check(address, family)) return false;
  if (internal.check(address, family)) return allowPrivate;
  if (version === 4 || mapped6.check(address, family)) return true;
  return global6.check(address, family) && !detours6.check(address, family);
}

function listOf(ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of ranges) list.addSubnet(net, prefix, isIP(net) === 4 ? 'ipv4' : 'ipv6');
  return list;
}
