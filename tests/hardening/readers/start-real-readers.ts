import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lastLine, runTool } from '../run-tool.ts'
import { createServerReader, type RealReader, ROUTES } from './real-reader.ts'

/** A family of real servers: how it is installed, once, into a folder of its own, and how it is run. */
interface Family {
  readonly name: string
  /** What must be there. */
  readonly needs: string
  /** In the order of their doing; a change of them is another folder. */
  readonly install: (folder: string) => readonly (readonly string[])[]
  /** Files beside: their names, and what is in them. */
  readonly files?: Readonly<Record<string, string>>
  /** Files of ours that are built. */
  readonly sources?: readonly string[]
  readonly command: (folder: string) => readonly string[]
}

const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url))
const PROGRAMS = fileURLToPath(new URL('./programs/', import.meta.url))
const INSTALL_MS_MAX = 420_000
/** What servers of models are built on (vLLM, SGLang, LiteLLM; Ollama, LocalAI, new-api). */
const FAMILIES: readonly Family[] = [
  {
    name: 'python',
    needs: 'python3',
    install: (folder) => [
      ['python3', '-m', 'venv', folder],
      [
        ...[join(folder, 'bin/pip'), 'install', '--quiet', 'aiohttp==3.14.5', 'fastapi==0.165.0', 'starlette==1.10.0'],
        ...['pydantic==2.14.4', 'uvicorn==0.54.0', 'python-multipart==0.0.34', 'orjson==3.13.0'],
        ...['flask==3.1.3', 'werkzeug==3.1.9', 'django==5.2.19'],
      ],
    ],
    command: (folder) => [join(folder, 'bin/python'), join(PROGRAMS, 'readers.py')],
  },
  {
    name: 'node',
    needs: 'node',
    files: { 'package.json': '{"private":true}' },
    install: () => [
      ...[['npm', 'install', '--no-audit', '--no-fund', 'express@5.3.0', 'multer@2.5.0', 'busboy@1.6.0', 'qs@6.17.1']],
    ],
    command: (folder) => ['node', join(PROGRAMS, 'readers.mjs'), folder],
  },
  {
    name: 'go',
    needs: 'go',
    files: {
      'go.mod': [
        'module readers\n\ngo 1.24\n\nrequire (\n\tgithub.com/bytedance/sonic v1.15.5',
        '\tgithub.com/gin-gonic/gin v1.12.0\n\tgithub.com/json-iterator/go v1.1.12\n)\n',
      ].join('\n'),
    },
    sources: ['go/readers.go'],
    install: () => [['go', 'build', '-mod=mod', '-o', 'readers', '.']],
    command: (folder) => [join(folder, 'readers')],
  },
]

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
  for (const family of FAMILIES) {
    report(`readers of ${family.name}`)
    const folder = await provide(family)
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

async function provide(family: Family): Promise<{ readonly path: string } | { readonly missing: string }> {
  const { name, needs, install, files = {}, sources = [] } = family
  const texts = sources.map((source) => readFileSync(join(PROGRAMS, source), 'utf8'))
  const digest = Bun.hash(JSON.stringify([install(''), files, texts])).toString(36)
  const path = join(CACHE, `readers-${name}-${digest}`)
  const done = join(path, 'done')
  if (existsSync(done)) return { path }
  if (Bun.which(needs) === null) return { missing: `${needs} is missing` }
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  for (const source of sources) copyFileSync(join(PROGRAMS, source), join(path, source.split('/').at(-1) ?? source))
  for (const command of install(path)) {
    const end = await runTool(command, { cwd: path, msMax: INSTALL_MS_MAX })
    if (end.code !== 0) return { missing: `it can't be installed: ${lastLine(end)}` }
  }
  // Only what is there in full is taken for it the next time.
  writeFileSync(`${done}.part`, '')
  renameSync(`${done}.part`, done)
  return { path }
}
