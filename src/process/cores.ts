import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Where the system says how much of the processors a container may use: cgroup 2, then 1. */
const QUOTA_FILES = [
  ['/sys/fs/cgroup/cpu.max'],
  ['/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '/sys/fs/cgroup/cpu/cpu.cfs_period_us'],
] as const

/**
 * How many cores this process may keep busy: those that it may run on, and no more than its container is granted. A
 * container that is granted 1.5 has one: a second worker would wait for the first half of the time.
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

/** How many cores' worth of time files of a cgroup grant; undefined: they set no limit, or are not there. */
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
