import { readFileSync } from 'node:fs'
import pino from 'pino'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { readConfigFile } from '../../src/process/config-file.ts'
import { startGateway } from '../../src/process/gateway.ts'

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>

/** A gateway under test. */
export interface TestGateway {
  /** Without `/v1`. */
  readonly url: string
  readonly port: number
  /** The log's lines so far. */
  readonly lines: readonly LogLine[]
  /** Resolves with the first line that fits, past or future. */
  readonly line: (fits: (line: LogLine) => boolean) => Promise<LogLine>
  /** Resolves with the record of the n-th exchange (from 1) that has ended. */
  readonly exchange: (n: number) => Promise<LogLine>
  /** What the process wrote to stderr; always empty in process. */
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

/**
 * Starts a gateway on a free port of 127.0.0.1: in this process, or the binary that NEXCODE_BINARY names, so that
 * the same tests speak for both.
 */
export function startTestGateway(env: Env): Promise<TestGateway> {
  return BINARY === undefined ? startInProcess(env) : startProcess([BINARY], env)
}

/** Starts it as a process of its own, from source or the binary: for signals, exit codes and what happens at start. */
export function startGatewayProcess(env: Env, command: readonly string[] = gatewayCommand()): Promise<TestGateway> {
  return startProcess(command, env)
}

/** The command line of the program under test. */
export function gatewayCommand(): string[] {
  return BINARY === undefined ? [process.execPath, new URL('../../src/main.ts', import.meta.url).pathname] : [BINARY]
}

/** Tests repeat failing requests on purpose. */
const DEFAULTS: Env = { HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'json', LOG_LEVEL: 'info', MAX_FAILED_REPEATS: '0' }

async function startInProcess(env: Env): Promise<TestGateway> {
  const loaded = loadConfig(
    { ...DEFAULTS, ...env },
    { isTerminal: false, readFile: (path) => readFileSync(path, 'utf8') },
  )
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const config = await withFile(loaded.config, env)
  const log = createLines()
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

/** What a configuration file says, where the environment names one. */
async function withFile(config: Config, env: Env): Promise<Config> {
  if (config.file === undefined) return config
  const read = await readConfigFile(config.file, env, config)
  if (!read.ok) throw new Error(read.text)
  return { ...config, settings: read.settings }
}

const LAST_WORDS_MS = 300

async function startProcess(command: readonly string[], env: Env): Promise<TestGateway> {
  const child = Bun.spawn([...command], {
    env: { PATH: process.env['PATH'] ?? '', ...DEFAULTS, ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const log = createLines()
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

interface Lines extends Pick<TestGateway, 'lines' | 'line' | 'exchange'> {
  /** Takes text of the log, cut anywhere. */
  readonly take: (text: string) => void
}

function createLines(): Lines {
  const lines: LogLine[] = []
  const waiting = new Set<{ readonly fits: (line: LogLine) => boolean; readonly resolve: (line: LogLine) => void }>()
  let pending = ''
  const line = (fits: (line: LogLine) => boolean): Promise<LogLine> => {
    const had = lines.find(fits)
    if (had !== undefined) return Promise.resolve(had)
    return new Promise((resolve) => void waiting.add({ fits, resolve }))
  }
  return {
    lines,
    line,
    exchange(n: number): Promise<LogLine> {
      return line((candidate) => lines.filter(({ msg }) => msg === 'exchange').indexOf(candidate) === n - 1)
    },
    take(text: string): void {
      const parts = (pending + text).split('\n')
      pending = parts.pop() ?? ''
      for (const part of parts.filter((one) => one !== '')) {
        const parsed = JSON.parse(part) as LogLine
        lines.push(parsed)
        for (const one of waiting) {
          if (!one.fits(parsed)) continue
          waiting.delete(one)
          one.resolve(parsed)
        }
      }
    },
  }
}
