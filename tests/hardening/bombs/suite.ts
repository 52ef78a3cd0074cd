import { CAN_READ_MEMORY, rssMib } from '../../helpers/process-memory.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { type Bomb, makeBombs, wireOf } from './bomb.ts'
import { type Child, startChild } from './child.ts'
import { startUnderFire } from './gateway-under-fire.ts'
import { shoot } from './shoot.ts'

const MIB = 1024 * 1024
/** A request may take so many times its bytes of memory. */
const MEMORY_FACTOR = 10
/** What a process takes by itself, in MiB: it collects what is let go only when it has made some. */
const OWN_MIB = 64
/** What a connection takes, whatever comes by it. */
const CONNECTION_MIB = 1 / 16
/** Meanwhile others are served at most so many times as late as beside honest requests of as many bytes. */
const P99_FACTOR = 2
/** Below it a difference is no more than the timers', in milliseconds. */
const P99_MS_FLOOR = 12
const TRIES = 3
const VOLLEY_BYTES = 12 * MIB
const AT_ONCE_MAX = 256
const MIB_LONG = 20
const MIB_SHORT = 2
const SETTLE_MS = 300
const WATCH_EVERY_MS = 15
const SHORT_CASES: ReadonlySet<string> = new Set(['gzip-objects', 'lists', 'deep-100000', 'endless-headers'])

/** A head that does not end. */
const ENDLESS_HEADERS = Buffer.from(
  `GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n${'X-Header: what nobody asked for\r\n'.repeat(8000)}`,
)

/** Some requests at once. */
interface Volley {
  readonly id: string
  readonly wire: Uint8Array
  readonly statuses: readonly number[]
  readonly count: number
}

/** What a volley did. */
interface Effect {
  readonly statuses: readonly number[]
  readonly grownMib: number
  readonly p99: number
}

function volleyOf(id: string, wire: Uint8Array, statuses: readonly number[]): Volley {
  const count = Math.max(2, Math.min(AT_ONCE_MAX, Math.ceil(VOLLEY_BYTES / wire.byteLength)))
  return { id, wire, statuses, count }
}

/** As many honest requests of the same length. */
function honest({ wire, count }: Volley): Volley {
  const text = 'An honest word of some length, as people write them. '
  const bytes = Math.max(200, wire.byteLength - 400)
  const words = text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes)
  const body = Buffer.from(`{"model":"m","messages":[{"role":"user","content":"${words}"}]}`)
  const bomb: Bomb = {
    id: 'honest',
    target: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body,
    statuses: [200],
  }
  return { id: 'honest', wire: wireOf(bomb), statuses: [200], count }
}

/** Sends all of a volley at once, while somebody else makes calls, and the memory is looked at. */
async function fire({ wire, count }: Volley, { port, pid }: Target, prober: Child, before: number): Promise<Effect> {
  await Bun.sleep(SETTLE_MS)
  prober.write('\n')
  await prober.line()
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, rssMib(pid))
  }, WATCH_EVERY_MS)
  try {
    const statuses = await Promise.all(Array.from({ length: count }, () => shoot(port, wire)))
    prober.write('\n')
    const { p99 } = JSON.parse(await prober.line()) as { readonly p99: number }
    return { statuses, grownMib: Math.max(peak, rssMib(pid)) - before, p99 }
  } finally {
    clearInterval(watch)
  }
}

/** In MiB: of the honest requests, and of those after them. */
function admittedOf({ wire, count }: Volley): number {
  return (2 * wire.byteLength * count) / MIB
}

/** What a volley has broken; undefined: nothing. */
function faultOf(volley: Volley, effect: Effect, beside: Effect): string | undefined {
  const { statuses, grownMib, p99 } = effect
  const unfit = statuses.find((status) => !volley.statuses.includes(status))
  if (unfit !== undefined) return `One was answered with ${unfit}.`
  const admittedMib = admittedOf(volley)
  if (grownMib > OWN_MIB + volley.count * CONNECTION_MIB + MEMORY_FACTOR * admittedMib) {
    return `${admittedMib.toFixed(1)} MiB grew its memory by ${grownMib.toFixed(0)} MiB.`
  }
  if (p99 <= Math.max(P99_MS_FLOOR, P99_FACTOR * beside.p99)) return undefined
  return `Others' p99 was ${p99.toFixed(1)} ms, and beside honest requests ${beside.p99.toFixed(1)} ms.`
}

interface Target {
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<void>
}

interface Worst {
  factor: number
  p99: number
  honestP99: number
}

/** Tries one volley on a gateway of its own, again where it seems to break something: the machine does other things, too. */
async function tryVolley(
  volley: Volley,
  start: () => Promise<Target>,
  worst: Worst,
  report: HardeningRun['report'],
): Promise<string | undefined> {
  let fault: string | undefined
  for (let count = 0; count < TRIES; count += 1) {
    const target = await start()
    const { port, pid, stop } = target
    const idle = startChild('bombs/peer.ts')
    const prober = startChild('event-loop/prober.ts', String(port), String(pid), await idle.line(), 'chat')
    try {
      await fire({ ...honest(volley), count: 2 }, target, prober, 0)
      const before = rssMib(pid)
      const beside = await fire(honest(volley), target, prober, before)
      const effect = await fire(volley, target, prober, before)
      fault = faultOf(volley, effect, beside)
      const admittedMib = admittedOf(volley)
      report(
        `${volley.id}: ${volley.count} × ${volley.wire.byteLength} bytes grew it by ${effect.grownMib.toFixed(0)} MiB (${admittedMib.toFixed(1)}); p99 ${effect.p99.toFixed(1)} ms, honest ${beside.p99.toFixed(1)} ms`,
      )
      if (fault !== undefined) continue
      worst.factor = Math.max(
        worst.factor,
        Math.max(0, effect.grownMib - OWN_MIB - volley.count * CONNECTION_MIB) / admittedMib,
      )
      if (effect.p99 > worst.p99) Object.assign(worst, { p99: effect.p99, honestP99: beside.p99 })
      return undefined
    } finally {
      await prober.stop()
      await idle.stop()
      await stop()
    }
  }
  return fault
}

function choose({ isShort, only }: HardeningRun): readonly Volley[] {
  const bombs = makeBombs(isShort ? MIB_SHORT : MIB_LONG).filter(
    ({ statuses }) => !statuses.every((status) => status === 200),
  )
  const all = [
    ...bombs.map((bomb) => volleyOf(bomb.id, wireOf(bomb), [...bomb.statuses, 503])),
    volleyOf('endless-headers', ENDLESS_HEADERS, [431, 400, 0]),
  ]
  if (only !== undefined) return all.filter(({ id }) => id === only)
  return isShort ? all.filter(({ id }) => SHORT_CASES.has(id)) : all
}

async function runOn(
  volleys: readonly Volley[],
  start: () => Promise<Target>,
  report: HardeningRun['report'],
): Promise<HardeningResult> {
  if (!CAN_READ_MEMORY)
    return { cases: 0, failures: [], figures: { 'not measured': 'memory can be read on Linux only' } }
  const failures: HardeningFailure[] = []
  const worst: Worst = { factor: 0, p99: 0, honestP99: 0 }
  for (const volley of volleys) {
    const message = await tryVolley(volley, start, worst, report)
    if (message !== undefined) failures.push({ id: volley.id, message })
  }
  return {
    cases: volleys.length,
    failures,
    figures: {
      'memory, times the bytes admitted': Number(worst.factor.toFixed(1)),
      'p99 of others, ms': Number(worst.p99.toFixed(1)),
      'beside honest requests, ms': Number(worst.honestP99.toFixed(1)),
    },
  }
}

/** Part of promise 6: small requests stay small. */
export const suite: HardeningSuite = {
  number: 6,
  name: 'bombs',
  promise: 'A request takes no more than ten times its bytes of memory, and others are served meanwhile',
  run: (options) => runOn(choose(options), startUnderFire, options.report),

  async prove() {
    const start = async (): Promise<Target> => {
      const wrong = startChild('bombs/wrong-gateway.ts')
      return { port: Number(await wrong.line()), pid: wrong.pid, stop: () => wrong.stop() }
    }
    const bomb = makeBombs(MIB_LONG).find(({ id }) => id === 'gzip-objects')
    if (bomb === undefined) throw new Error('There is no such bomb.')
    const volley = { ...volleyOf(bomb.id, wireOf(bomb), [200]), count: 2 }
    const { failures } = await runOn([volley], start, () => undefined)
    if (!failures.some(({ message }) => message.includes('grew its memory'))) {
      throw new Error('A gateway that keeps all that a body decodes to went unseen.')
    }
  },
}
