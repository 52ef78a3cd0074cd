import { createRandom } from '../random.ts'
import type { HardeningRun } from '../suite.ts'
import { AROUND } from './cases/around.ts'
import { CHUNKS } from './cases/chunks.ts'
import { CODINGS } from './cases/codings.ts'
import { HEADER_LINES } from './cases/header-lines.ts'
import { LENGTHS } from './cases/lengths.ts'
import { REQUEST_LINES } from './cases/request-lines.ts'
import { mutate } from './mutate.ts'
import type { RawCase } from './raw-case.ts'
import { tagged } from './tag.ts'

/** A connection to be made. */
export interface RawJob {
  /** `lengths.12/whole`, `/bytes`, `/cut-37`; or `mutation-17`. */
  readonly id: string
  /** By which its tag is made; the same in each run. */
  readonly number: number
  readonly text: string
  readonly parts: readonly Buffer[]
  /** The hand-written case; undefined: a mutation. */
  readonly raw: RawCase | undefined
  /** Whether the server's timer is waited for. */
  readonly isPatient: boolean
}

/** Every hand-written case. */
export const CASES: readonly RawCase[] = [
  ...REQUEST_LINES,
  ...HEADER_LINES,
  ...LENGTHS,
  ...CODINGS,
  ...CHUNKS,
  ...AROUND,
]

const MUTATIONS = 100_000
const MUTATIONS_SHORT = 1500
/** As many places of a text are cut at, those that matter: around line ends, blanks, colons and semicolons. */
const CUTS_MAX = 32
/** A longer text goes in pieces rather than in bytes. */
const PIECES_MAX = 500
/** Room for each hand-written case's numbers before those of the next. */
const NUMBERS_PER_CASE = CUTS_MAX + 2

/** All connections of a run, one after the other. */
export function* rawJobs(options: HardeningRun): Generator<RawJob> {
  yield* handWritten(options)
  const { seed, isShort, only } = options
  const first = CASES.length * NUMBERS_PER_CASE
  const count = isShort && only === undefined ? MUTATIONS_SHORT : MUTATIONS
  for (let index = 0; index < count; index += 1) {
    const id = `mutation-${index}`
    if (only === undefined || id === only) yield mutationOf(id, seed, first + index)
  }
}

/** How many there are, for a person who waits. */
export function countJobs(options: HardeningRun): number {
  if (options.only !== undefined) return 1
  return [...handWritten(options)].length + (options.isShort ? MUTATIONS_SHORT : MUTATIONS)
}

function* handWritten({ isShort, only }: HardeningRun): Generator<RawJob> {
  for (const [index, raw] of CASES.entries()) {
    if (only !== undefined && !only.startsWith(`${raw.id}/`)) continue
    for (const job of jobsOf(raw, index * NUMBERS_PER_CASE, isShort && only === undefined)) {
      if (only === undefined || job.id === only) yield job
    }
  }
}

function mutationOf(id: string, seed: number, number: number): RawJob {
  const random = createRandom(seed, id)
  const text = mutate(random, number)
  // Most come whole; some are cut in two, anywhere.
  const at = random.percent(25) && text.length > 1 ? 1 + random.below(text.length - 1) : 0
  return { id, number, text, parts: split(text, at === 0 ? [] : [at]), raw: undefined, isPatient: false }
}

function* jobsOf(raw: RawCase, from: number, isShort: boolean): Generator<RawJob> {
  const job = (name: string, number: number, cuts: readonly number[] | undefined): RawJob => {
    const text = tagged(raw.text, number)
    const parts = split(text, cuts ?? everywhere(text))
    return {
      id: `${raw.id}/${name}`,
      number,
      text,
      parts,
      raw,
      isPatient: raw.isUnfinished && name === 'whole' && !isShort,
    }
  }
  yield job('whole', from, [])
  if (!isShort || from % 4 === 0) yield job('bytes', from + 1, undefined)
  const cuts = placesOf(tagged(raw.text, from + 2))
  const chosen = isShort ? cuts.slice(0, 1) : cuts
  for (const [index, at] of chosen.entries()) yield job(`cut-${at}`, from + 2 + index, [at])
}

function placesOf(text: string): readonly number[] {
  const all = [...text.matchAll(/(?<=[\r\n:; ])|(?=[\r\n:; ])/g)].map(({ index }) => index)
  const inside = all.filter((at) => at > 0 && at < text.length)
  const step = Math.max(1, inside.length / CUTS_MAX)
  return Array.from({ length: Math.min(inside.length, CUTS_MAX) }, (_, index) => inside[Math.floor(index * step)] ?? 1)
}

function everywhere(text: string): readonly number[] {
  const step = Math.ceil(text.length / PIECES_MAX)
  return Array.from({ length: Math.ceil(text.length / step) - 1 }, (_, index) => (index + 1) * step)
}

function split(text: string, cuts: readonly number[]): readonly Buffer[] {
  return [0, ...cuts].map((from, index) => Buffer.from(text.slice(from, cuts[index]), 'latin1'))
}
