import { within } from '../../helpers/within.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { type Fate, keepBusy, openStream } from './clients.ts'
import { type EndingServer, startEndingGateway, startHastyServer, startSteadyUpstream } from './ending-server.ts'

/** How much goes on when the end is asked for. */
interface Load {
  readonly streams: number
  readonly busy: number
}

const LONG: Load = { streams: 200, busy: 64 }
const SHORT: Load = { streams: 40, busy: 16 }
const ROUNDS = { long: 20, short: 1 }
/** Long enough for streams of a second on any machine, and shorter than the time that the server gives them. */
const ROUND_MS_MAX = 45_000

interface Round {
  readonly fates: readonly Fate[]
  readonly code: number
  /** From the signal to the exit. */
  readonly ms: number
}

/** Has a server under load end, and sees what becomes of everybody. */
async function drainUnder({ streams, busy }: Load, server: EndingServer): Promise<Round> {
  const opened = await Promise.all(Array.from({ length: streams }, () => openStream(server.port)))
  const busyFates = Array.from({ length: busy }, () => keepBusy(server.port))
  await Promise.all(opened.map(({ isUnderWay }) => isUnderWay))
  const at = performance.now()
  server.terminate()
  const fates = await Promise.all([...opened.map(({ fate }) => fate), ...busyFates])
  const code = await server.exited
  return { fates, code, ms: performance.now() - at }
}

function faultsOf(id: string, { fates, code }: Round): HardeningFailure[] {
  const cut = [...new Set(fates.flatMap((fate) => fate.cut ?? []))].map((message) => ({ id, message }))
  return code === 0 ? cut : [...cut, { id, message: `It ended with exit code ${code}.` }]
}

async function run({ isShort, only, report }: HardeningRun): Promise<HardeningResult> {
  const ids = Array.from({ length: isShort ? ROUNDS.short : ROUNDS.long }, (_, n) => `sigterm-${n + 1}`)
  const failures: HardeningFailure[] = []
  const rounds: Round[] = []
  const upstream = await startSteadyUpstream()
  try {
    for (const id of ids.filter((one) => only === undefined || one === only)) {
      const server = await startEndingGateway(upstream)
      try {
        const round = await within(ROUND_MS_MAX, id, drainUnder(isShort ? SHORT : LONG, server))
        rounds.push(round)
        failures.push(...faultsOf(id, round))
      } catch (cause) {
        failures.push({ id, message: String(cause) })
      } finally {
        await server.stop()
      }
      report(`${rounds.length} of ${ids.length}`)
    }
  } finally {
    await upstream.stop()
  }
  const fates = rounds.flatMap((round) => round.fates)
  const sum = (read: (fate: Fate) => number): number => fates.reduce((all, fate) => all + read(fate), 0)
  return {
    cases: rounds.length,
    failures,
    figures: {
      cut: sum(({ cut }) => (cut === undefined ? 0 : 1)),
      'answered whole': sum(({ whole }) => whole),
      'refused with Retry-After': sum(({ refused }) => refused),
      'slowest end, s': Number((Math.max(0, ...rounds.map(({ ms }) => ms)) / 1000).toFixed(1)),
    },
  }
}

/** The stand-in ends at once: what it was at is cut, and has to be seen. */
async function prove(): Promise<void> {
  const hasty = await startHastyServer()
  try {
    const round = await within(ROUND_MS_MAX, 'the hasty end', drainUnder({ streams: 5, busy: 2 }, hasty))
    const cut = round.fates.filter((fate) => fate.cut?.startsWith('a stream ended behind') === true)
    if (cut.length !== 5) throw new Error(`5 streams were cut, and ${cut.length} were seen.`)
  } finally {
    await hasty.stop()
  }
  const [fault] = faultsOf('sigterm-1', { fates: [], code: 1, ms: 0 })
  if (fault === undefined) throw new Error('An exit code went unseen.')
}

/** Promise 8: SIGTERM under streams and busy connections. */
export const suite: HardeningSuite = {
  number: 8,
  name: 'draining',
  promise: 'Draining loses nothing: at SIGTERM every stream and every call goes on to its end, and the exit code is 0',
  prove,
  run,
}
