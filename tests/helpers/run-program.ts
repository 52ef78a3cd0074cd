import { type Env, gatewayCommand } from './gateway-under-test.ts'

/** How a program ended, and what it said. */
export interface ProgramEnd {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Where a program runs. */
export interface ProgramOptions {
  readonly cwd?: string
  /** The program under test, and what stands before it, such as another user's id. */
  readonly command?: readonly string[]
}

/** The environment of a program: what is needed to find others, and the variables given. */
export function programEnv(env: Env): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...env }
}

/** Runs the program under test to its end. */
export async function runProgram(
  args: readonly string[],
  env: Env = {},
  { cwd, command = gatewayCommand() }: ProgramOptions = {},
): Promise<ProgramEnd> {
  const child = Bun.spawn([...command, ...args], {
    env: programEnv(env),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    ...(cwd !== undefined && { cwd }),
  })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, stdout, stderr }
}

/** A program that goes on, and what it has said so far. */
export interface RunningProgram {
  readonly child: Bun.Subprocess
  readonly output: () => string
  /** Resolves with the output when it holds `text`; rejects if the program ends before. */
  readonly until: (text: string) => Promise<string>
  /** Ends it, if it has not ended. */
  readonly stop: () => Promise<void>
}

/** Starts the program under test on a terminal of its own, as a person would. */
export function startOnTerminal(args: readonly string[], env: Env = {}): RunningProgram {
  const text = createText()
  const decoder = new TextDecoder()
  const child = Bun.spawn([...gatewayCommand(), ...args], {
    env: programEnv({ TERM: 'xterm', ...env }),
    terminal: { cols: 200, rows: 50, data: (_terminal, bytes) => text.add(decoder.decode(bytes, { stream: true })) },
  })
  return running(child, text, () => child.terminal?.close())
}

/** Starts the program under test with its output on a pipe. */
export function startProgram(args: readonly string[], env: Env = {}): RunningProgram {
  const text = createText()
  const child = Bun.spawn([...gatewayCommand(), ...args], {
    env: programEnv(env),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) text.add(decoder.decode(chunk, { stream: true }))
  }
  const reading = Promise.all([read(child.stdout), read(child.stderr)])
  return running(child, text, () => reading)
}

interface Text {
  readonly all: () => string
  readonly add: (more: string) => void
  readonly watchers: Set<() => void>
}

function createText(): Text {
  let all = ''
  const watchers = new Set<() => void>()
  return {
    all: () => all,
    watchers,
    add(more) {
      all += more
      for (const watch of watchers) watch()
    },
  }
}

function running(child: Bun.Subprocess, text: Text, close: () => unknown): RunningProgram {
  return {
    child,
    output: text.all,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (!text.all().includes(wanted)) return
          text.watchers.delete(watch)
          resolve(text.all())
        }
        text.watchers.add(watch)
        child.exited.then((code) => reject(new Error(`It ended with ${code}: ${text.all()}`)))
        watch()
      }),
    async stop() {
      child.kill('SIGKILL')
      await child.exited
      await close()
    },
  }
}
