import { sendRaw } from '../../helpers/raw-client.ts'
import {
  type Arrivals,
  MAX,
  POLICIES,
  type Ports,
  portsOf,
  startCapGateways,
  startReadUpstream,
} from '../caps/cap-gateways.ts'
import { judgeReading, type Policy } from '../caps/judge.ts'
import { type CapCase, makeCase, makeCases } from '../caps/make-case.ts'
import { type Arrival, type Reader, type Reading, readingsOf } from '../caps/read-request.ts'
import { READERS } from '../caps/readers.ts'
import { startWrongGateway } from '../caps/wrong-gateway.ts'
import { inPool } from '../pool.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { EMULATIONS } from './emulations.ts'
import type { RealReader } from './real-reader.ts'
import { arrivalOf, bytesOf } from './request-bytes.ts'
import { startRealReaders } from './start-real-readers.ts'
import { WEB_READER } from './web-reader.ts'

const CASES = 4000
const CASES_SHORT = 500
const AT_ONCE = 16
const REPORT_EVERY = 500

/** What readings have come to. */
interface Tally {
  readonly failures: HardeningFailure[]
  /** Readings by each real server. */
  readonly readings: Map<string, number>
  /** How often a real one read something forbidden in what was forwarded. */
  past: number
  /** How often it read something forbidden in a request as it was sent, and its emulation did not. */
  unseen: number
  /** How often its emulation saw what it did not. */
  stricter: number
}

/** What one reads in a request that a policy forbids, in the words of the judge. */
function faultIn(readings: readonly Reading[], policy: Policy): string | undefined {
  return readings.map((reading) => judgeReading(reading, policy)).find((what) => what !== undefined)
}

/** Has real readers and their emulations read a request as it was sent: what the former find, the latter have to. */
async function compare(one: CapCase, real: RealReader, emulations: readonly Reader[], tally: Tally): Promise<void> {
  const arrival = arrivalOf(one.bytes)
  const readings = await real.read(one.bytes)
  count(tally, real, readings)
  for (const policy of new Set<Policy>([POLICIES.everywhere, POLICIES[one.gateway]])) {
    const found = faultIn(readings, policy)
    const emulated = faultIn(
      emulations.flatMap((reader) => readingsOf(reader, arrival)),
      policy,
    )
    if (found === undefined && emulated !== undefined) tally.stricter += 1
    if (found === undefined || emulated !== undefined) continue
    tally.unseen += 1
    const message = `${real.name} reads ${found}, and ${emulations.map(({ name }) => name).join(', ')} do not`
    tally.failures.push({ id: one.id, message: `${one.attacks.join('+')}: ${message}` })
  }
}

/** Sends requests through gateways, and has real readers read what comes out. */
async function readForwarded(
  cases: readonly CapCase[],
  { ports, arrivals }: { readonly ports: Ports; readonly arrivals: Arrivals },
  reals: readonly RealReader[],
  tally: Tally,
): Promise<void> {
  await inPool(cases, AT_ONCE, async ({ id, gateway, attacks, bytes }) => {
    await sendRaw(ports[gateway], bytes)
    const arrival: Arrival | undefined = arrivals.get(id)
    if (arrival === undefined) return
    for (const real of reals) {
      const readings = await real.read(bytesOf(arrival))
      count(tally, real, readings)
      const found = faultIn(readings, POLICIES[gateway])
      if (found === undefined) continue
      tally.past += 1
      tally.failures.push({ id, message: `${attacks.join('+')}: past a cap: ${real.name} reads ${found}` })
    }
  })
}

function count({ readings }: Tally, { name }: RealReader, found: readonly Reading[]): void {
  readings.set(name, (readings.get(name) ?? 0) + found.length)
}

/** Who has read nothing at all has not been asked. */
function silentOnes({ readings }: Tally, reals: readonly RealReader[]): HardeningFailure[] {
  return reals
    .filter(({ name }) => (readings.get(name) ?? 0) === 0)
    .map(({ name }) => ({ id: name, message: `${name} has read nothing` }))
}

function emptyTally(): Tally {
  return { failures: [], readings: new Map(), past: 0, unseen: 0, stricter: 0 }
}

function emulationsOf({ name }: RealReader): readonly Reader[] {
  const names = EMULATIONS[name] ?? [name]
  return READERS.filter((reader) => names.includes(reader.name))
}

async function compareAll(
  cases: readonly CapCase[],
  reals: readonly RealReader[],
  tally: Tally,
  report: HardeningRun['report'],
): Promise<void> {
  let done = 0
  await inPool(cases, AT_ONCE, async (one) => {
    for (const real of reals) await compare(one, real, emulationsOf(real), tally)
    done += 1
    if (done % REPORT_EVERY === 0) report(`${done.toLocaleString('en')} of ${cases.length.toLocaleString('en')}`)
  })
}

async function run({ seed, isShort, only, report }: HardeningRun): Promise<HardeningResult> {
  const others = isShort && only === undefined ? undefined : await startRealReaders(report)
  const gateways = await startCapGateways()
  try {
    const reals = [WEB_READER, ...(others?.readers ?? [])]
    const cases = only === undefined ? makeCases(seed, isShort ? CASES_SHORT : CASES) : [makeCase(seed, only)]
    const tally = emptyTally()
    await compareAll(cases, reals, tally, report)
    await readForwarded(cases, gateways, reals, tally)
    return {
      cases: cases.length,
      failures: [...tally.failures, ...(only === undefined ? silentOnes(tally, reals) : [])],
      figures: {
        'past a cap': tally.past,
        'real readers': reals.map(({ name }) => name).join(', '),
        readings: [...tally.readings.values()].reduce((sum, one) => sum + one, 0),
        'not seen by an emulation': tally.unseen,
        'seen by an emulation only': tally.stricter,
        ...(others !== undefined && others.leftOut.length > 0 && { 'left out': others.leftOut.join('; ') }),
      },
    }
  } finally {
    await gateways.stop()
    await others?.stop()
  }
}

/** An emulation that takes the first of two members differs from the real one, and a gateway that reads as one reader does lets something past. */
async function prove(): Promise<void> {
  const cases = makeCases(1, CASES_SHORT)
  const tally = emptyTally()
  const wrongReaders = READERS.filter(({ name }) => name === 'web').map((reader) => ({
    ...reader,
    names: { ...reader.names, picks: 'first' as const },
  }))
  for (const one of cases) await compare(one, WEB_READER, wrongReaders, tally)
  if (tally.unseen === 0) throw new Error('An emulation that takes the first of two members was taken for a true one.')
  const { upstream, arrivals } = await startReadUpstream()
  const wrong = await startWrongGateway(upstream.url, MAX)
  try {
    await readForwarded(cases, { ports: portsOf(() => wrong.port), arrivals }, [WEB_READER], tally)
    if (tally.past === 0) throw new Error('What a wrong gateway let past was not seen.')
  } finally {
    wrong.stop()
    await upstream.close()
  }
}

/** Promise 12: real servers read what our emulations of them read, and nothing that the rules forbid in what goes upstream. */
export const suite: HardeningSuite = {
  number: 12,
  name: 'readers',
  promise:
    'Real servers find nothing in a request that the rules forbid, and the emulations of them see all that they read',
  prove,
  run,
}
