import { readFileSync } from 'node:fs'

/** The processes that a process has started and that have not ended, in the order of their start. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

/** Whether a process runs: one that has ended may still have an entry, until somebody takes note of it. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Resolves when none of some processes runs any more; for those that are nobody's children here. */
export async function endOf(pids: readonly number[]): Promise<void> {
  while (pids.some(isRunning)) await Bun.sleep(10)
}
