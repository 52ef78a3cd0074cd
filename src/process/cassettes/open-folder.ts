import { link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { CassetteFolder } from '../../cassettes/folder.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'

/** Larger than most cassettes, so that a disk without room for one is found out. */
const PROBE_BYTES = 64 * 1024
/** What a file system says that knows no second names for a file. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * The folder of cassettes at a path. It is made when the first file is written.
 *
 * A file is written beside its place and put there when it is whole and on the disk: a process that is killed, or a disk that is
 * full, leaves none that is cut off.
 *
 * @example
 * const folder = openFolder('cassettes')
 */
export function openFolder(path: string): CassetteFolder {
  return {
    list: () => readdir(path).catch((cause: unknown) => emptyWhere(cause, 'ENOENT')),
    read: (name) => readFile(join(path, name), 'utf8'),
    async create(name, text) {
      const beside = await writeBeside(path, name, text)
      try {
        return await putInPlace(beside, join(path, name))
      } finally {
        await removeIfThere(beside)
      }
    },
    async probe() {
      const beside = await writeBeside(path, 'probe', '\n'.repeat(PROBE_BYTES))
      await removeIfThere(beside)
    },
  }
}

/** Writes a whole file under a hidden name of its own, and gives its path; leaves none where that fails. */
async function writeBeside(folder: string, name: string, text: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const beside = join(folder, `.${name}.${crypto.randomUUID()}`)
  try {
    const file = await open(beside, 'wx')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    return beside
  } catch (cause) {
    await removeIfThere(beside)
    throw cause
  }
}

/** Gives a file its name, and false where another one has it: a second name is never taken from another file, as a rename would. */
async function putInPlace(beside: string, path: string): Promise<boolean> {
  try {
    await link(beside, path)
    return true
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false
    if (!NO_LINKS.has(codeOf(cause))) throw cause
  }
  if (await isThere(path)) return false
  await rename(beside, path)
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
