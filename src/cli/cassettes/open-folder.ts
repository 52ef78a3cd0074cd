import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CassetteFolder } from '../../cassette/folder.ts'

/**
 * The folder of cassettes at a path. It is made when the first file is written.
 *
 * @example
 * const folder = openFolder('cassettes')
 */
export function openFolder(path: string): CassetteFolder {
  return {
    list: () => readdir(path).catch((cause: unknown) => emptyWhere(cause, 'ENOENT')),
    read: (name) => readFile(join(path, name), 'utf8'),
    async create(name, text) {
      await mkdir(path, { recursive: true })
      try {
        await writeFile(join(path, name), text, { flag: 'wx' })
        return true
      } catch (cause) {
        emptyWhere(cause, 'EEXIST')
        return false
      }
    },
  }
}

function emptyWhere(cause: unknown, code: string): string[] {
  if (cause instanceof Error && 'code' in cause && cause.code === code) return []
  throw cause
}
