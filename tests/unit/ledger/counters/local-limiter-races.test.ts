import { describe, expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalLimiter, openLocalLimiter } from '../../../../src/ledger/counters/local-limiter.ts'
import type { BudgetDemand } from '../../../../src/ledger/limiter.ts'
import type { Booking } from '../../../../src/ledger/records.ts'
import { bookedIn, fileBooks } from './file-books.ts'

const CHILD = join(import.meta.dir, 'race-child.ts')
const WINDOW = { from: 0, to: 86_400, limit: 0n }
const BUDGETS: readonly BudgetDemand[] = [{ keyId: 'key_1', ...WINDOW }, { projectId: 'proj_1', ...WINDOW }, WINDOW]

function startChild(
  folder: string,
  name: string,
  limit: number,
  calls: number,
): Bun.Subprocess<'ignore', 'pipe', 'inherit'> {
  const command = [process.execPath, CHILD, folder, name, String(limit), String(calls)]
  return Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' })
}

/** Resolves once a child says that it begins. */
async function ready(child: Bun.Subprocess<'ignore', 'pipe', 'inherit'>): Promise<void> {
  const reader = child.stdout.getReader()
  await reader.read()
  reader.releaseLock()
}

/** Opens a limiter of the folder, which adopts what was left, and gives what that has booked. */
async function openLast(folder: string): Promise<{ limiter: LocalLimiter; adopted: Booking[] }> {
  const adopted: Booking[] = []
  const limiter = await openLocalLimiter({
    folder: join(folder, 'counters'),
    ledger: fileBooks(folder, adopted),
    bookings: {
      add(one, onBooked) {
        adopted.push(one)
        onBooked()
      },
    },
    log: {
      warn: (fields: object) => {
        throw new Error(JSON.stringify(fields))
      },
    },
  })
  return { limiter, adopted }
}

describe('several processes at one limit', () => {
  test('spend it to the last call that fits, and never more: booked, counted and shown are one number', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexcode-races-'))
    const children = ['a', 'b', 'c', 'd'].map((name) => startChild(folder, name, 20_000, 5_000))
    const counts = await Promise.all(
      children.map(async (child) => {
        const [, line = ''] = (await new Response(child.stdout).text()).split('\n')
        return JSON.parse(line) as { granted: number; refused: number }
      }),
    )
    const booked = bookedIn(folder)
    const sum = [...booked.values()].reduce((all, cost) => all + cost, 0)
    expect(sum).toBeLessThanOrEqual(20_000)
    expect(sum).toBeGreaterThan(19_990)
    expect(booked.size).toBe(counts.reduce((all, { granted }) => all + granted, 0))
    expect(Math.min(...counts.map(({ refused }) => refused))).toBeGreaterThan(0)
    const { limiter, adopted } = await openLast(folder)
    for (const budget of BUDGETS) expect(await limiter.look(budget)).toEqual({ spent: BigInt(sum), held: 0n })
    expect(adopted).toEqual([])
    await limiter.close()
  })

  test('leave nothing held where they are killed at any moment, and what is counted is what is booked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexcode-races-'))
    for (let round = 0; round < 12; round += 1) {
      const children = ['a', 'b'].map((name) => startChild(folder, `${name}${round}`, 1_000_000_000, 1_000_000_000))
      await Promise.all(children.map(ready))
      await Promise.all(
        children.map(async (child) => {
          await Bun.sleep(Math.random() * 20)
          child.kill('SIGKILL')
          await child.exited
        }),
      )
      // A place that is not given back would stay taken here: the next ones have as many as the first.
    }
    const { limiter, adopted } = await openLast(folder)
    const booked = bookedIn(folder, adopted)
    const sum = [...booked.values()].reduce((all, cost) => all + BigInt(cost), 0n)
    expect(sum).toBeGreaterThan(0n)
    for (const budget of BUDGETS) expect(await limiter.look(budget)).toEqual({ spent: sum, held: 0n })
    const places = [{ name: 'key_1', limit: 1 }]
    expect(limiter.decide({ rates: [], places, budgets: [], amount: 0n, booking: undefined }, 0)).toMatchObject({
      kind: 'granted',
    })
    await limiter.close()
  }, 60_000)
})
