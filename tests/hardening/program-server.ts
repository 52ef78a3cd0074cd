/** A server that a suite compares with, such as one that is wrong on purpose, as a process of its own. */
export interface ProgramServer {
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<void>
}

/** Starts a program that prints its port; `argument` is what it goes by, such as the port of its upstream. */
export async function startProgramServer(program: string, argument: number): Promise<ProgramServer> {
  const child = Bun.spawn([process.execPath, '-e', program, String(argument)], { stdout: 'pipe', stderr: 'inherit' })
  let port = 0
  for await (const line of child.stdout) {
    port = Number(new TextDecoder().decode(line))
    break
  }
  return {
    port,
    pid: child.pid,
    async stop() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
