import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lastLine, runTool } from '../run-tool.ts'
import { FAMILIES, type Family, PROGRAMS } from './reader-families.ts'
import { createServerReader, type RealReader, ROUTES } from './real-reader.ts'

const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url))
/** For all of them together: what is not there by then is left out, and the suite has its time. */
const INSTALL_MS_MAX = 300_000

/** The real readers that run here, and what had to be left out, with the reason. */
export interface RealReaders {
  readonly readers: readonly RealReader[]
  readonly leftOut: readonly string[]
  readonly stop: () => Promise<void>
}

/** Installs what can be installed, and starts it. */
export async function startRealReaders(report: (line: string) => void): Promise<RealReaders> {
  const readers: RealReader[] = []
  const leftOut: string[] = []
  const children: Bun.Subprocess[] = []
  const endsAt = performance.now() + INSTALL_MS_MAX
  for (const family of FAMILIES) {
    report(`readers of ${family.name}`)
    const folder = await provide(family, endsAt)
    if ('missing' in folder) {
      leftOut.push(`${family.name}: ${folder.missing}`)
      continue
    }
    const child = Bun.spawn([...family.command(folder.path), JSON.stringify(ROUTES)], {
      ...{ stdin: 'pipe', stdout: 'pipe', stderr: 'ignore' },
    })
    children.push(child)
    const ports = await portsOf(child.stdout)
    if (ports.length === 0) leftOut.push(`${family.name}: it did not start`)
    readers.push(...ports.map(([name, port]) => createServerReader(name, port)))
  }
  return {
    ...{ readers, leftOut },
    async stop() {
      for (const child of children) child.kill('SIGKILL')
      await Promise.all(children.map(({ exited }) => exited))
    },
  }
}

async function portsOf(stdout: ReadableStream<Uint8Array>): Promise<readonly (readonly [string, number])[]> {
  let text = ''
  for await (const chunk of stdout) {
    text += new TextDecoder().decode(chunk)
    if (text.includes('\n')) return Object.entries(JSON.parse(text) as Readonly<Record<string, number>>)
  }
  return []
}

async function provide(
  family: Family,
  endsAt: number,
): Promise<{ readonly path: string } | { readonly missing: string }> {
  const { name, needs, install, files = {}, sources = [] } = family
  const texts = sources.map((source) => readFileSync(join(PROGRAMS, source), 'utf8'))
  const digest = Bun.hash(JSON.stringify([install(''), files, texts])).toString(36)
  const path = join(CACHE, `readers-${name}-${digest}`)
  const done = join(path, 'done')
  if (existsSync(done)) return { path }
  const lacking = needs.find((one) => Bun.which(one) === null)
  if (lacking !== undefined) return { missing: `${lacking} is missing` }
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  for (const source of sources) copyFileSync(join(PROGRAMS, source), join(path, source.split('/').at(-1) ?? source))
  for (const command of install(path)) {
    const end = await runTool(command, { cwd: path, msMax: Math.max(1, endsAt - performance.now()) })
    if (end.code !== 0) return { missing: `it can't be installed: ${lastLine(end)}` }
  }
  // Only what is there in full is taken for it the next time.
  writeFileSync(`${done}.part`, '')
  renameSync(`${done}.part`, done)
  return { path }
}
