/** The groups of an IPv6 address that name the network: one customer usually has all addresses behind them (RFC 6177). */
const NETWORK_GROUPS = 4
const GROUPS = 8

/**
 * Names the network of a connection's address: an IPv4 address, or the /64 of an IPv6 address. The name begins with a space, so that it
 * is never the name of a token. A client that has left already has no address, and gets a single space.
 *
 * @example
 * networkOf('2001:db8::1') // ' 2001:db8:0:0'
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return ' '
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return ` ${mapped}`
  if (!address.includes(':')) return ` ${address}`
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const behind = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, GROUPS - before.length - behind.length) }, () => '0')
  return ` ${[...before, ...zeros, ...behind].slice(0, NETWORK_GROUPS).join(':')}`
}
