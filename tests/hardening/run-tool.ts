/** How a program of others ended: its code, and what it said to both sides. */
export interface ToolEnd {
  readonly code: number
  readonly said: string
}

/** Where a program runs, and how long it may, in ms. */
export interface ToolOptions {
  readonly cwd: string
  readonly msMax: number
  /** Attachment this process's own variables. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Runs a program of others to its end, or for as long as it may.
 *
 * @example
 * const { code, said } = await runTool(['pip', 'install', 'x==1'], { cwd: folder, msMax: 60_000 })
 */
export async function runTool(command: readonly string[], { cwd, msMax, env = {} }: ToolOptions): Promise<ToolEnd> {
  const child = Bun.spawn([...command], {
    ...{ cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', timeout: msMax },
    env: { ...process.env, ...env },
  })
  const [out, error] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, said: out + error }
}

/** The last line that a program said, which says why it failed. */
export function lastLine({ said }: ToolEnd): string {
  return said.trim().split('\n').at(-1) ?? ''
}
