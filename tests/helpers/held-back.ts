import { expect } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'

const MIB = 1024 * 1024
/** What may be under way inside the gateway: chunks that were read and not yet taken, and a runtime's own buffers. */
const HELD_BYTES_MAX = 4 * MIB
/** Where the kernel can't be asked: what it holds of two connections, and the gateway between them. */
const ACCEPTED_BYTES_MAX = 24 * MIB
/** Where Linux shows how much waits in the buffers of each socket. */
const KERNEL_TABLES = ['/proc/net/tcp', '/proc/net/tcp6'].filter((path) => existsSync(path))

/**
 * Fails where a gateway has taken in much more of a flood than it could pass on.
 *
 * How much a kernel buffers is its own affair (a receive buffer grows to 6 MiB on one machine and to 32 MiB on
 * another), so on Linux what waits there is taken off what the flood's sender got rid of: the rest is the gateway's.
 *
 * @param accepted - bytes that the sender's socket has taken
 * @param ports - where the gateway and its upstream listen: all connections there count
 *
 * @example
 * expectHeldBack(await settled(poured.accepted, 200), [rig.gateway.port, rig.upstream.port])
 */
export function expectHeldBack(accepted: number, ports: readonly number[]): void {
  expect(accepted).toBeGreaterThan(0)
  const inKernel = bytesInKernel(ports)
  // A kernel that shows nothing of a flood whose reader is paused does not count.
  if (inKernel === 0) expect(accepted).toBeLessThan(ACCEPTED_BYTES_MAX)
  else expect(accepted - inKernel).toBeLessThan(HELD_BYTES_MAX)
}

/** The bytes that wait to be acknowledged or read, of all connections with one of these local or remote ports. */
function bytesInKernel(ports: readonly number[]): number {
  const portOf = (address = ''): number => Number.parseInt(address.split(':')[1] ?? '', 16)
  let bytes = 0
  for (const table of KERNEL_TABLES) {
    for (const line of readFileSync(table, 'latin1').trim().split('\n').slice(1)) {
      const [, local, remote, , queues = ''] = line.trim().split(/\s+/)
      if (!ports.includes(portOf(local)) && !ports.includes(portOf(remote))) continue
      for (const queue of queues.split(':')) bytes += Number.parseInt(queue, 16)
    }
  }
  return bytes
}
