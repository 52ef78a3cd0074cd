import { gatewayCommand } from '../../helpers/gateway-under-test.ts'
import { startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { startGateway } from '../../helpers/start-gateway.ts'
import { percentile } from '../percentile.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { startBareServer } from './bare-server.ts'
import { ASKED, holdStreams, type Refusal, sendWave } from './waves.ts'

const LONG = { limit: 64, rounds: 10 }
const SHORT = { limit: 16, rounds: 2 }
/** As many as the limit are under way, and so many times that are asked for beside them. */
const BEYOND = 4
/** What a refusal may take longer than one of a server that does nothing else, on the same machine in the same moment. */
const REFUSAL_MS_MAX = 50
const PERCENTILE = 99

interface Wave {
  readonly id: string
  readonly refusals: readonly Refusal[]
  /** The same wave, sent to a bare server. */
  readonly bareMs: number
}

const slowest = (refusals: readonly Refusal[]): number =>
  percentile(
    refusals.map(({ ms }) => ms),
    PERCENTILE,
  )

function faultsOf({ id, refusals }: Wave): HardeningFailure[] {
  const wrong = refusals.flatMap(({ response }) => {
    if (response === undefined) return ['no answer']
    if (response.status !== 503) return [`a ${response.status}`]
    return /^\d+$/.test(response.headers.get('retry-after') ?? '') ? [] : ['no Retry-After']
  })
  return [...new Set(wrong)].map((what) => ({ id, message: `${what} where a 503 belongs` }))
}

/**
 * A machine that does other things can be slow at any moment, and is so for the bare server too: what counts is how much longer than that the
 * gateway took, and a kind of request is too slow where most of its waves were.
 */
function lateKinds(waves: readonly Wave[]): HardeningFailure[] {
  const kinds = [...new Set(waves.map(({ id }) => kindOf(id)))]
  return kinds.flatMap((kind) => {
    const own = waves.filter(({ id }) => kindOf(id) === kind)
    const extra = percentile(own.map(extraMs), 50)
    if (extra <= REFUSAL_MS_MAX) return []
    return [
      {
        id: own[0]?.id ?? kind,
        message: `A refusal took ${extra.toFixed(0)} ms more than a bare one (p${PERCENTILE}).`,
      },
    ]
  })
}

const kindOf = (id: string): string => id.replace(/-\d+$/, '')
const extraMs = ({ refusals, bareMs }: Wave): number => slowest(refusals) - bareMs

async function run({ isShort, only, report }: HardeningRun): Promise<HardeningResult> {
  const { limit, rounds } = isShort ? SHORT : LONG
  const ids = Object.keys(ASKED).flatMap((kind) => Array.from({ length: rounds }, (_, n) => `${kind}-${n + 1}`))
  const upstream = await startScriptedUpstream(() => undefined)
  const gateway = await startGateway({
    env: { OPENAI_API_BASE: `${upstream.url}/v1`, MAX_IN_FLIGHT: String(limit) },
    command: gatewayCommand(),
  })
  const bare = await startBareServer()
  const waves: Wave[] = []
  const failures: HardeningFailure[] = []
  try {
    for (const id of ids.filter((one) => only === undefined || one === only)) {
      const held = await holdStreams(gateway.port, upstream, limit)
      const arrived = upstream.requests.length
      const bytes = ASKED[kindOf(id)] ?? ''
      const bareMs = slowest(await sendWave(bare.port, bytes, BEYOND * limit))
      const wave = { id, bareMs, refusals: await sendWave(gateway.port, bytes, BEYOND * limit) }
      waves.push(wave)
      const more = upstream.requests.length - arrived
      if (more > 0) failures.push({ id, message: `${more} calls beyond the limit went upstream.` })
      failures.push(...faultsOf(wave), ...(await held.finish()).map((message) => ({ id, message })))
      report(`${waves.length} of ${ids.length} waves`)
    }
    failures.push(...lateKinds(waves))
    if (gateway.child?.exitCode !== null)
      failures.push({ id: 'exit', message: `It ended with ${gateway.child?.exitCode}.` })
  } finally {
    await bare.stop()
    await gateway.stop()
    await upstream.close()
  }
  const refusals = waves.flatMap((wave) => wave.refusals)
  return {
    cases: waves.length,
    failures,
    figures: {
      refused: refusals.filter(({ response }) => response?.status === 503).length,
      'p50, ms': Number(
        percentile(
          refusals.map(({ ms }) => ms),
          50,
        ).toFixed(1),
      ),
      [`p${PERCENTILE}, ms`]: Number(slowest(refusals).toFixed(1)),
      'more than a bare server, ms': Number(percentile(waves.map(extraMs), 50).toFixed(1)),
      'streams under way, unharmed': waves.length * limit,
    },
  }
}

/** Two stand-ins: one refuses too late, one forgets to say when to come again. */
async function prove(): Promise<void> {
  const bare = await startBareServer()
  const late = await startBareServer(REFUSAL_MS_MAX * 3)
  const silent = await startScriptedUpstream((_request, connection) => connection.json({}, 503))
  try {
    const waves: Wave[] = []
    for (const n of [1, 2, 3]) {
      const bareMs = slowest(await sendWave(bare.port, ASKED['chat'] ?? '', 20))
      waves.push({ id: `chat-${n}`, bareMs, refusals: await sendWave(late.port, ASKED['chat'] ?? '', 20) })
    }
    if (lateKinds(waves).length !== 1) throw new Error('A late refusal went unseen.')
    if (waves.flatMap(faultsOf).length > 0) throw new Error('A right refusal was taken for a wrong one.')
    const refusals = await sendWave(silent.port, ASKED['list'] ?? '', 3)
    if (faultsOf({ id: 'list-1', refusals, bareMs: 0 }).length !== 1)
      throw new Error('A missing Retry-After went unseen.')
  } finally {
    await Promise.all([bare.stop(), late.stop(), silent.close()])
  }
}

/** Promise 10: five times the limit. */
export const suite: HardeningSuite = {
  number: 10,
  name: 'overload',
  promise: 'Overload is refused: 503 with Retry-After within 50 ms, and calls under way are unharmed',
  prove,
  run,
}
