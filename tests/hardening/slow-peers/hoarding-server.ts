/** A server that takes all that its upstream gives, however little its client takes. */
export interface HoardingServer {
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<void>
}

const PROGRAM = `
const { connect, createServer } = require('node:net')
const server = createServer((client) => {
  const upstream = connect(Number(process.argv[1]), '127.0.0.1')
  const held = []
  client.on('error', () => undefined).on('data', (bytes) => upstream.write(bytes)).on('close', () => upstream.destroy())
  upstream.on('error', () => undefined).on('data', (bytes) => { held.push(Buffer.from(bytes)); client.write(bytes) })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

/** Starts it before an upstream on that port, as a process of its own. */
export async function startHoardingServer(upstream: number): Promise<HoardingServer> {
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
