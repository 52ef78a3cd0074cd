import type { CassetteFolder } from '../../cassettes/cassette-folder.ts'
import { type CassetteWriter, openWriter } from '../../cassettes/cassette-folder.ts'
import { describeSystemError } from '../../config/system-errors.ts'
import { sha256 } from '../sha256.ts'

/**
 * Opens a folder to write cassettes into. Prints why it can't be used, and gives undefined then.
 *
 * @example
 * const writer = await openWriterAt('cassettes', openFolder('cassettes'))
 */
export async function openWriterAt(path: string, folder: CassetteFolder): Promise<CassetteWriter | undefined> {
  try {
    return await openWriter(folder, sha256)
  } catch (cause) {
    process.stderr.write(`${explainFolder(path, cause)}\n`)
    return undefined
  }
}

const CURES: ReadonlyMap<string, string> = new Map([
  ['ENOTDIR', 'Name a folder, not a file.'],
  ['EEXIST', 'Name a folder, not a file.'],
  ['ENOSPC', 'Make room, or name one on another disk.'],
  ['EDQUOT', 'Make room, or name one on another disk.'],
])

/** Explains in one line why a folder can't be used, and what to do. */
export function explainFolder(path: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  const cure = CURES.get(code) ?? 'Name one that this user may read and write.'
  return `nexcode: the folder of cassettes ${path} cannot be used: ${describeSystemError(cause)}. ${cure}`
}
