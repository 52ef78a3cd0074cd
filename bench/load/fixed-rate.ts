import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { percentile } from '../median.ts'
import { CACHE_DIR } from '../run-process.ts'
import { Unavailable } from '../unavailable.ts'
import type { RequestFigures, Target } from './load.ts'
import { writeBody } from './wrk.ts'

const MODULE = 'github.com/tsenart/vegeta/v12@v12.13.0'

/** Says where `vegeta` is; builds it from the Go module proxy where it is missing and Go is there. Throws `Unavailable`. */
export function provideVegeta(): string {
  const found = Bun.which('vegeta')
  if (found !== null) return found
  const bin = join(CACHE_DIR, 'bin')
  const path = join(bin, 'vegeta')
  if (existsSync(path)) return path
  const go = Bun.which('go')
  if (go === null) throw new Unavailable('vegeta is missing, and there is no Go to build it with')
  process.stderr.write('Building vegeta…\n')
  Bun.spawnSync([go, 'install', MODULE], { env: { ...process.env, GOBIN: bin }, stdout: 'ignore', stderr: 'ignore' })
  if (!existsSync(path)) throw new Unavailable('vegeta could not be built')
  return path
}

interface Hit {
  readonly sentMs: number
  readonly status: number
  readonly tookMs: number
  readonly order: number
}

// Columns of `vegeta encode -to csv`: time in ns, status, latency in ns, bytes out, bytes in, error, body, name, order, …
function parseHit(line: string): Hit {
  const fields = line.split(',')
  const field = (index: number) => Number(fields[index])
  return { sentMs: field(0) / 1e6, status: field(1), tookMs: field(2) / 1e6, order: field(8) }
}

/**
 * Sends requests at a fixed rate with `vegeta`, whether or not earlier ones have been answered. Latency counts from the moment at
 * which a request was *due*, so that a stall is felt by all that were due in it.
 */
export async function runFixedRate(target: Target, perSecond: number, seconds: number): Promise<RequestFigures> {
  const vegeta = provideVegeta()
  const dir = join(CACHE_DIR, 'run')
  mkdirSync(dir, { recursive: true })
  const results = join(dir, 'vegeta.bin')
  const headers = Object.entries(target.headers).map(([name, value]) => `-header=${name}: ${value}`)
  const attack = Bun.spawn(
    [
      vegeta,
      'attack',
      `-rate=${perSecond}/1s`,
      `-duration=${seconds}s`,
      `-body=${writeBody(target.body)}`,
      ...headers,
      '-timeout=30s',
      '-http2=false',
      '-max-body=0',
      `-output=${results}`,
    ],
    { stdin: new Blob([`POST ${target.url}\n`]), stdout: 'ignore', stderr: 'pipe' },
  )
  const problem = await new Response(attack.stderr).text()
  if ((await attack.exited) !== 0) throw new Error(`vegeta failed: ${problem.trim()}`)
  const encode = Bun.spawn([vegeta, 'encode', '-to', 'csv', results], { stdout: 'pipe', stderr: 'ignore' })
  const lines = (await new Response(encode.stdout).text()).trim().split('\n')
  return summarize(lines.map(parseHit), perSecond)
}

function summarize(hits: readonly Hit[], perSecond: number): RequestFigures {
  const gapMs = 1000 / perSecond
  // The attack began where the most punctual request says that it did.
  const beganMs = Math.min(...hits.map((hit) => hit.sentMs - hit.order * gapMs))
  const sinceDueMs = hits.map((hit) => hit.sentMs + hit.tookMs - (beganMs + hit.order * gapMs))
  const lastMs = Math.max(...hits.map((hit) => hit.sentMs + hit.tookMs))
  return {
    seconds: (lastMs - beganMs) / 1000,
    requests: hits.length,
    failed: hits.filter((hit) => hit.status !== 200).length,
    p50Ms: percentile(sinceDueMs, 0.5),
    p99Ms: percentile(sinceDueMs, 0.99),
  }
}
