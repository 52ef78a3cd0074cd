import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The real Codex of this version, or why there is none. */
export type Codex =
  | { readonly executable: string }
  /** One line: what is missing, and how to get it. */
  | { readonly missing: string }

/** How a run of `codex exec` ended. */
export interface CodexEnd {
  readonly code: number
  /** What the agent said last. */
  readonly said: string
  readonly stderr: string
}

/** One folder of Codex's own: its home, and where it works. */
export interface CodexHome {
  /** Runs one prompt to its end. */
  readonly run: (prompt: string) => Promise<CodexEnd>
  readonly remove: () => Promise<void>
}

const VERSION = '0.171.0'
const ROOT = new URL('../../', import.meta.url).pathname
const FOLDER = `${ROOT}.cache/codex-${VERSION}`
const EXECUTABLE = `${FOLDER}/node_modules/.bin/codex`
const MODEL = 'gpt-5.5'
/** Nothing listens there: whatever leaves this machine would have to go through it. */
const NO_WAY_OUT = 'http://127.0.0.1:9'

/** Installs Codex from npm into `.cache/codex-VERSION`, once. */
export async function prepareCodex(): Promise<Codex> {
  if (existsSync(EXECUTABLE)) return { executable: EXECUTABLE }
  const node = Bun.which('node')
  if (node === null || Bun.which('npm') === null) {
    return { missing: 'node and npm are missing: install Node 20 or later, and run again' }
  }
  // Attachment its place, and moved there when it is complete, so that two test runs don't see half of one.
  const draft = `${FOLDER}-${process.pid}`
  await mkdir(draft, { recursive: true })
  const npm = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', draft]
  const child = Bun.spawn([...npm, `@openai/codex@${VERSION}`], { cwd: draft, stdout: 'ignore', stderr: 'pipe' })
  const stderr = await new Response(child.stderr).text()
  if ((await child.exited) === 0) {
    await rename(draft, FOLDER).catch(() => undefined)
  }
  await rm(draft, { recursive: true, force: true })
  if (existsSync(EXECUTABLE)) return { executable: EXECUTABLE }
  const reason = stderr.trim().split('\n').at(0) ?? 'npm did not start'
  return { missing: `@openai/codex ${VERSION} can't be installed (${reason}): make npm reachable, and run again` }
}

/** A file for Codex that changes its own provider's address, which begins with a WebSocket. */
export function ownProvider(baseUrl: string): string {
  return `model = "${MODEL}"\nopenai_base_url = "${baseUrl}"\n`
}

/** A file for Codex with a provider of the user's, which is spoken to by POST. */
export function customProvider(baseUrl: string): string {
  return `model = "${MODEL}"
model_provider = "gateway"

[model_providers.gateway]
name = "Gateway"
base_url = "${baseUrl}"
env_key = "CODEX_API_KEY"
wire_api = "responses"
`
}

/** Makes a home for Codex with a file of its own; `key` is what it sends. */
export async function createCodexHome(executable: string, config: string, key = 'sk-codex'): Promise<CodexHome> {
  const folder = await mkdtemp(join(tmpdir(), 'nexcode-codex-'))
  const [home, work] = [join(folder, 'home'), join(folder, 'work')]
  await mkdir(join(home, '.codex'), { recursive: true })
  await mkdir(work)
  await writeFile(join(home, '.codex', 'config.toml'), `${QUIET}${config}`)
  return {
    run: (prompt) => runCodex([executable, 'exec', '--skip-git-repo-check', '--json', prompt], home, work, key),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

const QUIET = 'check_for_update_on_startup = false\nanalytics.enabled = false\n'

async function runCodex(command: readonly string[], home: string, cwd: string, key: string): Promise<CodexEnd> {
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
  const child = Bun.spawn([...command], {
    cwd,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      CODEX_HOME: join(home, '.codex'),
      CODEX_API_KEY: key,
      NO_PROXY: '127.0.0.1',
      no_proxy: '127.0.0.1',
      ...Object.fromEntries(proxies.map((name) => [name, NO_WAY_OUT])),
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, said: lastSaid(stdout), stderr }
}

interface CodexEvent {
  readonly type: string
  readonly item?: { readonly type: string; readonly text?: string }
}

function lastSaid(stdout: string): string {
  const events = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as CodexEvent)
  return events.findLast(({ item }) => item?.type === 'agent_message')?.item?.text ?? ''
}
