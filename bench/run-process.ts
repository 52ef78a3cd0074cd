import { closeSync, mkdirSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { listTree } from './process-tree.ts'

/** Where tools, virtual environments, configurations and logs of the bench live; not under version control. */
export const CACHE_DIR = join(import.meta.dir, '.cache')

const READY_POLL_MS = 1
const STOP_GRACE_MS = 3000

/** What it takes to start a program. */
export interface Launch {
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** A program that the bench has started. */
export interface RunningProcess {
  readonly pid: number
  readonly logPath: string
  stop(): Promise<void>
  /** Its exit code, once it has ended. */
  exitCode(): number | null
}

const running = new Set<number>()

function killTree(pid: number): void {
  for (const each of listTree(pid)) {
    try {
      process.kill(each, 'SIGKILL')
    } catch {
      // Already gone.
    }
  }
}

process.on('exit', () => {
  for (const pid of running) killTree(pid)
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** Starts a program with its output in a log file; it ends with the bench at the latest. */
export function runProcess(name: string, { command, env, cwd }: Launch): RunningProcess {
  const logs = join(CACHE_DIR, 'logs')
  mkdirSync(logs, { recursive: true })
  const logPath = join(logs, `${name}.log`)
  // One file for both, opened once, so that neither overwrites the other.
  const log = openSync(logPath, 'w')
  const child = Bun.spawn([...command], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LANG: 'C.UTF-8', ...env },
    stdin: 'ignore',
    stdout: log,
    stderr: log,
    ...(cwd === undefined ? {} : { cwd }),
  })
  closeSync(log)
  running.add(child.pid)
  return {
    pid: child.pid,
    logPath,
    exitCode: () => child.exitCode,
    async stop() {
      const timer = setTimeout(() => killTree(child.pid), STOP_GRACE_MS)
      const tree = listTree(child.pid)
      child.kill('SIGTERM')
      await child.exited
      clearTimeout(timer)
      running.delete(child.pid)
      // What a parent left behind.
      for (const pid of tree) if (pid !== child.pid) killTree(pid)
    },
  }
}

/** A port on 127.0.0.1 that nothing listens on. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port)
        else reject(new Error('no free port'))
      })
    })
  })
}

/** Sends requests until one is answered 200; throws where the program ends or is late. */
export async function awaitReady(
  started: RunningProcess,
  request: () => Promise<Response | undefined>,
  timeoutMs: number,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (performance.now() < end) {
    if (started.exitCode() !== null) throw new Error(`it ended at start, see ${started.logPath}`)
    // Refused until it listens.
    const answer = await request().catch(() => undefined)
    await answer?.arrayBuffer().catch(() => undefined)
    if (answer?.status === 200) return
    await Bun.sleep(READY_POLL_MS)
  }
  throw new Error(`it was not ready within ${timeoutMs / 1000} s, see ${started.logPath}`)
}
