/** Has a process open no file and no connection more, until it is given back what it had. */
export interface UsedUp {
  readonly giveBack: () => void
}

/** As many as any process has open by the time that it serves. */
const FEW = 8

/**
 * Lowers the limit on open files of a running process below what it has open.
 *
 * @example
 * const usedUp = useUpFiles(gateway.child?.pid)
 */
export function useUpFiles(pid: number | undefined): UsedUp {
  const [soft = '', hard = ''] = prlimit(pid, '--nofile', '--output=SOFT,HARD', '--noheadings').trim().split(/\s+/)
  prlimit(pid, `--nofile=${FEW}:${hard}`)
  return { giveBack: () => void prlimit(pid, `--nofile=${soft}:${hard}`) }
}

function prlimit(pid: number | undefined, ...args: readonly string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(['prlimit', '--pid', String(pid), ...args])
  if (!success) throw new Error(`prlimit: ${stderr.toString()}`)
  return stdout.toString()
}
