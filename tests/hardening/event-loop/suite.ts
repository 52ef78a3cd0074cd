import { type Bomb, makeBombs, wireOf } from '../bombs/bomb.ts'
import { type Child, startChild } from '../bombs/child.ts'
import { startUnderFire } from '../bombs/gateway-under-fire.ts'
import { shoot } from '../bombs/shoot.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { makeCases } from './cases.ts'
import { RIGS, type RigName, startRig } from './rigs.ts'

/** No request may keep the event loop for longer. */
const HOLD_MS_MAX = 50
/** What keeps it for long does so each time; what the machine does, does not. */
const TRIES = 3
const MIB_LONG = 48
const MIB_SHORT = 4
/** The hold of a short run on a machine that does much else. */
const SHORT_ALLOWANCE_MS = 50
const SHORT_CASES: ReadonlySet<string> = new Set([
  'gzip-objects',
  'br-text',
  'lists',
  'deep-100000',
  'unknown-names',
  'long-text-renamed',
  'messages-ruled',
  'form-parts',
  'chunks-of-a-byte',
  'many-events',
  'once-text',
  'once-form-file',
  'asked-answer-short-events',
  'once-answer-values',
  'answer-line-feeds',
  'error-text-identity',
])

/** An answer that comes in one chunk of a hundred thousand events, whose model is to be replaced. */
const MANY_EVENTS: Bomb = {
  id: 'many-events',
  target: '/v1/chat/completions',
  headers: { 'content-type': 'application/json', 'x-play': 'events' },
  body: Buffer.from('{"model":"smart","messages":[{"role":"user","content":"hi"}],"stream":true}'),
  statuses: [200],
}

/** What the prober has seen. */
interface Seen {
  readonly hold: number
  readonly seen: number
  readonly machine: number
  readonly asked: number
}

interface Outcome {
  readonly status: number
  readonly seen: Seen
}

async function takeSeen(prober: Child): Promise<Seen> {
  prober.write('\n')
  return JSON.parse(await prober.line()) as Seen
}

/** A gateway that is fired at. */
interface Target {
  readonly port: number
  readonly pid: number
  /** Resolves when what it does behind an answer is done. */
  readonly settled?: () => Promise<void>
}

/** Sends one request, again where it seems to keep the loop, and gives the shortest hold. */
async function outcomeOf(bomb: Bomb, { port, settled }: Target, prober: Child, holdMsMax: number): Promise<Outcome> {
  const wire = wireOf(bomb)
  let best: Outcome | undefined
  for (let count = 0; count < TRIES; count += 1) {
    await takeSeen(prober)
    const status = await shoot(port, wire)
    await settled?.()
    const seen = await takeSeen(prober)
    if (best === undefined || seen.hold < best.seen.hold) best = { status, seen }
    if (best.seen.hold <= holdMsMax || !bomb.statuses.includes(status)) break
  }
  if (best === undefined) throw new Error('Nothing was sent.')
  return best
}

async function runOn(
  target: Target,
  bombs: readonly Bomb[],
  holdMsMax: number,
  report: HardeningRun['report'],
): Promise<HardeningResult> {
  const { port, pid } = target
  const idle = startChild('bombs/peer.ts')
  const prober = startChild('event-loop/prober.ts', String(port), String(pid), await idle.line())
  const failures: HardeningFailure[] = []
  let longest = { id: 'none', hold: 0 }
  let machine = 0
  try {
    // What is compiled on the way is no request's doing.
    for (const bomb of bombs.slice(0, 3)) {
      await shoot(port, wireOf(bomb))
      await target.settled?.()
    }
    for (const bomb of bombs) {
      const { status, seen } = await outcomeOf(bomb, target, prober, holdMsMax)
      report(
        `${bomb.id}: ${status}, ${seen.hold.toFixed(1)} ms (seen ${seen.seen.toFixed(1)}, machine ${seen.machine.toFixed(1)})`,
      )
      if (seen.hold > longest.hold) longest = { id: bomb.id, hold: seen.hold }
      machine = Math.max(machine, seen.machine)
      if (!bomb.statuses.includes(status)) failures.push({ id: bomb.id, message: `It was answered with ${status}.` })
      if (seen.hold > holdMsMax) {
        const message = `It kept the event loop for ${seen.hold.toFixed(0)} ms, where the machine itself took ${seen.machine.toFixed(0)}.`
        failures.push({ id: bomb.id, message })
      }
    }
  } finally {
    await prober.stop()
    await idle.stop()
  }
  return {
    cases: bombs.length,
    failures,
    figures: {
      'longest hold, ms': Number(longest.hold.toFixed(1)),
      'of the machine itself, ms': Number(machine.toFixed(1)),
    },
  }
}

/** The cases for each gateway: the bombs are for one of their own. */
function choose({ isShort, only }: HardeningRun): ReadonlyMap<RigName | 'fired at', readonly Bomb[]> {
  const mib = isShort ? MIB_SHORT : MIB_LONG
  const isChosen = ({ id }: Bomb): boolean => (only === undefined ? !isShort || SHORT_CASES.has(id) : id === only)
  const cases = makeCases(mib).filter(isChosen)
  const chosen = new Map<RigName | 'fired at', readonly Bomb[]>(
    RIGS.map((rig) => [rig, cases.filter((one) => one.rig === rig)]),
  )
  return chosen.set('fired at', [...makeBombs(mib), MANY_EVENTS].filter(isChosen))
}

async function run(options: HardeningRun): Promise<HardeningResult> {
  const holdMsMax = options.isShort ? HOLD_MS_MAX + SHORT_ALLOWANCE_MS : HOLD_MS_MAX
  const results: HardeningResult[] = []
  for (const [name, bombs] of choose(options)) {
    if (bombs.length === 0) continue
    const target = name === 'fired at' ? await startUnderFire() : await startRig(name)
    try {
      results.push(await runOn(target, bombs, holdMsMax, options.report))
    } finally {
      await target.stop()
    }
  }
  return together(results)
}

/** One result of several: of their figures, each the highest. */
function together(results: readonly HardeningResult[]): HardeningResult {
  const figures: Record<string, number> = {}
  for (const result of results) {
    for (const [name, figure] of Object.entries(result.figures)) {
      figures[name] = Math.max(figures[name] ?? 0, Number(figure))
    }
  }
  return {
    cases: results.reduce((sum, { cases }) => sum + cases, 0),
    failures: results.flatMap(({ failures }) => failures),
    figures,
  }
}

/** Part of promise 6: no request keeps the event loop. */
export const suite: HardeningSuite = {
  number: 6,
  name: 'event-loop',
  promise: 'No request keeps all others waiting for more than 50 ms, however large or dense it is',
  run,

  async prove() {
    const wrong = startChild('event-loop/wrong-gateway.ts')
    try {
      const port = Number(await wrong.line())
      const bombs = makeBombs(2).filter(({ id }) => id === 'lists' || id === 'deep-short')
      const { failures } = await runOn({ port, pid: wrong.pid }, [...bombs, MANY_EVENTS], HOLD_MS_MAX, () => undefined)
      for (const wanted of ['lists', MANY_EVENTS.id]) {
        if (failures.some(({ id, message }) => id === wanted && message.includes('event loop'))) continue
        throw new Error(`A gateway that stops for 200 ms went unseen (${wanted}).`)
      }
    } finally {
      await wrong.stop()
    }
  },
}
