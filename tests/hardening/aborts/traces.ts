import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { rssMib } from '../../helpers/process-memory.ts'

/** What a process holds that does nothing just now. */
export interface Traces {
  readonly sockets: number
  /** How often it has woken up in two seconds: a timer that was left shows here. */
  readonly wakeups: number
}

const IDLE_MS = 2000
const READ_MS = 100

/** Reads them; Linux tells. */
export async function readTraces(pid: number): Promise<Traces> {
  const before = wakeupsOf(pid)
  await Bun.sleep(IDLE_MS)
  const wakeups = wakeupsOf(pid) - before
  return { sockets: socketsOf(pid), wakeups }
}

/** Reads a process's memory until it is stopped, and gives the mean, in MiB: at rest it is what the last collection has left, which varies. */
export function watchRss(pid: number): { readonly stop: () => number } {
  const readings: number[] = []
  const timer = setInterval(() => readings.push(rssMib(pid)), READ_MS)
  return {
    stop() {
      clearInterval(timer)
      return readings.reduce((sum, reading) => sum + reading, 0) / readings.length
    },
  }
}

/** How many sockets a process has open. */
export function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:')
    } catch {
      // Closed since.
      return false
    }
  }).length
}

function wakeupsOf(pid: number): number {
  const count = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(count ?? Number.NaN)
}
