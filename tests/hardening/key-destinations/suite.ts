import { createRandom } from '../random.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { type Origins, startOrigins } from './origins.ts'
import { mixPlaces, PLACES, type Place } from './places.ts'
import { REDIRECTS } from './redirects.ts'
import { type KeyCase, sendCase } from './send-case.ts'
import { type Setup, startSetups } from './setups.ts'
import { type Sink, startSink } from './sink.ts'
import { startWrongGateway } from './wrong-gateway.ts'

/** Each has a sink of its own, so that a visit is that of one case. */
const AT_ONCE = 24
const MIXED = 2000
/** In the short form one of so many is sent. */
const SHORT_SHARE = 12
const REPORT_EVERY = 500

interface Outcome {
  readonly failures: readonly HardeningFailure[]
  readonly requests: number
  readonly keyBytes: number
}

/** Every place with one way in which a key is spent, and every redirect with all of them. */
function casesFor(setups: readonly Setup[], { seed, isShort, only }: HardeningRun): readonly KeyCase[] {
  const random = createRandom(seed, 'key-destinations')
  const caseOf = (setup: Setup, place: Place): KeyCase => ({ id: `${setup.name}/${place.id}`, setup, place })
  const mixed = setups.flatMap((setup) =>
    Array.from({ length: Math.ceil(MIXED / setups.length) }, (_, at) => {
      const id = `mixed-${at}`
      return caseOf(setup, mixPlaces(id, createRandom(seed, `${setup.name}/${id}`)))
    }),
  )
  const known = setups.flatMap((setup) => [...PLACES, ...REDIRECTS].map((place) => caseOf(setup, place)))
  const all = [...known, ...mixed]
  if (only !== undefined) return all.filter(({ id }) => id === only)
  return isShort ? all.filter(() => random.below(SHORT_SHARE) === 0) : all
}

async function sendAll(cases: readonly KeyCase[], report: HardeningRun['report']): Promise<Outcome> {
  const failures: HardeningFailure[] = []
  let [requests, keyBytes, done] = [0, 0, 0]
  const iterator = cases[Symbol.iterator]()
  const sinks = await Promise.all(Array.from({ length: Math.min(AT_ONCE, cases.length) }, startSink))
  const work = async (sink: Sink): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      const outcome = await sendCase(next.value, sink)
      requests += outcome.visit?.connections ?? 0
      keyBytes += outcome.keyBytes
      if (outcome.message !== undefined) failures.push({ id: next.value.id, message: outcome.message })
      done += 1
      if (done % REPORT_EVERY === 0) report(`${done.toLocaleString('en')} of ${cases.length.toLocaleString('en')}`)
    }
  }
  try {
    await Promise.all(sinks.map(work))
    const late = sinks.flatMap((sink) => sink.take() ?? [])
    if (late.length > 0)
      failures.push({ id: 'late', message: `a sink was visited later: ${late[0]?.text.slice(0, 200)}` })
    return { failures, requests, keyBytes }
  } finally {
    for (const sink of sinks) sink.close()
  }
}

async function withOrigins<T>(use: (origins: Origins) => Promise<T>): Promise<T> {
  const origins = await startOrigins()
  try {
    return await use(origins)
  } finally {
    origins.close()
  }
}

function run(options: HardeningRun): Promise<HardeningResult> {
  return withOrigins(async (origins) => {
    const setups = await startSetups(origins)
    try {
      const cases = casesFor(setups.all, options)
      const { failures, requests, keyBytes } = await sendAll(cases, options.report)
      const forwarded = cases.reduce((sum, { id, setup }) => sum + setup.origin.hostsOf(id).length, 0)
      const figures = { 'requests at the sink': requests, 'key bytes at the sink': keyBytes, forwarded }
      return { cases: cases.length, failures, figures }
    } finally {
      await setups.stop()
    }
  })
}

/** What the stand-in does wrong, in each of its ways. */
const SEEN = [
  ...['target/double-slash/GET', 'target/absolute/GET', 'header/x-target-url/url', 'body/base_url'],
  ...['redirect/302/other-port/get', 'redirect/307/other-host/chat'],
]
const UNHURT = ['query/url', 'redirect/302/same-origin/get']

/** The stand-in goes where a client says, and where a redirect leads: each has to be seen, and nothing else. */
function prove(): Promise<void> {
  return withOrigins(async (origins) => {
    const wrong = await startWrongGateway(origins.plain)
    try {
      const places = [...PLACES, ...REDIRECTS].filter(({ id }) => SEEN.includes(id) || UNHURT.includes(id))
      const cases = places.map((place) => ({ id: place.id, setup: wrong, place }))
      const { failures, keyBytes } = await sendAll(cases, () => undefined)
      const missed = SEEN.filter((id) => !failures.some((failure) => failure.id === id))
      if (missed.length > 0) throw new Error(`Not seen: ${missed.join(', ')}.`)
      if (keyBytes === 0) throw new Error('The key at the sink was not seen.')
      const wrongly = failures.filter(({ id }) => UNHURT.includes(id))
      if (wrongly.length > 0) throw new Error(`Taken for a fault: ${JSON.stringify(wrongly)}.`)
    } finally {
      wrong.stop()
    }
  })
}

/** Promise 3: every place where a client could name a host, and every redirect, with each header that carries a key. */
export const suite: HardeningSuite = {
  number: 3,
  name: 'key-destinations',
  promise: 'Keys go to the configured origin only, wherever a client names another host and wherever a redirect leads',
  prove,
  run,
}
