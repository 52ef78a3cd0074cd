/**
 * Measures a cache in memory that holds 100,000 answers: what the process has grown by, and how long a hit takes that is picked
 * of all of them, beside hits of one answer, beside each other in rounds. `bun bench/cache-entries.ts`, about 1 min.
 */
import { nexcode } from './gateways/nexcode.ts'
import { withFile } from './gateways/with-file.ts'
import { makeQuestion } from './load/bodies.ts'
import type { RequestFigures, Target } from './load/load.ts'
import { runOneByOne } from './load/one-by-one.ts'
import { median } from './median.ts'
import { MODELS } from './mock-answers.ts'
import { readResidentBytes } from './process-tree.ts'
import { chatTarget, post, startGateway, startUpstream } from './started-gateway.ts'

const ENTRIES = 100_000
const BOUND_MIB = 256
const MIB = 1024 * 1024
const FILLING_AT_ONCE = 64
const ROUNDS = 5
const ROUND_REQUESTS = 10_000

const cached = withFile('nexcode-entries', () => ({ cache: { max_bytes: BOUND_MIB * MIB, max_entries: ENTRIES } }))

await nexcode.prepare()
const upstream = await startUpstream()
const started = await startGateway(cached, upstream.port)
const { pid } = started.process
const grown = (before: number): string => `${Math.round((readResidentBytes(pid) - before) / MIB)} MiB`

/** A chat completion of one user of many. */
function targetOf(user: string): Target {
  const target = chatTarget(started, makeQuestion(), MODELS.json)
  const body = JSON.stringify({ ...(JSON.parse(target.body) as object), temperature: 0, user })
  return { ...target, body }
}

/** Keeps an answer for each number. */
async function fill(): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < ENTRIES) {
      const number = next
      next += 1
      await (await post(targetOf(`PICKED-${String(number).padStart(9, '0')}`))).arrayBuffer()
    }
  }
  await Promise.all(Array.from({ length: FILLING_AT_ONCE }, work))
}

/** Measures each target in turn, one request after the other. */
async function measureHits(when: string, targets: Readonly<Record<string, Target>>): Promise<void> {
  const figures = new Map(Object.keys(targets).map((name) => [name, [] as RequestFigures[]]))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, target] of Object.entries(targets)) {
      figures.get(name)?.push(await runOneByOne(target, ROUND_REQUESTS))
    }
  }
  for (const [name, rounds] of figures) {
    if (rounds.some(({ failed }) => failed > 0)) throw new Error(`${name}: requests failed`)
    const p50 = median(rounds.map(({ p50Ms }) => p50Ms))
    const p99 = median(rounds.map(({ p99Ms }) => p99Ms))
    const ratio = median(rounds.map(({ p50Ms, p99Ms }) => p99Ms / p50Ms))
    process.stdout.write(
      `entries: ${when}, ${name}: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms, p99 / p50 ${ratio.toFixed(2)}\n`,
    )
  }
}

const one = targetOf('PICKED-000000001')
const all = targetOf(`PICKED-${String(ENTRIES).padStart(9, '0')}`)
const forwarded = { ...one, body: one.body.replace('"temperature":0', '"temperature":1') }
await measureHits('nearly empty', { forwarded, 'hits of one': one })
const emptyBytes = readResidentBytes(pid)
await fill()
process.stdout.write(`entries: filled with ${ENTRIES}, grown by ${grown(emptyBytes)} of ${BOUND_MIB}\n`)
await measureHits('full', { 'hits of one': one, 'hits of all': all })
process.stdout.write(`entries: after all hits, grown by ${grown(emptyBytes)} of ${BOUND_MIB}\n`)
const looked = await post(targetOf('PICKED-000000002'))
process.stdout.write(`entries: the last look-up was a ${looked.headers.get('x-nexcode-cache')}\n`)
await Promise.all([started.process.stop(), upstream.process.stop()])
