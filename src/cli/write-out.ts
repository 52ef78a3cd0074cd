import { once } from 'node:events'
import { ignoreRejection } from '../formats/ignore-rejection.ts'

/**
 * Writes all of a text, and waits for a slow reader: the process may end right behind this, and would cut the text. Never rejects: a
 * reader that has left wants no more.
 *
 * @example
 * await writeOut(process.stdout, text)
 */
export async function writeOut(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await ignoreRejection(once(stream, 'drain'))
}
