import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayCommand } from '../../helpers/gateway-under-test.ts'
import { startRedis } from '../../helpers/redis.ts'
import { startGateway, type TestGateway } from '../../helpers/start-gateway.ts'
import { type PaymentLedger, SERVER_HEADER } from './payment-ledger.ts'
import type { World } from './play-history.ts'

/** A world that runs, and what can be done to it. */
export interface RunningWorld extends World {
  /** Has something happen to it now; undefined: nothing does. */
  readonly disturb: (() => Promise<void>) | undefined
  /** How often that is done while histories are played, in ms. */
  readonly everyMs: number
  readonly stop: () => Promise<void>
}

type File = Readonly<Record<string, unknown>>

const CACHE = { max_answer_bytes: 100_000 } as const
const REPORTED = { LOG_LEVEL: 'info' } as const

function upstreamOf({ baseUrl }: PaymentLedger, server: string): File {
  return { base_url: baseUrl, api_key: 'sk-server', headers: { [SERVER_HEADER]: server } }
}

/** A folder for one world's files. */
function makeFolder(): { readonly path: string; readonly write: (name: string, file: File) => string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'nexcode-payment-'))
  return {
    path,
    write(name, file) {
      const at = join(path, `${name}.yaml`)
      writeFileSync(`${at}.new`, JSON.stringify(file))
      renameSync(`${at}.new`, at)
      return at
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** One server that keeps what it knows in its memory; calls whose client has left run on. */
export async function startMemoryWorld(ledger: PaymentLedger): Promise<RunningWorld> {
  const folder = makeFolder()
  const file = { upstreams: { up: upstreamOf(ledger, 'one') }, cache: { store: 'memory', ...CACHE } }
  const path = folder.write('one', { ...file, on_client_disconnect: 'drain' })
  const gateway = await startGateway({ env: { NEXCODE_CONFIG: path, ...REPORTED } })
  return worldOf('memory', [gateway], { leavingFrees: false }, async () => folder.remove())
}

/** One server that hedges, and that retries whatever can be retried, where no key forbids it. */
export async function startHedgedWorld(ledger: PaymentLedger): Promise<RunningWorld> {
  const folder = makeFolder()
  const [first, second] = [upstreamOf(ledger, 'one'), upstreamOf(ledger, 'one')]
  const path = folder.write('one', {
    upstreams: { first, second },
    models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } },
    hedge: { percentile: 50, min: 1, budget: 100 },
    // A refusal is tried again by itself, and has cost nothing.
    retry: { attempts: 3, on: ['connect', 'reset', 'timeout', 500, 503] },
    cache: { store: 'memory', ...CACHE },
  })
  const gateway = await startGateway({ env: { NEXCODE_CONFIG: path, ...REPORTED } })
  // It hedges by the times that it has seen.
  for (let calls = 0; calls < 25; calls += 1) {
    const body = JSON.stringify({ model: 'smart', messages: [{ role: 'user', content: 'warm' }] })
    const headers = { 'content-type': 'application/json' }
    await (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })).text()
  }
  return worldOf('hedged', [gateway], { leavingFrees: true, model: 'smart' }, async () => folder.remove())
}

/** Two servers that share a store. */
export async function startSharedWorld(ledger: PaymentLedger, kind: 'sqlite' | 'redis'): Promise<RunningWorld> {
  const folder = makeFolder()
  const redis = kind === 'redis' ? await startRedis() : undefined
  const store = redis?.url ?? `sqlite:${join(folder.path, 'shared.db')}`
  const gateways = await Promise.all(
    ['one', 'two'].map((server) => {
      const file = { upstreams: { up: upstreamOf(ledger, server) }, cache: { store, ...CACHE } }
      return startGateway({ env: { NEXCODE_CONFIG: folder.write(server, file), ...REPORTED } })
    }),
  )
  return worldOf(kind, gateways, { leavingFrees: true }, async () => {
    await redis?.kill()
    folder.remove()
  })
}

/** One server whose store, rules and upstream change all the time. */
export async function startReloadedWorld(ledger: PaymentLedger): Promise<RunningWorld> {
  const folder = makeFolder()
  const up = { upstreams: { up: upstreamOf(ledger, 'one') }, on_client_disconnect: 'drain' }
  const files: readonly File[] = [
    { ...up, cache: { store: 'memory', ttl: '1h', ...CACHE } },
    { ...up, cache: { store: `sqlite:${join(folder.path, 'a.db')}`, ...CACHE } },
    { ...up, cache: { store: 'memory', ttl: '2h', ...CACHE }, params: [{ defaults: { temperature: 0.5 } }] },
    {
      ...up,
      upstreams: { other: upstreamOf(ledger, 'one') },
      cache: { store: `sqlite:${join(folder.path, 'b.db')}`, ...CACHE },
    },
    { ...up, cache: { store: `sqlite:${join(folder.path, 'a.db')}`, ...CACHE }, idempotency_window: '20m' },
  ]
  let turn = 0
  const write = (): string => folder.write('one', files[turn % files.length] ?? {})
  const gateway = await startGateway({ env: { NEXCODE_CONFIG: write(), LOG_LEVEL: 'info' }, command: gatewayCommand() })
  const world = worldOf('reloaded', [gateway], { leavingFrees: false }, async () => folder.remove())
  return {
    ...world,
    everyMs: 100,
    async disturb() {
      turn += 1
      write()
      gateway.child?.kill('SIGHUP')
    },
  }
}

/** Two servers whose Redis stands still again and again: shorter and longer than they wait for it. */
export async function startFailingWorld(ledger: PaymentLedger): Promise<RunningWorld> {
  const folder = makeFolder()
  const redis = await startRedis()
  const gateways = await Promise.all(
    ['one', 'two'].map((server) => {
      const file = { upstreams: { up: upstreamOf(ledger, server) }, cache: { store: redis.url, ...CACHE } }
      const path = folder.write(server, { ...file, on_client_disconnect: 'drain' })
      return startGateway({ env: { NEXCODE_CONFIG: path, ...REPORTED } })
    }),
  )
  let turn = 0
  const world = worldOf('failing', gateways, { leavingFrees: false, isDisturbed: true }, async () => {
    redis.resume()
    await redis.kill()
    folder.remove()
  })
  return {
    ...world,
    everyMs: 400,
    async disturb() {
      turn += 1
      redis.pause()
      await Bun.sleep(turn % 3 === 0 ? 2_500 : 300)
      redis.resume()
    },
  }
}

/** Two servers whose Redis is emptied again and again. */
export async function startEmptiedWorld(ledger: PaymentLedger): Promise<RunningWorld> {
  const folder = makeFolder()
  const redis = await startRedis()
  const raw = new Bun.RedisClient(redis.url)
  const gateways = await Promise.all(
    ['one', 'two'].map((server) => {
      const file = { upstreams: { up: upstreamOf(ledger, server) }, cache: { store: redis.url, ...CACHE } }
      const path = folder.write(server, { ...file, on_client_disconnect: 'drain' })
      return startGateway({ env: { NEXCODE_CONFIG: path, ...REPORTED } })
    }),
  )
  const world = worldOf('emptied', gateways, { leavingFrees: false, isDisturbed: true }, async () => {
    raw.close()
    await redis.kill()
    folder.remove()
  })
  return {
    ...world,
    everyMs: 1_900,
    disturb: async () => void (await raw.send('FLUSHALL', [])),
  }
}

/** One server of two workers, which share no store. */
export async function startWorkersWorld(ledger: PaymentLedger): Promise<RunningWorld> {
  const folder = makeFolder()
  const file = { upstreams: { up: upstreamOf(ledger, 'one') }, cache: { store: 'memory', ...CACHE } }
  const path = folder.write('one', { ...file, on_client_disconnect: 'drain' })
  const gateway = await startGateway({
    env: { NEXCODE_CONFIG: path, WORKERS: '2', LOG_LEVEL: 'info' },
    command: gatewayCommand(),
  })
  return worldOf('workers', [gateway], { leavingFrees: false }, async () => folder.remove())
}

/** Two servers, one of which is killed again and again, and comes back. */
export async function startKilledWorld(ledger: PaymentLedger, kind: 'sqlite' | 'redis'): Promise<RunningWorld> {
  const folder = makeFolder()
  const redis = kind === 'redis' ? await startRedis() : undefined
  const store = redis?.url ?? `sqlite:${join(folder.path, 'shared.db')}`
  const start = (server: string): Promise<TestGateway> => {
    const file = { upstreams: { up: upstreamOf(ledger, server) }, cache: { store, ...CACHE } }
    const path = folder.write(server, { ...file, on_client_disconnect: 'drain' })
    return startGateway({ env: { NEXCODE_CONFIG: path, ...REPORTED }, command: gatewayCommand() })
  }
  const gateways = await Promise.all([start('one'), start('two')])
  const world = worldOf(`killed-${kind}`, gateways, { leavingFrees: false, isDisturbed: true }, async () => {
    await redis?.kill()
    folder.remove()
  })
  return {
    ...world,
    everyMs: 150,
    async disturb() {
      const [killed] = gateways
      ledger.noteKilled('one')
      killed?.child?.kill('SIGKILL')
      await killed?.child?.exited
      gateways[0] = await start('one')
    },
  }
}

function worldOf(
  name: string,
  gateways: readonly TestGateway[],
  facts: Pick<World, 'leavingFrees'> & Partial<Pick<World, 'isDisturbed' | 'model'>>,
  cleanUp: () => Promise<void>,
): RunningWorld {
  return {
    ...{ name, isDisturbed: false, model: 'm', ...facts },
    servers: () => gateways.map(({ url }) => url),
    disturb: undefined,
    everyMs: 0,
    async stop() {
      await Promise.all(gateways.map((gateway) => gateway.stop()))
      await cleanUp()
    },
  }
}
