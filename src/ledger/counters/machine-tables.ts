import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LimiterError } from '../limiter.ts'
import { CounterTable } from './counter-table.ts'
import { makeOwnFolder } from './counters-folder.ts'
import { openTableMemory, partOfMemory, type TableMemory } from './mapped-memory.ts'
import { ProcessLock } from './process-lock.ts'
import { lockFile, ONLY_SEAT, type ProcessSeat, takeSeat } from './process-seat.ts'
import { ReservationSlots } from './reservation-slots.ts'

/** How many counters and reservations there may be. */
export interface TableSizes {
  /** A power of two. */
  readonly counters: number
  readonly reservations: number
}

/** The tables that limits are decided by. */
export interface MachineTables {
  readonly counters: CounterTable
  readonly reservations: ReservationSlots
  readonly seat: ProcessSeat
}

/** The file's head: what it is, and since which start of the machine its numbers hold. */
const HEAD_BYTES = 4096
const LAYOUT = 0
const BOOT = 1
/** A 32-bit word. */
const LOCK = 8
/** Goes up whenever the layout of any table changes: a file of another one is begun anew. */
const LAYOUT_VERSION = 1n

const START_TRIES = 500
const START_WAIT_MS = 20
const BOOT_ID = '/proc/sys/kernel/random/boot_id'

/** Tables of this process alone. */
export function openOwnTables(sizes: TableSizes): MachineTables {
  return tablesIn(openTableMemory(undefined, bytesOf(sizes)), sizes, ONLY_SEAT)
}

/**
 * Opens the tables that the processes of a machine share, in a folder of theirs. After the machine was started anew, what the file says may
 * be old, for nobody has waited for the disk: then `salvage` is given the records in it, and it is begun anew.
 *
 * Rejects with a `LimiterError` where the folder can't be written to, and with what `salvage` rejects with.
 */
export async function openMachineTables(
  folder: string,
  sizes: TableSizes,
  salvage: (old: ReservationSlots) => Promise<void>,
): Promise<MachineTables> {
  const start = await lockStart(folder)
  try {
    const seat = takeSeat(folder)
    const path = join(folder, 'counters')
    const boot = BigInt.asIntN(64, Bun.hash.xxHash64(bootId()))
    const layout = (LAYOUT_VERSION << 56n) | BigInt(sizes.counters * 2 ** 24 + sizes.reservations)
    const found = openTableMemory(path, bytesOf(sizes))
    if (found.words[LAYOUT] === layout && found.words[BOOT] === boot) return tablesIn(found, sizes, seat)
    if (found.words[LAYOUT] === layout) await salvage(tablesIn(found, sizes, seat).reservations)
    // A process that has the old file keeps it: its memory must not change under its feet.
    rmSync(path)
    const memory = openTableMemory(path, bytesOf(sizes))
    memory.words[BOOT] = boot
    memory.words[LAYOUT] = layout
    return tablesIn(memory, sizes, seat)
  } finally {
    start.close()
  }
}

function bytesOf({ counters, reservations }: TableSizes): number {
  return HEAD_BYTES + CounterTable.bytesOf(counters) + ReservationSlots.bytesOf(reservations)
}

function tablesIn(memory: TableMemory, sizes: TableSizes, seat: ProcessSeat): MachineTables {
  const counterBytes = CounterTable.bytesOf(sizes.counters)
  const lock = new ProcessLock(memory, LOCK, seat)
  const counters = new CounterTable(partOfMemory(memory, HEAD_BYTES, counterBytes), sizes.counters, lock)
  const rest = partOfMemory(memory, HEAD_BYTES + counterBytes, ReservationSlots.bytesOf(sizes.reservations))
  return { counters, seat, reservations: new ReservationSlots(rest, sizes.reservations, seat) }
}

/** Only one process opens the tables at a time. */
async function lockStart(folder: string): Promise<{ readonly close: () => void }> {
  makeOwnFolder(folder)
  try {
    for (let tries = 0; tries < START_TRIES; tries += 1) {
      const lock = lockFile(join(folder, 'start'))
      if (lock !== undefined) return lock
      await Bun.sleep(START_WAIT_MS)
    }
  } catch (cause) {
    throw new LimiterError(`The counters of limits can't be kept in ${folder}: it can't be written to.`, { cause })
  }
  throw new LimiterError(`The counters of limits in ${folder} are being opened by another process, and that goes on.`)
}

/** What changes with each start of the machine. Where it is not known, the counters are compared with the books all the same. */
function bootId(): string {
  if (existsSync(BOOT_ID)) return readFileSync(BOOT_ID, 'utf8')
  if (process.platform !== 'darwin') return ''
  return Bun.spawnSync(['sysctl', '-n', 'kern.bootsessionuuid']).stdout.toString()
}
