import { link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { CassetteFolder } from '../../cassettes/cassette-folder.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'

/** Larger than most cassettes, so that the probe finds a disk without room for one. */
const PROBE_BYTES = 64 * 1024
/** The codes of a file system without hard links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Opens the folder of cassettes at a path; the folder itself is made when the first file is written.
 *
 * A file is written under a hidden name, and gets its own name when it is complete and on the disk: a process that is killed, or a full
 * disk, leaves no incomplete file.
 *
 * @example
 * const folder = openFolder('cassettes')
 */
export function openFolder(path: string): CassetteFolder {
  return {
    list: () => readdir(path).catch((cause: unknown) => emptyWhere(cause, 'ENOENT')),
    read: (name) => readFile(join(path, name), 'utf8'),
    async create(name, text) {
      const temporary = await writeTemporary(path, name, text)
      try {
        return await publish(temporary, join(path, name))
      } finally {
        await removeIfThere(temporary)
      }
    },
    async probe() {
      const temporary = await writeTemporary(path, 'probe', '\n'.repeat(PROBE_BYTES))
      await removeIfThere(temporary)
    },
  }
}

/** Writes a whole file under a hidden name, and gives its path. Rejects with the system's error, and leaves no file then. */
async function writeTemporary(folder: string, name: string, text: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `.${name}.${crypto.randomUUID()}`)
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    return temporary
  } catch (cause) {
    await removeIfThere(temporary)
    throw cause
  }
}

/** Gives a file its name; false: another file has it. A hard link never takes a name from another file, as a rename would. */
async function publish(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path)
    return true
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false
    if (!NO_LINKS.has(codeOf(cause))) throw cause
  }
  if (await isThere(path)) return false
  await rename(temporary, path)
  return true
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function removeIfThere(path: string): Promise<void> {
  return ignoreRejection(unlink(path))
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

function emptyWhere(cause: unknown, code: string): string[] {
  if (codeOf(cause) === code) return []
  throw cause
}
