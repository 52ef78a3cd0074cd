import { type ProgramServer, startProgramServer } from '../program-server.ts'

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

/** Starts a server that takes all that its upstream gives, however little its client takes, before an upstream on that port. */
export function startHoardingServer(upstream: number): Promise<ProgramServer> {
  return startProgramServer(PROGRAM, upstream)
}
