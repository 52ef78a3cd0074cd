import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'

/** The files that hold a container's quota of processor time: of cgroup 2, then of cgroup 1. */
const QUOTA_FILES = [
  ['/sys/fs/cgroup/cpu.max'],
  ['/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '/sys/fs/cgroup/cpu/cpu.cfs_period_us'],
] as const

/**
 * Gives how many cores this process may keep busy: those that it may run on, and no more than its container is granted. A grant of
 * 1.5 counts as one: a second worker would wait for the first half of the time.
 *
 * @example
 * availableCores() // 4
 */
export function availableCores(read: (path: string) => string = readText, cores = availableParallelism()): number {
  for (const files of QUOTA_FILES) {
    const granted = grantOf(files, read)
    if (granted !== undefined) return Math.max(1, Math.min(cores, Math.floor(granted)))
  }
  return cores
}

/** Gives how many cores' worth of time files of a cgroup grant; undefined: they set no limit, or do not exist. */
function grantOf(files: readonly string[], read: (path: string) => string): number | undefined {
  try {
    const [quota, period] = files.map(read).join(' ').trim().split(/\s+/).map(Number)
    // "max" and -1 stand for no limit.
    return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined
  } catch {
    return undefined
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}

/**
 * Gives how much memory this process may take, in bytes: the grant of its container, or the memory of the machine.
 *
 * @example
 * availableMemory() // 8589934592
 */
export function availableMemory(granted = process.constrainedMemory(), total = totalmem()): number {
  // Without a limit the system says 0, or a number larger than any memory.
  return granted > 0 && granted < total ? granted : total
}
