import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installFromNpm } from './npm-package.ts'

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
const MODEL = 'gpt-5.5'
/** Nothing listens there: whatever leaves this machine would have to go through it. */
const NO_WAY_OUT = 'http://127.0.0.1:9'

/** Installs Codex from npm, once. */
export async function prepareCodex(): Promise<Codex> {
  const installed = await installFromNpm('@openai/codex', VERSION)
  return 'missing' in installed ? installed : { executable: `${installed.folder}/.bin/codex` }
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
