import { type ProgramServer, startProgramServer } from '../program-server.ts'

/** Only what every refusal needs: it reads a head and its body, and writes. */
const PROGRAM = `
const answer = 'HTTP/1.1 503 Service Unavailable\\r\\nretry-after: 1\\r\\ncontent-length: 2\\r\\n\\r\\n{}'
const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data(socket) { setTimeout(() => socket.write(answer), Number(process.argv[1])) } } })
console.log(listener.port)
`

/** Starts a server that refuses everything, as fast as a process on this machine can now, or after a wait of `waitMs` before each answer. */
export function startBareServer(waitMs = 0): Promise<ProgramServer> {
  return startProgramServer(PROGRAM, waitMs)
}
