import { spyOn } from 'bun:test'
import { runCommand } from '../../../src/cli/run-command.ts'

/** A command line that runs in this process, with what it would do to it caught. */
export interface ProgramRun {
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves with the first exit code. */
  readonly exited: Promise<number>
  /** The exit codes so far. */
  readonly codes: readonly number[]
  /** Resolves when the command gave a code, or goes on as a server. */
  readonly started: Promise<void>
  /** Calls what the program has put on an event of the process, such as a signal. */
  readonly emit: (event: string, ...values: unknown[]) => void
  /** Gives the process back. */
  readonly restore: () => void
}

/**
 * Runs a command line in this process, so that its coverage is seen: with an environment of its own, its output and
 * exit codes caught, and its listeners kept from the process.
 */
export function runInProcess(args: readonly string[], env: Readonly<Record<string, string>>): ProgramRun {
  const codes: number[] = []
  const exited = Promise.withResolvers<number>()
  const listeners = new Map<string, ((...values: unknown[]) => void)[]>()
  const before = { ...process.env }
  replaceEnv({ PATH: before['PATH'] ?? '', ...env })
  let stdout = ''
  let stderr = ''
  const listen = (event: string | symbol, listener: (...values: never[]) => void): NodeJS.Process => {
    listeners.set(String(event), [...(listeners.get(String(event)) ?? []), listener as () => void])
    return process
  }
  const spies = [
    spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += String(text)
      return true
    }),
    spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += String(text)
      return true
    }),
    spyOn(process, 'exit').mockImplementation((code) => {
      codes.push(Number(code))
      exited.resolve(Number(code))
      // The real one does not come back; whoever calls this one has nothing left to do.
      return undefined as never
    }),
    spyOn(process, 'on').mockImplementation(listen as typeof process.on),
    spyOn(process, 'once').mockImplementation(listen as typeof process.once),
  ]
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    exited: exited.promise,
    codes,
    started: runCommand(args),
    emit(event, ...values) {
      for (const listener of listeners.get(event) ?? []) listener(...values)
    },
    restore() {
      for (const spy of spies) spy.mockRestore()
      replaceEnv(before)
    },
  }
}

function replaceEnv(env: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(process.env)) delete process.env[name]
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value
}
