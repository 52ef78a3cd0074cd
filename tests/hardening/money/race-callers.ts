import type { Random } from '../random.ts'
import type { RaceKeys } from './race-keys.ts'
import { WRITTEN_MAX } from './race-upstream.ts'

/** What callers have seen of their calls. */
export interface RaceCounts {
  answered: number
  /** By a limit on money, by money that is held for others, and because nobody could decide. */
  spent: number
  held: number
  undecided: number
  /** Because their key was made just now. */
  unknown: number
  /** By their own leaving, by a broken connection, and by the upstream's failures. */
  left: number
  broken: number
  failed: number
  /** Anything that should not be. */
  readonly others: Map<string, number>
}

/** Callers who race, and what they race for. */
export interface RaceForm {
  readonly callers: number
  /** By each of them. */
  readonly calls: number
  /** Nobody begins a call behind that time of `performance.now()`. */
  readonly until: number
  readonly keys: RaceKeys
  /** The nodes' addresses now. */
  readonly nodes: () => readonly string[]
  readonly random: Random
}

/** Of a thousand calls. */
const LEFT = 100
const STREAMED = 400
const HELD_REST_MS = 5
const AWAY_REST_MS = 20
/** Money is held by calls that end: so many times a caller tries again before it takes another key. */
const HELD_MAX = 50

const NOTHING = { answered: 0, spent: 0, held: 0, undecided: 0, unknown: 0, left: 0, broken: 0, failed: 0 }
const TO_REPEAT: ReadonlySet<unknown> = new Set(['broken', 'undecided', 'unknown'])

/** Has all callers make their calls: each goes on with the next key when the money of one is spent. */
export async function race(form: RaceForm): Promise<RaceCounts> {
  const counts = { ...NOTHING, others: new Map<string, number>() }
  await Promise.all(Array.from({ length: form.callers }, () => callOn(form, counts)))
  return counts
}

async function callOn({ calls, until, keys, nodes, random }: RaceForm, counts: RaceCounts): Promise<void> {
  let [at, waits] = [0, 0]
  for (let call = 0; call < calls && performance.now() < until; ) {
    const key = await keys.key(at)
    const all = nodes()
    const outcome = await ask(`${all[random.below(all.length)]}/v1/chat/completions`, key, random)
    if (typeof outcome === 'object') counts.others.set(outcome.other, (counts.others.get(outcome.other) ?? 0) + 1)
    else counts[outcome] += 1
    // A call that nobody could take is made again.
    if (!TO_REPEAT.has(outcome)) call += 1
    else await Bun.sleep(AWAY_REST_MS)
    if (outcome === 'held') await Bun.sleep(HELD_REST_MS)
    waits = outcome === 'held' ? waits + 1 : 0
    if (outcome !== 'spent' && waits < HELD_MAX) continue
    at += 1
    waits = 0
  }
}

type Outcome = Exclude<keyof RaceCounts, 'others'> | { readonly other: string }

async function ask(
  url: string,
  key: { readonly id: string; readonly secret: string },
  random: Random,
): Promise<Outcome> {
  const abort = new AbortController()
  const leaving = random.below(1000) < LEFT ? setTimeout(() => abort.abort(), random.below(12)) : undefined
  const stream = random.below(1000) < STREAMED
  try {
    const answer = await fetch(url, {
      method: 'POST',
      signal: abort.signal,
      headers: { authorization: `Bearer ${key.secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', max_tokens: WRITTEN_MAX, stream, user: key.id, messages: MESSAGES }),
    })
    const text = await answer.text()
    return outcomeOf(answer.status, text)
  } catch {
    return abort.signal.aborted ? 'left' : 'broken'
  } finally {
    clearTimeout(leaving)
  }
}

const MESSAGES = [{ role: 'user', content: 'How much may a call of a test cost?' }]

function outcomeOf(status: number, text: string): Outcome {
  if (status === 200) return 'answered'
  if (text.includes('insufficient_quota')) return 'spent'
  if (status === 429) return 'held'
  // What is left of a limit is less than any call may cost.
  if (status === 400 && text.includes('request_exceeds_limit')) return 'spent'
  if (status === 503) return 'undecided'
  // A key that was made just now is known within a second.
  if (status === 401) return 'unknown'
  if (status === 500 || status === 502 || status === 504) return 'failed'
  return { other: `${status} ${text.slice(0, 200)}` }
}
