import { createRandom, type Random } from '../random.ts'
import type { Toxic, ToxicType } from './toxic-cases.ts'
import { SHAPES, type Shape, type WireAnswer, wireAnswer } from './wire-answers.ts'

/** What becomes of an upstream's connection. */
export type FaultKind = OwnKind | `toxic-${ToxicType}`
type OwnKind = 'reset' | 'close' | 'stall' | 'half-open' | 'truncated' | 'garbage' | 'slow' | 'sliced' | 'delayed'
/** Where in an answer. */
export type FaultPlace = 'before-headers' | 'within-headers' | 'mid-stream' | 'end'

/** One call that meets one fault. */
export interface FaultCase {
  /** `stall/mid-stream/json/17`. */
  readonly id: string
  readonly kind: FaultKind
  readonly place: FaultPlace
  readonly shape: Shape
  /** How many bytes of the answer come as they should. */
  readonly at: number
  readonly answer: WireAnswer
  readonly random: Random
  /** Whether it may, or has to, come whole. */
  readonly mayBeWhole: boolean
  readonly mayFail: boolean
  /** Whether nothing tells the gateway of the fault but its timer. */
  readonly isSilent: boolean
  /** How long the fault itself takes, in ms. */
  readonly takesMs: number
  /** The model that it asks for, where it has one of its own. */
  readonly deployment?: string
  /** What toxiproxy does, where it is its fault. */
  readonly toxic?: Toxic
}

const KINDS: readonly OwnKind[] = [
  'reset',
  'close',
  'stall',
  'half-open',
  'truncated',
  'garbage',
  'slow',
  'sliced',
  'delayed',
]
const PLACES: readonly FaultPlace[] = ['before-headers', 'within-headers', 'mid-stream', 'end']

/** Of each kind in each place; the short form has fewer. */
const EACH = 100
const EACH_SHORT = 6

/** All cases of a run: of each kind and place as many, dealt out to the shapes in which that can happen and be seen. */
export function faultCases(seed: number, isShort: boolean): readonly FaultCase[] {
  return KINDS.flatMap((kind) =>
    PLACES.flatMap((place) => {
      const shapes = SHAPES.filter((shape) => canBeSeen(kind, place, shape))
      return Array.from({ length: shapes.length === 0 ? 0 : isShort ? EACH_SHORT : EACH }, (_, index) =>
        makeCase(seed, kind, place, shapes[index % shapes.length] as Shape, index),
      )
    }),
  )
}

/** What nobody between two servers can know of is no fault of a gateway: bytes that are as they should be but for their meaning. */
function canBeSeen(kind: OwnKind, place: FaultPlace, shape: Shape): boolean {
  const isInBody = place === 'mid-stream' || place === 'end'
  // Cut, and then brought to a proper end: where a length was told it can't be.
  if (kind === 'truncated') return isInBody && shape === 'stream-until-close'
  if (kind === 'garbage') return !isInBody || (place === 'mid-stream' && isChunked(shape))
  if (kind === 'sliced' || kind === 'delayed') return place === 'before-headers' || place === 'mid-stream'
  return true
}

function isChunked(shape: Shape): boolean {
  return shape === 'stream' || shape.endsWith('-chunked')
}

/** Makes a case: its seed and its id determine it. */
export function makeCase(seed: number, kind: FaultKind, place: FaultPlace, shape: Shape, index: number): FaultCase {
  const id = `${kind}/${place}/${shape}/${index}`
  const random = createRandom(seed, id)
  const answer = wireAnswer(shape, id)
  const isBenign = kind === 'sliced' || kind === 'delayed'
  return {
    ...{ id, kind, place, shape, answer, random },
    at: placeOf(kind, place, answer, random),
    mayBeWhole: isBenign || kind === 'slow',
    mayFail: !isBenign,
    isSilent:
      kind === 'stall' || kind === 'half-open' || kind === 'slow' || (kind === 'garbage' && place !== 'mid-stream'),
    takesMs: 0,
  }
}

function placeOf(kind: FaultKind, place: FaultPlace, { bodyAt, lastAt, piecesAt }: WireAnswer, random: Random): number {
  if (place === 'before-headers') return 0
  if (place === 'within-headers') return 1 + random.below(bodyAt - 2)
  if (place === 'end') return lastAt
  // Bytes of another framing are seen where framing stands, and between events there is room for one of ours.
  if (kind === 'garbage' || random.percent(40)) return random.pick(piecesAt.slice(1))
  return bodyAt + random.below(lastAt - bodyAt)
}
