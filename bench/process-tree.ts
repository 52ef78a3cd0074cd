import { readdirSync, readFileSync } from 'node:fs'

// What Linux has reported in on every platform since 2.6, whatever the kernel's own tick.
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

const SETTLED_MS = 3000
const SETTLE_MAX_MS = 15_000
const POLL_MS = 250
const SAME_BYTES = 500_000

interface ProcessStat {
  readonly parent: number
  readonly cpuTicks: number
  readonly residentPages: number
}

function readStat(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    // It ended between the listing and the look.
    return undefined
  }
  // The name in brackets may hold blanks and brackets of its own: count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return {
    parent: field(4),
    // Own user and system time, and those of children that have ended.
    cpuTicks: field(14) + field(15) + field(16) + field(17),
    residentPages: field(24),
  }
}

function readTree(root: number): Map<number, ProcessStat> {
  const all = new Map<number, ProcessStat>()
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? readStat(Number(entry)) : undefined
    if (stat !== undefined) all.set(Number(entry), stat)
  }
  const tree = new Map<number, ProcessStat>()
  const add = (pid: number) => {
    const stat = all.get(pid)
    if (stat === undefined || tree.has(pid)) return
    tree.set(pid, stat)
    for (const [other, { parent }] of all) if (parent === pid) add(other)
  }
  add(root)
  return tree
}

/** The ids of a process and of all that descend from it. */
export function listTree(root: number): number[] {
  return [...readTree(root).keys()]
}

/** The processor time that a process and its descendants have used so far. */
export function readCpuSeconds(root: number): number {
  let ticks = 0
  for (const stat of readTree(root).values()) ticks += stat.cpuTicks
  return ticks / TICKS_PER_SECOND
}

/** The memory that a process and its descendants hold; pages that several of them share are counted for each. */
export function readResidentBytes(root: number): number {
  let pages = 0
  for (const stat of readTree(root).values()) pages += stat.residentPages
  return pages * PAGE_BYTES
}

/** The same once it has not changed for three seconds, or after fifteen: a runtime collects a while after a load. */
export async function readSettledBytes(root: number): Promise<number> {
  const end = performance.now() + SETTLE_MAX_MS
  let since = performance.now()
  let bytes = readResidentBytes(root)
  while (performance.now() < Math.min(end, since + SETTLED_MS)) {
    await Bun.sleep(POLL_MS)
    const now = readResidentBytes(root)
    if (Math.abs(now - bytes) <= SAME_BYTES) continue
    bytes = now
    since = performance.now()
  }
  return readResidentBytes(root)
}
