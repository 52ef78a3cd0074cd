import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

interface Turn {
  readonly message: IncomingMessage
  readonly out: ServerResponse
}

const turns = new WeakMap<Duplex, Turn>()

/**
 * Notes which request a connection is busy with, for when what follows on it turns out to be malformed.
 *
 * @example
 * noteTurn(message, out)
 */
export function noteTurn(message: IncomingMessage, out: ServerResponse): void {
  turns.set(message.socket, { message, out })
}

/**
 * Takes a connection whose bytes are malformed out of use, and says whether these bytes may be answered: only where
 * the client would read the answer as theirs. An earlier request keeps its own answer, and a connection that has
 * given its last one just ends.
 *
 * @example
 * if (mayAnswer(socket)) answerMalformed(error, socket, log)
 */
export function mayAnswer(socket: Duplex): boolean {
  const turn = turns.get(socket)
  if (turn === undefined) return true
  const { message, out } = turn
  // The body of this very request is what is malformed, and nothing has been said to it yet.
  if (!out.headersSent) {
    if (!message.complete) return true
    out.once('finish', () => socket.end())
    return false
  }
  if (out.writableFinished) {
    if (out.shouldKeepAlive) return true
    socket.end()
  } else if (message.complete) {
    out.once('finish', () => socket.end())
  } else {
    message.socket.destroySoon()
  }
  return false
}
