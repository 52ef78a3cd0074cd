import { Database } from 'bun:sqlite'
import { expect, setDefaultTimeout, test } from 'bun:test'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import type { Booking } from '../../src/ledger/records.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { fillDisk } from '../helpers/lower-limit.ts'
import { answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import { until } from '../helpers/until.ts'

setDefaultTimeout(60_000)

/** What a call of 10 + 5 tokens of gpt-4o costs, in nano-dollars. */
const COST = 75_000n
const CALLS = 20
const LIMIT = { spend_limit: { month: 100_000 } }

/** Keeps a file from being written, or a disk from taking anything, until it is ended. */
type Trouble = (gateway: MeteredGateway) => { readonly end: () => void }

const TROUBLES: readonly [name: string, begin: Trouble][] = [
  [
    'another process holds the ledger’s lock',
    ({ store }) => {
      const other = new Database(store.slice('sqlite:'.length))
      other.run('BEGIN IMMEDIATE')
      return { end: () => other.close() }
    },
  ],
  [
    'the disk is full',
    ({ child }) => {
      const full = fillDisk(child?.pid)
      return { end: () => full.giveBack() }
    },
  ],
]

/** The rows of all calls. */
async function rowsOf({ store }: MeteredGateway): Promise<readonly Booking[]> {
  const ledger = await openLedger(store)
  const rows = await ledger.bookings(undefined, 100_000)
  await ledger.close()
  return rows
}

for (const [name, begin] of TROUBLES) {
  test(`while ${name}, calls go on and budgets hold; then each is in the books, once; the log says both, once`, async () => {
    await using gateway = await startMetered(answerUsed(10, 5), { command: gatewayCommand() })
    const [budgeted, free] = [await gateway.key(LIMIT), await gateway.key()]
    const askBoth = async (): Promise<number[]> => {
      const answers = await Promise.all([gateway.ask(budgeted), gateway.ask(free)])
      await Promise.all(answers.map((answer) => answer.arrayBuffer()))
      return answers.map(({ status }) => status)
    }
    expect(await askBoth()).toEqual([200, 200])
    await gateway.booked(2)
    const trouble = begin(gateway)
    expect(await askBoth()).toEqual([200, 200])
    await gateway.line(({ msg }) => String(msg).startsWith('the ledger can not be written'))
    for (let call = 0; call < CALLS; call += 1) expect(await askBoth()).toEqual([200, 200])
    trouble.end()
    await gateway.line(({ msg }) => msg === 'the ledger can be written again')
    const sum = await gateway.booked(2 * (CALLS + 2))
    expect([sum.requests, sum.cost]).toEqual([2 * (CALLS + 2), COST * BigInt(2 * (CALLS + 2))])
    expect(await gateway.spend(budgeted)).toEqual({ spent: COST * BigInt(CALLS + 2), held: 0n })
    const said = gateway.lines.filter(({ msg }) => /^the ledger can (?:not )?be written/.test(String(msg)))
    expect(said).toHaveLength(2)
  })
}

test('a server that is killed under load has each call with a limit in the books when it comes again, of others all that was there, none twice, and holds nothing', async () => {
  await using gateway = await startMetered(answerUsed(10, 5), { command: gatewayCommand() })
  const keys = { budgeted: await gateway.key(LIMIT), free: await gateway.key() }
  const wanted = 100 + Math.floor(Math.random() * 200)
  const answered: Readonly<Record<keyof typeof keys, string[]>> = { budgeted: [], free: [] }
  let isKilled = false
  const caller = async (kind: keyof typeof keys, number: number): Promise<void> => {
    for (let call = 0; !isKilled; call += 1) {
      const id = `call-${kind}-${number}-${call}`
      const answer = await gateway.ask(keys[kind], {}, { 'x-request-id': id }).catch(() => undefined)
      const body = await answer?.text().catch(() => '')
      if (answer?.status === 200 && body?.endsWith('}') === true) answered[kind].push(id)
    }
  }
  const callers = Array.from({ length: 12 }, (_, number) => caller(number % 2 === 0 ? 'budgeted' : 'free', number))
  await gateway.booked(wanted)
  const before = await rowsOf(gateway)
  isKilled = true
  gateway.child?.kill('SIGKILL')
  await Promise.all([...callers, gateway.child?.exited])
  const env = { LEDGER: gateway.store }
  await using next = await startMetered(answerUsed(10, 5), { command: gatewayCommand(), env })
  const isOfBudget = ({ requestId }: Booking): boolean => requestId.startsWith('call-budgeted')
  await until(async () => (await rowsOf(next)).filter(isOfBudget).length >= answered.budgeted.length)
  await until(async () => (await next.spend(keys.budgeted)).held === 0n)
  const rows = await rowsOf(next)
  const ids = new Set(rows.map(({ requestId }) => requestId))
  expect(ids.size).toBe(rows.length)
  expect([...answered.budgeted, ...before.map(({ requestId }) => requestId)].filter((id) => !ids.has(id))).toEqual([])
  const spent = rows.filter(isOfBudget).reduce((sum, { cost }) => sum + BigInt(cost), 0n)
  expect(spent).toBeGreaterThanOrEqual(COST * BigInt(answered.budgeted.length))
  expect(await next.spend(keys.budgeted)).toEqual({ spent, held: 0n })
})
