import { readFileSync } from 'node:fs'

const PROC_STATUS = (pid: number): string => `/proc/${pid}/status`

/** Whether a process's memory can be read here: Linux only. */
export const CAN_READ_MEMORY = process.platform === 'linux'

/** The resident memory of a process, in MiB. */
export function rssMib(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(PROC_STATUS(pid), 'utf8'))
  return Number(line?.[1] ?? Number.NaN) / 1024
}
