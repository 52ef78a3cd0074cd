import { type ProgramServer, startProgramServer } from '../program-server.ts'
import type { PatientUpstream } from './patient-upstream.ts'

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

/** Starts a server that forgets nobody before an upstream: what it opens for a client it keeps, and a timer with it. */
export function startLeakingServer({ port }: PatientUpstream): Promise<ProgramServer> {
  return startProgramServer(PROGRAM, port)
}
