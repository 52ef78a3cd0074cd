import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MODELS } from '../mock-answers.ts'
import { Unavailable } from '../unavailable.ts'
import { CALLER_KEY, CALLER_TOKEN, type Gateway, PLAIN } from './gateway.ts'
import { WORKERS } from './workers.ts'

const ROOT = join(import.meta.dir, '../..')

/** The binary that is measured: `NEXCODE_BINARY`, or what `npm run build` makes. */
function binaryPath(): string {
  return process.env['NEXCODE_BINARY'] ?? join(ROOT, 'dist/nexcode')
}

function isStale(binary: string): boolean {
  if (!existsSync(binary)) return true
  const built = statSync(binary).mtimeMs
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  return sources.some((source) => statSync(join(ROOT, 'src', source)).mtimeMs > built)
}

async function prepare(): Promise<string> {
  const binary = binaryPath()
  if (process.env['NEXCODE_BINARY'] === undefined && isStale(binary)) {
    process.stderr.write('Building dist/nexcode, which is missing or older than src/…\n')
    const build = Bun.spawnSync([process.execPath, 'scripts/build.ts'], { cwd: ROOT, stdout: 'ignore' })
    if (!build.success) throw new Unavailable('the build failed')
  }
  const version = Bun.spawnSync([binary, '--version'])
  if (!version.success) throw new Unavailable(`${binary} does not run`)
  return version.stdout.toString().trim().split(' ').at(-1) ?? 'unknown'
}

/** Writes the file of a usual gateway: a model with a fallback at another upstream, and a cap. */
function writeModels(dir: string, upstreamPort: number): string {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, 'models.yaml')
  const upstream = { base_url: `http://127.0.0.1:${upstreamPort}/v1`, auth: 'caller' }
  const file = {
    upstreams: { first: upstream, second: upstream },
    models: { [MODELS.json]: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } },
    params: [{ clamp: { max_tokens: { max: 100_000 } } }],
  }
  writeFileSync(path, JSON.stringify(file))
  return path
}

/** The upstream of a gateway whose callers have a token or a key, in a file. */
function upstreamsOf(upstreamPort: number): object {
  return { up: { base_url: `http://127.0.0.1:${upstreamPort}/v1`, api_key: 'sk-bench-server-0123456789abcdef' } }
}

/** Writes the file of a gateway with one token: what a key of a ledger costs is seen beside it. */
function writeToken(dir: string, upstreamPort: number): string {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, 'token.yaml')
  writeFileSync(path, JSON.stringify({ upstreams: upstreamsOf(upstreamPort) }))
  return path
}

/** Writes the file of a key with rates and budgets, in itself and in its project, and a price for what it asks. */
function writeMetered(dir: string, upstreamPort: number): string {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, 'metered.yaml')
  const rates = { '*': { max_requests_per_1_minute: 100_000_000, max_tokens_per_1_minute: 2_000_000_000 } }
  const file = {
    upstreams: upstreamsOf(upstreamPort),
    ledger: { store: `sqlite:${join(dir, 'ledger.sqlite')}` },
    prices: { 'bench-*': { input: 2.5, output: 10 } },
    projects: {
      bench: {
        spend_limit: { month: 1_000_000 },
        keys: { caller: { key: CALLER_KEY, spend_limit: { day: 1_000_000 }, rate_limits: rates } },
      },
    },
  }
  writeFileSync(path, JSON.stringify(file))
  return path
}

/** NexCode as it is shipped: the binary with all defaults, its log line for each exchange written to a file. */
export const nexcode: Gateway = {
  ...PLAIN,
  name: 'nexcode',
  kind: 'ours',
  settings: `dist/nexcode, ${WORKERS === undefined ? 'all defaults' : `WORKERS=${WORKERS}`}: checks, record and log line per exchange on, log to a file`,
  prepare,
  launch: ({ port, upstreamPort, dir, setup }) => ({
    command: [binaryPath()],
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      OPENAI_API_BASE: `http://127.0.0.1:${upstreamPort}/v1`,
      OPENAI_API_KEY: 'sk-bench-server-0123456789abcdef',
      ...(WORKERS === undefined ? {} : { WORKERS }),
      ...(setup === 'auth' ? { REQUIRE_AUTH: 'true', API_TOKEN: CALLER_TOKEN } : {}),
      ...(setup === 'cache' ? { CACHE: 'memory' } : {}),
      ...(setup === 'token'
        ? { REQUIRE_AUTH: 'true', API_TOKEN: CALLER_TOKEN, NEXCODE_CONFIG: writeToken(dir, upstreamPort) }
        : {}),
      ...(setup === 'metered'
        ? { REQUIRE_AUTH: 'true', API_TOKEN: CALLER_TOKEN, NEXCODE_CONFIG: writeMetered(dir, upstreamPort) }
        : {}),
      ...(setup === 'models' ? { NEXCODE_CONFIG: writeModels(dir, upstreamPort) } : {}),
    },
  }),
  readyPath: '/health',
  fillsModel: true,
  setups: ['auth', 'cache', 'models', 'token', 'metered'],
  binary: binaryPath,
}
