import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { HardeningFailure, HardeningResult } from '../../tests/hardening/suite.ts'
import type { SuiteMessage, SuiteOrder } from './suite-process.ts'

/** How a suite went. */
export interface SuiteRun {
  readonly name: string
  readonly cases: number
  readonly failures: readonly HardeningFailure[]
  readonly figures: HardeningResult['figures']
  readonly seconds: number
}

/** What a run of a suite needs beside its order. */
export interface RunSuiteOptions {
  /** The binary under test. */
  readonly binary: string
  /** After so long it is ended, with all that it started. */
  readonly msMax: number
  readonly onProgress: (line: string) => void
}

const PROCESS = fileURLToPath(new URL('suite-process.ts', import.meta.url))
/** What a suite says on stderr is kept to this extent, for the case that it breaks off. */
const SAID_CHARS_MAX = 4000
/** What is wrong with a suite as a whole stands under this id. */
const WHOLE = 'whole'

/**
 * Runs one suite in a process of its own. Never rejects: one that breaks off, hangs or can't show that it can fail has a failure that
 * says so.
 *
 * @example
 * const { cases, failures } = await runSuite({ folder, name: 'raw-http', seed: 1, isShort: false, only: undefined }, options)
 */
export async function runSuite(order: SuiteOrder, { binary, msMax, onProgress }: RunSuiteOptions): Promise<SuiteRun> {
  const startedAt = performance.now()
  // A group of its own: whatever it started ends with it.
  const child = spawn(process.execPath, ['--no-env-file', PROCESS, JSON.stringify(order)], {
    env: { ...process.env, NEXCODE_BINARY: binary },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
  })
  let said = ''
  let result: HardeningResult | undefined
  let problem: string | undefined
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-SAID_CHARS_MAX)
  })
  child.on('message', (message: SuiteMessage) => {
    if (message.kind === 'progress') onProgress(message.line)
    else if (message.kind === 'proved') onProgress('has shown that it can fail')
    else if (message.kind === 'result') result = message.result
    else problem = message.message
  })
  const timer = setTimeout(() => {
    problem = `It took longer than ${Math.round(msMax / 1000)} s.`
    endGroup(child.pid)
  }, msMax)
  const leave = (): void => endGroup(child.pid)
  process.once('exit', leave)
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      problem ??= String(error)
      resolve(null)
    })
    child.once('close', resolve)
  })
  clearTimeout(timer)
  process.off('exit', leave)
  endGroup(child.pid)
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  if (result === undefined) problem ??= `It broke off with exit code ${code}. ${said}`
  const failures = [...(result?.failures ?? []), ...wholeFailures(problem, result, order.only)]
  return { name: order.name, cases: result?.cases ?? 0, failures, figures: result?.figures ?? {}, seconds }
}

function wholeFailures(
  problem: string | undefined,
  result: HardeningResult | undefined,
  only: string | undefined,
): readonly HardeningFailure[] {
  if (problem !== undefined) return [{ id: WHOLE, message: problem }]
  if (result?.cases !== 0) return []
  return [{ id: WHOLE, message: only === undefined ? 'It ran no case.' : `It has no case ${JSON.stringify(only)}.` }]
}

/** Ends a process and all that it started; what is gone already is left alone. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
