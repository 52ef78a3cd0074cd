/**
 * Says what a process holds by module: `npm run memory`. Each module is compiled into a program of its own, as NexCode is shipped,
 * started some times, and compared with a program that imports nothing. What two modules import both is counted for each of them.
 * `npm run memory -- src/params/rules.ts yaml` measures others. Linux only: it reads /proc.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { compile } from './compile.ts'

/** The parts of a server, and those that wait until they are wanted. */
const MODULES: readonly string[] = [
  'elysia',
  'pino',
  'lru-cache',
  '@sinclair/typebox/compiler',
  'src/server/http1/listen.ts',
  'src/gateway/core.ts',
  'src/app.ts',
  'src/process/serve-alone.ts',
  'src/config/load-settings.ts',
  'src/extensions/load/load-extensions.ts',
  'src/server/websocket/answer-upgrade.ts',
  'src/upstream/exact/fetch-exactly.ts',
  'src/storage/redis/redis-store.ts',
  'src/storage/sqlite/sqlite-store.ts',
  'src/openai/openapi-document.ts',
  'src/process/workers/supervise.ts',
  'src/cli/explain.ts',
  'src/cli/demo.ts',
  'src/cli/import.ts',
]
const STARTS = 5
/** How long a program rests before it is looked at: the runtime gives memory back a moment after its start. */
const REST_MS = 400

/** The memory of a process, in MB. */
interface Held {
  /** All that is resident. */
  readonly all: number
  /** Its own: heap, stacks, code compiled at run time. */
  readonly own: number
  /** Pages of the executable and of libraries, which processes of one binary share. */
  readonly files: number
}

const ROOT = resolve(import.meta.dir, '..')

/** Compiles a program that imports a module and does nothing with it, and gives the medians of what its starts hold. */
async function measure(module: string | undefined, folder: string): Promise<Held> {
  const from = module?.startsWith('src/') === true ? join(ROOT, module) : module
  // Kept where no compiler knows that nobody reads it.
  const imported = from === undefined ? '' : `import * as all from ${JSON.stringify(from)}\nglobalThis.imported = all\n`
  const entry = join(folder, 'entry.ts')
  writeFileSync(entry, `${imported}setTimeout(() => undefined, 60_000)\n`)
  const program = join(folder, 'out/program')
  if (!compile(entry, program)) throw new Error(`${module} could not be compiled`)
  const starts: Held[] = []
  for (let start = 0; start < STARTS; start += 1) starts.push(await startOnce(program))
  const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[STARTS >> 1] ?? 0
  return {
    all: median(starts.map(({ all }) => all)),
    own: median(starts.map(({ own }) => own)),
    files: median(starts.map(({ files }) => files)),
  }
}

async function startOnce(program: string): Promise<Held> {
  const child = Bun.spawn([program], { env: {}, stdout: 'ignore', stderr: 'inherit' })
  await Bun.sleep(REST_MS)
  const status = readFileSync(`/proc/${child.pid}/status`, 'latin1')
  const read = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6
  const held = { all: read('VmRSS'), own: read('RssAnon'), files: read('RssFile') }
  child.kill()
  await child.exited
  return held
}

mkdirSync(join(ROOT, '.cache'), { recursive: true })
const folder = mkdtempSync(join(ROOT, '.cache/memory-'))
try {
  const chosen = process.argv.slice(2)
  const bare = await measure(undefined, folder)
  const row = (name: string, { all, own, files }: Held): string =>
    `| ${name} | ${all.toFixed(1)} | ${own.toFixed(1)} | ${files.toFixed(1)} |\n`
  process.stdout.write('| module | RSS, MB | its own | pages of files |\n|---|---:|---:|---:|\n')
  process.stdout.write(row('the runtime alone', bare))
  for (const module of chosen.length > 0 ? chosen : MODULES) {
    const { all, own, files } = await measure(module, folder)
    const added = { all: all - bare.all, own: own - bare.own, files: files - bare.files }
    process.stdout.write(row(`\`${module}\` adds`, added))
  }
} finally {
  rmSync(folder, { recursive: true })
}
