import { readFileSync } from 'node:fs'
import pino from 'pino'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { readConfigFile } from '../../src/process/config-file.ts'
import { startGateway } from '../../src/process/gateway.ts'
import { createLogLines, type LogLines } from './log-lines.ts'

/** A gateway that listens, in this process or in one of its own. */
export interface GatewayUnderTest extends LogLines {
  /** Without `/v1`. */
  readonly url: string
  readonly port: number
  /** Text that the process wrote to stderr; always empty in process. */
  readonly stderr: () => string
  /** Ends it, with its connections. */
  readonly stop: () => Promise<void>
  /** The process, where it runs in one of its own. */
  readonly child: Bun.Subprocess | undefined
}

/** The environment of a gateway: NexCode's own variables, and nothing of this process's. */
export type Env = Readonly<Record<string, string>>

/** The executable under test; without one the gateway runs in this process, from source. */
export const BINARY = process.env['NEXCODE_BINARY']

/** The command line of the program under test. */
export function gatewayCommand(): string[] {
  return BINARY === undefined ? [process.execPath, new URL('../../src/main.ts', import.meta.url).pathname] : [BINARY]
}

/** Tests repeat failing requests on purpose. */
const DEFAULTS: Env = { HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'json', LOG_LEVEL: 'info', MAX_FAILED_REPEATS: '0' }

/** Runs a gateway on a free port of 127.0.0.1: by this command, else by the binary under test, else in this process. */
export function runGateway(env: Env, command?: readonly string[]): Promise<GatewayUnderTest> {
  if (command !== undefined) return runProcess(command, { ...DEFAULTS, ...env })
  return BINARY === undefined ? runInProcess({ ...DEFAULTS, ...env }) : runProcess([BINARY], { ...DEFAULTS, ...env })
}

async function runInProcess(env: Env): Promise<GatewayUnderTest> {
  const loaded = loadConfig(env, { isTerminal: false, readFile: (path) => readFileSync(path, 'utf8') })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const config = await withFile(loaded.config, env)
  const log = createLogLines()
  const gateway = await startGateway(config, pino({ level: config.log.level, base: null }, { write: log.take }))
  return {
    ...log,
    url: gateway.url,
    port: gateway.port,
    stderr: () => '',
    child: undefined,
    stop: () => gateway.abandon(),
  }
}

/** The configuration with its file's settings, where the environment names a file. */
async function withFile(config: Config, env: Env): Promise<Config> {
  if (config.file === undefined) return config
  const read = await readConfigFile(config.file, env, config)
  if (!read.ok) throw new Error(read.text)
  return { ...config, settings: read.settings }
}

const LAST_WORDS_MS = 300

async function runProcess(command: readonly string[], env: Env): Promise<GatewayUnderTest> {
  const child = Bun.spawn([...command], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const log = createLogLines()
  let stderr = ''
  const decoder = new TextDecoder()
  const readOut = async (): Promise<void> => {
    for await (const chunk of child.stdout) log.take(decoder.decode(chunk, { stream: true }))
  }
  const readErr = async (): Promise<void> => {
    for await (const chunk of child.stderr) stderr += new TextDecoder().decode(chunk)
  }
  const read = [readOut(), readErr()]
  // A process may be gone before its last words have been read; where it left children, they keep the pipe open.
  const heard = child.exited.then(async (code) => {
    await Promise.race([Promise.all(read), Bun.sleep(LAST_WORDS_MS)])
    return code
  })
  Object.defineProperty(child, 'exited', { value: heard })
  const listening = await Promise.race([
    log.line(({ msg }) => msg === 'listening'),
    child.exited.then(async (code) => {
      await Promise.all(read)
      throw new Error(`The gateway ended with ${code}: ${stderr}`)
    }),
  ])
  const url = String(listening['url'])
  return {
    ...log,
    url,
    port: Number(new URL(url).port),
    stderr: () => stderr,
    child,
    async stop() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
