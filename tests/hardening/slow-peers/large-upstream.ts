import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { pourOut } from './pour-out.ts'

/** More than the buffers of all sockets on the way take. */
const LONG_BYTES = 64 * 1024 * 1024
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

/** Starts an upstream whose answer to `?large` has so many bytes, to `?long` `longBytes`, as they are taken; a WebSocket of the model `deaf` reads nothing. */
export function startLargeUpstream(bytes: number, longBytes = LONG_BYTES): Promise<ScriptedUpstream> {
  // One for all of them: this process is no part of what is measured.
  const large = new Uint8Array(bytes).fill(0x78)
  return startScriptedUpstream(({ target }, { socket, write, respond, json }) => {
    if (target.includes('large')) respond(200, { 'content-type': 'text/plain' }, large)
    else if (target.includes('?long')) {
      write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${longBytes}\r\n\r\n`)
      pourOut(socket, longBytes)
    } else if (target.includes('model=')) {
      write(SWITCH)
      if (target.includes('deaf')) socket.pause()
      else pourOut(socket, longBytes)
    } else json({ ok: true })
  })
}
