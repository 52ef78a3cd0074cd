import { totalmem } from 'node:os'

/**
 * How much memory this process may take, in bytes: what its container is granted, or what the machine has.
 *
 * @example
 * availableMemory() // 8589934592
 */
export function availableMemory(granted = process.constrainedMemory(), total = totalmem()): number {
  // Without a limit the system says 0, or a number beyond any memory.
  return granted > 0 && granted < total ? granted : total
}
