import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { Env } from './kinds.ts'

/** A traced gateway that runs. */
export interface TracedGateway {
  readonly url: string
  /** Tells the recorder to begin or to end; resolves with what it has recorded. */
  readonly recorder: (word: 'start' | 'stop') => Promise<readonly number[]>
  /** Resolves when the log has one more line about an exchange. */
  readonly logged: () => Promise<void>
  readonly stop: () => Promise<void>
}

/**
 * Starts the gateway of an instrumented copy as a process of its own.
 *
 * @param copy the folder that holds the copy's src/
 * @param folder its working folder, with its configuration
 */
export async function startTracedGateway(copy: string, folder: string, env: Env): Promise<TracedGateway> {
  const socket = join(folder, 'trace.sock')
  const preload = new URL('./recorder.ts', import.meta.url).pathname
  const command = [process.execPath, '--no-env-file', '--preload', preload, join(copy, 'src/main.ts')]
  const child = Bun.spawn(command, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_FORMAT: 'json',
      TRACE_SOCKET: socket,
      // Without it the program replaces itself at its start (src/cli/request-capacity.ts), and the recorder with it.
      BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
      ...env,
    },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines = createInterface({ input: Readable.fromWeb(child.stdout) })[Symbol.asyncIterator]()
  const next = async (message: string): Promise<Readonly<Record<string, unknown>>> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`The gateway has ended; "${message}" was waited for.`)
      const line = JSON.parse(value) as Readonly<Record<string, unknown>>
      if (line['msg'] === message) return line
    }
  }
  const { url } = await next('listening')
  return {
    url: String(url),
    recorder: async (word) => (await fetch(`http://trace/${word}`, { unix: socket })).json() as Promise<number[]>,
    logged: async () => void (await next('exchange')),
    async stop() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
