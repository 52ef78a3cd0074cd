import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import packageJson from '../package.json' with { type: 'json' }
import { createAdmission } from '../src/access/admission.ts'
import { createApp } from '../src/app.ts'
import { loadConfig } from '../src/config/load.ts'
import { MemoryBudget } from '../src/exchange/memory-budget.ts'
import type { Books } from '../src/ledger/books.ts'
import { documentation } from '../src/server/routes/documentation.ts'
import { health } from '../src/server/routes/health.ts'
import { openaiRoutes } from '../src/server/routes/openai.ts'
import { organization } from '../src/server/routes/organization.ts'
import './architecture/documents.ts'
import './architecture/names.ts'
import './architecture/rooms.ts'
import './architecture/sizes.ts'
import { type Import, partOf, ROOT, SOURCES, type Source } from './architecture/sources.ts'

/** From the ground up: a part may import from those before it. Parts on one level do not know each other. */
const LEVELS: readonly (readonly string[])[] = [
  ['formats/', 'timing/'],
  ['openai/'],
  ['pricing/'],
  ['config/'],
  ['exchange/'],
  ['telemetry/'],
  ['ledger/', 'params/', 'storage/', 'upstream/'],
  ['access/', 'answers/'],
  ['routing/'],
  ['requests/'],
  ['cache/', 'cassettes/', 'extensions/', 'metering/'],
  ['administration/', 'gateway/'],
  ['server/'],
  ['app.ts'],
  ['demo/', 'process/'],
  ['cli/'],
  ['main.ts'],
]

function levelOf(part: string): number {
  return LEVELS.findIndex((parts) => parts.includes(part))
}

/** What each package may be imported by: files, and folders with all that is in them. */
const PACKAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['elysia', ['app.ts', 'server/']],
  ['@sinclair/typebox', ['administration/', 'cassettes/', 'cli/', 'config/', 'extensions/load/', 'openai/']],
  ['pino', ['telemetry/']],
  ['openai', ['cli/']],
  ['lru-cache', ['cache/', 'storage/']],
  ['yaml', ['cli/', 'config/']],
])

/** The edges of the program: all below speaks Web standards. */
const PLATFORM_PARTS: readonly string[] = [
  ...['main.ts', 'cli/', 'process/', 'server/http1/', 'server/websocket/'],
  ...['upstream/exact/', 'storage/', 'extensions/load/'],
  ...['ledger/counters/', 'ledger/sqlite/', 'ledger/postgres/', 'ledger/redis/'],
]

function isAtEdge({ path }: Source): boolean {
  return PLATFORM_PARTS.some((part) => path.startsWith(part))
}

/** Whether an import is of the runtime itself. */
function isPlatform(target: string): boolean {
  return target === 'bun' || /^(?:node|bun):/.test(target)
}

/** Where the way from file to file comes back to where it began. */
function findCycle(): string | undefined {
  const byPath = new Map(SOURCES.map((source) => [source.path, source]))
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): string | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(' → ')
    if (done.has(path)) return undefined
    for (const { target, isOurs } of byPath.get(path)?.imports ?? []) {
      const cycle = isOurs ? walk(target, [...trail, path]) : undefined
      if (cycle !== undefined) return cycle
    }
    done.add(path)
    return undefined
  }
  for (const { path } of SOURCES) {
    const cycle = walk(path, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}

/** The imports that break a rule, as lines for a person. */
function offending(breaks: (from: Source, one: Import) => boolean): string[] {
  return SOURCES.flatMap((source) =>
    source.imports.filter((one) => breaks(source, one)).map(({ target }) => `${source.path} imports ${target}`),
  )
}

/** The files that have something in them, with what it is. */
function containing(pattern: RegExp, textOf: (source: Source) => string = ({ code }) => code): string[] {
  return SOURCES.flatMap((source) => {
    const found = pattern.exec(textOf(source))?.[0]
    return found === undefined ? [] : [`${source.path}: ${found.trim()}`]
  })
}

describe('imports', () => {
  test('are read: the composition root has those that it is known to have', () => {
    const root = SOURCES.find(({ path }) => path === 'app.ts')
    expect(root?.imports).toContainEqual({ target: 'elysia', isOurs: false, isType: false })
    expect(root?.imports).toContainEqual({ target: 'server/cors.ts', isOurs: true, isType: false })
    expect(root?.imports).toContainEqual({ target: 'server/http-server.ts', isOurs: true, isType: true })
    expect(SOURCES.find(({ path }) => path === 'main.ts')?.imports).toContainEqual({
      target: 'cli/run-command.ts',
      isOurs: true,
      isType: false,
    })
    expect(SOURCES.length).toBeGreaterThan(100)
  })

  test('lead to files that exist, and every part of the tree has a level', () => {
    const paths = new Set(SOURCES.map(({ path }) => path))
    const known = (target: string): boolean => paths.has(target) || target === '../package.json'
    expect(offending((_from, { isOurs, target }) => isOurs && !known(target))).toEqual([])
    expect([...paths].filter((path) => levelOf(partOf(path)) === -1)).toEqual([])
  })

  /** Plain types of records, which everything may name: the principal has a key's, the file's `projects` make some. */
  const VOCABULARY: readonly string[] = ['ledger/records.ts']

  test('point one way: down the levels, from main.ts to formats/ and timing/', () => {
    const breaks = ({ path }: Source, { target, isOurs, isType }: Import): boolean =>
      isOurs &&
      target.endsWith('.ts') &&
      levelOf(partOf(target)) > levelOf(partOf(path)) &&
      !(isType && VOCABULARY.includes(target))
    expect(offending(breaks)).toEqual([])
  })

  test('are told in docs/architecture.md as they are here', () => {
    const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
    const told = /^Imports point down this list[\s\S]*?```text\n([\s\S]*?)```/m.exec(page)?.[1]?.trimEnd().split('\n')
    const levels = LEVELS.map((parts) => parts.map((part) => part.replace(/\/$/, '')))
    expect(told?.map((line) => line.split(/ +/).toSorted())).toEqual(
      levels.map((parts) => parts.toSorted()).toReversed(),
    )
  })

  test('never cross from stage to stage, except for types', () => {
    const breaks = ({ path }: Source, { target, isOurs, isType }: Import): boolean => {
      const [from, to] = [partOf(path), partOf(target)]
      return isOurs && !isType && from !== to && levelOf(from) === levelOf(to)
    }
    expect(offending(breaks)).toEqual([])
  })

  test('are free of cycles, types included', () => {
    expect(findCycle()).toBeUndefined()
  })

  test('of the simulated OpenAI stay within it: it must not share our mistakes', () => {
    expect(
      offending(({ path }, { target, isOurs }) => path.startsWith('demo/') && isOurs && partOf(target) !== 'demo/'),
    ).toEqual([])
  })

  test('of a package stand where it belongs: elysia only in app.ts and server/', () => {
    const breaks = ({ path }: Source, { target, isOurs }: Import): boolean => {
      if (isOurs || isPlatform(target)) return false
      const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? '')
      return PACKAGES.get(name)?.some((part) => path.startsWith(part)) !== true
    }
    expect(offending(breaks)).toEqual([])
    expect(Object.keys(packageJson.dependencies).toSorted()).toEqual([...PACKAGES.keys()].toSorted())
  })

  test('of the platform stand only at the edges', () => {
    const inside = SOURCES.filter((source) => !isAtEdge(source))
    expect(inside.filter(({ imports }) => imports.some(({ target }) => isPlatform(target)))).toEqual([])
    const inner = (source: Source): string =>
      isAtEdge(source) || source.path.endsWith('.json') ? '' : withoutTypes(source.text)
    expect(containing(/(?<![\w.'"`$])(?:process|Bun)\.\w+|\brequire\(|\b__dirname\b/, inner)).toEqual([])
  })
})

/** What is left at run time. */
function withoutTypes(text: string): string {
  return new Bun.Transpiler({ loader: 'ts', target: 'bun' }).transformSync(text)
}

/** Who may open a secret (`src/config/secret.ts`), and why. */
const OPENERS: ReadonlyMap<string, string> = new Map([
  ['access/authorize.ts', 'tokens are compared by their digests'],
  ['access/credentials.ts', 'what goes upstream, and the token that must not'],
  ['access/name-tokens.ts', 'a digest is the name of a token without one'],
  ['access/authorize-admin.ts', 'the key that manages is compared by its digest'],
  ['access/token-keys.ts', 'tokens are known by their digests'],
  ['cache/keys/scope.ts', 'only to be digested'],
  ['process/banner.ts', 'the kind of a store, without its address'],
  ['cli/cache.ts', 'opens the store'],
  ['cli/ledger.ts', 'opens the ledger'],
  ['cli/manage/admin-client.ts', 'opens the ledger'],
  ['process/cassettes/server-secrets.ts', 'what stars are put over'],
  ['process/listen-checks.ts', 'tries the key of TLS'],
  ['process/open-books.ts', 'opens the ledger'],
  ['process/open-cache-store.ts', 'opens the store'],
  ['process/open-limits.ts', 'opens the store of limits'],
  ['config/sections/token-list.ts', 'one token twice'],
  ['config/sections/tokens.ts', 'how long a token is'],
  ['config/check-whole.ts', 'whether the ledger is this memory'],
  ['config/open-secrets.ts', 'to another process of ours, and what has changed'],
  ['server/http1/listen.ts', 'the key of TLS'],
  ['gateway/generation.ts', 'whether the store is this memory'],
  ['routing/targets/deployment-registry.ts', 'what a deployment is known by over reloads'],
  ['ledger/declared-records.ts', 'only its digest is kept'],
  ['ledger/key-format.ts', 'its last four characters'],
  ['administration/new-secret.ts', 'a new key, shown this once'],
  ['ledger/postgres/postgres-connections.ts', 'connects'],
  ['routing/remembered-ids.ts', 'only to be digested'],
  ['upstream/mask.ts', 'what stars are put over'],
  ['upstream/egress.ts', "a proxy's address"],
  ['upstream/target.ts', 'parameters that each URL gets'],
])

describe('a secret', () => {
  test('is opened where its text is needed, and nowhere else', () => {
    const openers = SOURCES.filter(({ code }) => /\.reveal\(\)/.test(code)).map(({ path }) => path)
    expect(openers.filter((path) => !OPENERS.has(path))).toEqual([])
    expect([...OPENERS.keys()].filter((path) => !openers.includes(path))).toEqual([])
  })
})

describe('each file', () => {
  test('is TypeScript with a kebab-case name', () => {
    const names = SOURCES.map(({ path }) => path).filter(
      (path) =>
        path !== 'pricing/prices.json' && !/^([a-z0-9]+(-[a-z0-9]+)*[/])*[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path),
    )
    expect(names).toEqual([])
  })

  test('is no barrel: nothing is exported from elsewhere, and nothing is called index', () => {
    expect(containing(/^export\b[^=;]*?\sfrom\s'/m)).toEqual([])
    expect(SOURCES.filter(({ path }) => basename(path) === 'index.ts')).toEqual([])
  })

  test('has no default export', () => {
    expect(containing(/^export default\b|\bas default\b/m)).toEqual([])
  })

  test('is named after what it does: no utils, helpers, common, manager or service', () => {
    const vague = /(^|[-/])(utils?|helpers?|common|misc|shared|manager|service)s?([-/.]|$)/
    expect(SOURCES.filter(({ path }) => vague.test(path)).map(({ path }) => path)).toEqual([])
    expect(containing(/^export .*\b\w*(?:Utils?|Helpers?|Manager|Service)\b/m)).toEqual([])
  })

  test('has a doc comment at every export', () => {
    // A schema and its type share a name, and the comment.
    const isDocumentedAbove = (line: string): boolean => /^export type (\w+) = Static<typeof \1>$/.test(line)
    const bare = SOURCES.flatMap(({ path, text }) => {
      const lines = text.split('\n')
      return lines.flatMap((line, index) =>
        line.startsWith('export ') && !isDocumentedAbove(line) && !lines[index - 1]?.trimEnd().endsWith('*/')
          ? [`${path}:${index + 1} ${line}`]
          : [],
      )
    })
    expect(bare).toEqual([])
  })

  test('keeps the checks on: no any, nothing ignored, no console, nothing left to do', () => {
    expect(containing(/(?:[:<|&,]|\bas|=>|\bextends)\s*any\b(?=\s*(?:[;,)>\]=|&[{]|$))/m)).toEqual([])
    expect(containing(/@ts-(?:ignore|nocheck|expect-error)|biome-ignore|eslint-disable/, ({ text }) => text)).toEqual(
      [],
    )
    // The page at /docs shows code that has one.
    expect(
      containing(/(?<!\/)\bconsole\.\w+/).filter((line) => !line.startsWith('server/pages/quick-start.ts')),
    ).toEqual([])
    expect(containing(/\b(?:TODO|FIXME|XXX|HACK)\b/, ({ text }) => text)).toEqual([])
  })
})

describe('every route', () => {
  const OPEN = new Set([
    ...['/', '/docs', '/favicon.ico', '/health', '/healthz', '/livez', '/health/liveliness', '/health/liveness'],
    ...['/ready', '/readyz', '/health/readiness'],
  ])
  const loaded = loadConfig(
    { HOST: '127.0.0.1', REQUIRE_AUTH: 'true', API_TOKEN: 'a-token-of-more-than-16-characters' },
    { isTerminal: false, readFile: () => '' },
  )
  if (!loaded.ok) throw new Error('The configuration of this test is not valid.')
  const silent = (): void => undefined
  let upstreamCalls = 0
  const app = createApp({
    config: loaded.config,
    version: '0.0.0',
    log: { debug: silent, info: silent, warn: silent, error: silent, fatal: silent },
    sha256: (text) => new Bun.CryptoHasher('sha256').update(text).digest(),
    fetch: async () => {
      upstreamCalls += 1
      return new Response()
    },
  })
  const never = (): never => {
    throw new Error('nobody is let in here')
  }
  // The very plugins that the composition root uses, with what they need only when a request comes.
  const plugins = {
    health: health({
      admission: createAdmission({ inFlightMax: 1, callerSharePercent: 100 }),
      authorize: never,
      targets: never,
      workers: undefined,
    }),
    documentation: documentation({ version: '', authorize: never, isTls: false }),
    organization: organization({
      books: { limiter: { look: never } } as unknown as Books,
      adminKey: never,
      tokenKeys: never,
      sha256: never,
      memory: new MemoryBudget(0),
    }),
    openaiRoutes: openaiRoutes(
      {
        get admission() {
          return never()
        },
      } as unknown as Parameters<typeof openaiRoutes>[0],
      never,
      false,
    ),
  }
  const paths = Object.values(plugins).flatMap(({ routes }) => routes.map(({ path }) => path.replace('*', 'any/thing')))
  const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

  test('is known to this test: the composition root uses no other', () => {
    const used = SOURCES.find(({ path }) => path === 'app.ts')?.code.matchAll(/\.use\((\w+)\(/g)
    expect([...(used ?? [])].map(([, name]) => name)).toEqual(['errorHandler', ...Object.keys(plugins)])
    expect(paths).toContain('/v1/chat/completions')
    expect(paths).toContain('/any/thing')
  })

  test('but health, / and the docs page requires auth; nothing reaches the upstream without', async () => {
    const guarded = new Set([...paths, '/v1', '/v1/', '/v1/models', '/openapi.json', '/metrics', '/docs/', '/health/x'])
    for (const path of guarded) {
      for (const method of METHODS) {
        const { status } = await app.fetch(
          new Request(`http://localhost${path}`, { method, headers: { host: 'localhost' } }),
        )
        // A slash at the end makes no difference to the router.
        if (OPEN.has(path.replace(/(?<=.)\/$/, ''))) expect({ path, method, status }).not.toMatchObject({ status: 401 })
        else expect({ path, method, status }).toEqual({ path, method, status: 401 })
      }
    }
    expect(upstreamCalls).toBe(0)
    expect([...OPEN].filter((path) => !guarded.has(path))).toEqual([])
  })
})
