import { fileURLToPath } from 'node:url'

/** A program of ours beside the test. */
export interface Child {
  readonly pid: number
  /** The next line that it prints. */
  readonly line: () => Promise<string>
  readonly write: (text: string) => void
  readonly stop: () => Promise<void>
}

/**
 * Starts a program that stands beside the suites, with these arguments.
 *
 * @example
 * const peer = startChild('bombs/peer.ts')
 * const port = Number(await peer.line())
 */
export function startChild(path: string, ...args: readonly string[]): Child {
  const program = fileURLToPath(new URL(`../${path}`, import.meta.url))
  const child = Bun.spawn([process.execPath, program, ...args], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    pid: child.pid,
    async line() {
      while (!text.includes('\n')) {
        const { done, value } = await reader.read()
        if (done) throw new Error(`${path} has ended with ${await child.exited}.`)
        text += value
      }
      const at = text.indexOf('\n')
      const line = text.slice(0, at)
      text = text.slice(at + 1)
      return line
    },
    write(line) {
      child.stdin.write(line)
      child.stdin.flush()
    },
    async stop() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
