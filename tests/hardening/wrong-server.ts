/** A server that is wrong on purpose, as a process of its own. */
export interface WrongServer {
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<void>
}

/** Starts a program that prints its port, before an upstream on the port that it is given as its argument. */
export async function startWrongServer(program: string, upstream: number): Promise<WrongServer> {
  const child = Bun.spawn([process.execPath, '-e', program, String(upstream)], { stdout: 'pipe', stderr: 'inherit' })
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
