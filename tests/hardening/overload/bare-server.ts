/** A server that refuses everything, as fast as a process on this machine can now. */
export interface BareServer {
  readonly port: number
  readonly stop: () => Promise<void>
}

/** Only what every refusal needs: it reads a head and its body, and writes. */
const PROGRAM = `
const answer = 'HTTP/1.1 503 Service Unavailable\\r\\nretry-after: 1\\r\\ncontent-length: 2\\r\\n\\r\\n{}'
const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data(socket) { setTimeout(() => socket.write(answer), Number(process.argv[1])) } } })
console.log(listener.port)
`

/** Starts it in a process of its own; it may wait before each answer. */
export async function startBareServer(waitMs = 0): Promise<BareServer> {
  const child = Bun.spawn([process.execPath, '-e', PROGRAM, String(waitMs)], { stdout: 'pipe', stderr: 'inherit' })
  let port = 0
  for await (const line of child.stdout) {
    port = Number(new TextDecoder().decode(line))
    break
  }
  return {
    port,
    async stop() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
