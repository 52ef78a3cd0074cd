import type { PatientUpstream } from './patient-upstream.ts'

/** A server that forgets nobody: what it opens for a client it keeps, and a timer with it. */
export interface LeakingServer {
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<void>
}

const PROGRAM = `
const { connect, createServer } = require('node:net')
const server = createServer({ allowHalfOpen: true }, (client) => {
  const upstream = connect(Number(process.argv[1]), '127.0.0.1')
  client.on('error', () => undefined)
  upstream.on('error', () => undefined)
  client.on('data', (bytes) => upstream.write(bytes))
  upstream.on('data', (bytes) => client.destroyed || client.write(bytes))
  setInterval(() => undefined, 2)
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

/** Starts it before an upstream, as a process of its own. */
export async function startLeakingServer({ port: upstream }: PatientUpstream): Promise<LeakingServer> {
  const child = Bun.spawn([process.execPath, '-e', PROGRAM, String(upstream)], { stdout: 'pipe', stderr: 'inherit' })
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
