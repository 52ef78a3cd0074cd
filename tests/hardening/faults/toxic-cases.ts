import type { Random } from '../random.ts'
import { type FaultCase, type FaultPlace, makeCase } from './fault-cases.ts'
import { SHAPES, type Shape } from './wire-answers.ts'

/** What toxiproxy does to a connection (its documentation has the attributes). */
export interface Toxic {
  readonly type: ToxicType
  readonly attributes: Readonly<Record<string, number>>
}

/** The kinds of toxics. */
export type ToxicType = 'latency' | 'bandwidth' | 'slow_close' | 'timeout' | 'reset_peer' | 'slicer' | 'limit_data'

/** One call through a proxy of its own, whose toxic begins at some byte of the answer. */
export interface ToxicCase extends FaultCase {
  /** The model, upstream and proxy of its own: no other call's connection is used for it. */
  readonly deployment: string
  readonly toxic: Toxic
}

/** What a toxic does to a call. */
interface Effect {
  readonly attributes: Readonly<Record<string, number>>
  /** What follows from it: all comes, nothing more comes until somebody's time is up, or it breaks off. */
  readonly effect: 'whole' | 'silent' | 'broken'
  /** How long the toxic itself takes, in ms. */
  readonly takesMs: number
}

const TYPES: readonly ToxicType[] = [
  'latency',
  'bandwidth',
  'slow_close',
  'timeout',
  'reset_peer',
  'slicer',
  'limit_data',
]
const PLACES: readonly FaultPlace[] = ['before-headers', 'mid-stream', 'end']
const EACH = 100
const EACH_SHORT = 3

/** Longer than anybody waits here. */
const FOR_EVER_MS = 600_000
const SHORT_MS = 400
/** Toxiproxy sends what is slow in pieces of a tenth of a second. */
const BANDWIDTH_STEP_MS = 100
const RATE_MIN = 8
const SLICES_MAX = 50
const SLICE_BYTES_MIN = 16

/** All cases of a run through toxiproxy: of each toxic and place as many, dealt out to the forms of answers. */
export function toxicCases(seed: number, isShort: boolean): readonly ToxicCase[] {
  const ids = TYPES.flatMap((type) =>
    PLACES.flatMap((place) =>
      Array.from({ length: isShort ? EACH_SHORT : EACH }, (_, index) => ({ type, place, index })),
    ),
  )
  return ids.map(({ type, place, index }, number) => {
    const shape = SHAPES[index % SHAPES.length] as Shape
    const one = makeCase(seed, `toxic-${type}`, place, shape, index)
    const { attributes, effect, takesMs } = effectOf(type, one, one.random)
    return {
      ...one,
      ...{ deployment: `deployment-${number}`, toxic: { type, attributes }, takesMs },
      mayBeWhole: effect === 'whole',
      mayFail: effect !== 'whole',
      isSilent: effect === 'silent',
    }
  })
}

function effectOf(type: ToxicType, { at, place, answer }: FaultCase, random: Random): Effect {
  const rest = answer.bytes.byteLength - at
  const ms = 1 + random.below(SHORT_MS)
  switch (type) {
    case 'latency':
      return random.percent(30)
        ? { attributes: { latency: FOR_EVER_MS }, effect: 'silent', takesMs: 0 }
        : { attributes: { latency: ms }, effect: 'whole', takesMs: ms }
    case 'bandwidth': {
      const rate = RATE_MIN + random.below(40)
      return { attributes: { rate }, effect: 'whole', takesMs: rest / rate + BANDWIDTH_STEP_MS }
    }
    case 'slow_close':
      // At the end it is the end of the whole that comes late; before, the upstream leaves too early and that is seen late.
      return { attributes: { delay: ms }, effect: place === 'end' ? 'whole' : 'broken', takesMs: ms }
    case 'timeout':
      return random.percent(50)
        ? { attributes: { timeout: 0 }, effect: 'silent', takesMs: 0 }
        : { attributes: { timeout: ms }, effect: 'broken', takesMs: ms }
    case 'reset_peer':
      return { attributes: { timeout: ms }, effect: 'broken', takesMs: ms }
    case 'slicer': {
      const size = Math.max(SLICE_BYTES_MIN, Math.ceil(rest / SLICES_MAX))
      const delay = random.below(2000)
      const attributes = { average_size: size, size_variation: Math.floor(size / 4), delay }
      // In µs; a timer of its runtime is a millisecond late.
      return { attributes, effect: 'whole', takesMs: 2 * SLICES_MAX * (1 + delay / 1000) }
    }
    case 'limit_data':
      return {
        attributes: { bytes: place === 'mid-stream' ? random.below(answer.lastAt - at) : 0 },
        ...{ effect: 'broken', takesMs: 0 },
      }
  }
}
