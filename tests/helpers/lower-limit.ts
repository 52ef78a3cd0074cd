/** A limit that was lowered. */
export interface LoweredLimit {
  readonly giveBack: () => void
}

/** As many as any process has open by the time that it serves. */
const FEW_FILES = 8

/**
 * Has a running process open no file and no connection more.
 *
 * @example
 * const usedUp = useUpFiles(gateway.child?.pid)
 */
export function useUpFiles(pid: number | undefined): LoweredLimit {
  return lower(pid, 'nofile', FEW_FILES)
}

/**
 * Has a running process write nothing to any file, as on a full disk: only pipes and sockets.
 *
 * @example
 * const full = fillDisk(gateway.child?.pid)
 */
export function fillDisk(pid: number | undefined): LoweredLimit {
  return lower(pid, 'fsize', 0)
}

function lower(pid: number | undefined, limit: 'nofile' | 'fsize', value: number): LoweredLimit {
  const [soft = '', hard = ''] = prlimit(pid, `--${limit}`, '--output=SOFT,HARD', '--noheadings').trim().split(/\s+/)
  prlimit(pid, `--${limit}=${value}:${hard}`)
  return { giveBack: () => void prlimit(pid, `--${limit}=${soft}:${hard}`) }
}

function prlimit(pid: number | undefined, ...args: readonly string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(['prlimit', '--pid', String(pid), ...args])
  if (!success) throw new Error(`prlimit: ${stderr.toString()}`)
  return stdout.toString()
}
