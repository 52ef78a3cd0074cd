import { sendRaw } from '../../helpers/raw-client.ts'
import { inPool } from '../pool.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { ATTACKS } from './attacks.ts'
import {
  type Arrivals,
  MAX,
  POLICIES,
  type Ports,
  portsOf,
  startCapGateways,
  startReadUpstream,
} from './cap-gateways.ts'
import { judgeReading, type Policy } from './judge.ts'
import { type CapCase, makeCase, makeCases } from './make-case.ts'
import { type Arrival, readingsOf } from './read-request.ts'
import { READERS } from './readers.ts'
import { startWrongGateway } from './wrong-gateway.ts'

const CASES = 14_000
const CASES_SHORT = 900
const CASES_TO_PROVE = 600
const AT_ONCE = 24
const REPORT_EVERY = 1000

interface Outcome {
  readonly failures: readonly HardeningFailure[]
  readonly forwarded: number
  readonly refused: number
  readonly past: number
}

/** Who reads something forbidden in a request, and what the first of them reads; undefined: nobody does. */
function faultOf(arrival: Arrival, policy: Policy): string | undefined {
  const found = READERS.flatMap((reader) => readingsOf(reader, arrival)).flatMap((reading) => {
    const what = judgeReading(reading, policy)
    return what === undefined ? [] : [{ who: reading.reader, what }]
  })
  const who = [...new Set(found.map((one) => one.who))]
  return found[0] === undefined ? undefined : `${who.join(' and ')} would read ${found[0].what}`
}

async function sendAll(
  cases: readonly CapCase[],
  ports: Ports,
  arrivals: Arrivals,
  report: HardeningRun['report'],
): Promise<Outcome> {
  const failures: HardeningFailure[] = []
  let [forwarded, refused, past, done] = [0, 0, 0, 0]
  await inPool(cases, AT_ONCE, async ({ id, gateway, attacks, bytes }) => {
    const { status } = await sendRaw(ports[gateway], bytes)
    const arrival = arrivals.get(id)
    const fail = (message: string): void => void failures.push({ id, message: `${attacks.join('+')}: ${message}` })
    if (arrival === undefined) refused += 1
    else forwarded += 1
    const found = arrival === undefined ? undefined : faultOf(arrival, POLICIES[gateway])
    if (found !== undefined) {
      past += 1
      fail(found)
    }
    if (attacks.length === 0 && status !== 200) fail(`a plain request is answered ${status}`)
    if (status >= 500) fail(`answered ${status}`)
    done += 1
    if (done % REPORT_EVERY === 0) report(`${done.toLocaleString('en')} of ${cases.length.toLocaleString('en')}`)
  })
  return { failures, forwarded, refused, past }
}

async function run({ seed, isShort, only, report }: HardeningRun): Promise<HardeningResult> {
  const { ports, arrivals, stop } = await startCapGateways()
  try {
    const cases = only === undefined ? makeCases(seed, isShort ? CASES_SHORT : CASES) : [makeCase(seed, only)]
    const { failures, forwarded, refused, past } = await sendAll(cases, ports, arrivals, report)
    return {
      cases: cases.length,
      failures,
      figures: { 'past a cap': past, readers: READERS.length, forwarded, refused },
    }
  } finally {
    await stop()
  }
}

/** The stand-in reads as one reader does: what each of the others would see in the same bytes has to be found. */
async function prove(): Promise<void> {
  const { upstream, arrivals } = await startReadUpstream()
  const wrong = await startWrongGateway(upstream.url, MAX)
  try {
    const ports = portsOf(() => wrong.port)
    const cases = makeCases(1, CASES_TO_PROVE)
    const { failures } = await sendAll(cases, ports, arrivals, () => undefined)
    const plain = new Set(cases.filter(({ attacks }) => attacks.length === 0).map(({ id }) => id))
    for (const { name } of ATTACKS) {
      if (!failures.some(({ message }) => message.startsWith(`${name}: `))) throw new Error(`No ${name} was seen.`)
    }
    for (const { name } of READERS) {
      if (!failures.some(({ message }) => new RegExp(`\\b${name} (?:and|would)`).test(message)))
        throw new Error(`${name} saw nothing.`)
    }
    const wronged = failures.find(({ id }) => plain.has(id))
    if (wronged !== undefined && !wronged.message.includes('no cap'))
      throw new Error(`A plain request was taken for a fault: ${wronged.message}`)
  } finally {
    wrong.stop()
    await upstream.close()
  }
}

/** Promise 12: a grammar of requests, and what servers of each kind would read in what goes upstream. */
export const suite: HardeningSuite = {
  number: 12,
  name: 'caps',
  promise: 'No server, however it reads, finds a model, a number or a parameter in a request that the rules forbid',
  prove,
  run,
}
