import { cpSync, linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './root.ts'

const PARTS = ['src', 'scripts', 'package.json', 'tsconfig.json', 'bunfig.toml']

/** Builds the program in two folders of different names, and says where the two differ. */
export async function compareBuilds(folder: string): Promise<string[]> {
  const builds: Buffer[] = []
  for (const name of ['here', 'somewhere/else']) builds.push(readFileSync(await buildIn(join(folder, name))))
  const [one, other] = builds as [Buffer, Buffer]
  const at = firstDifference(one, other)
  return at === undefined ? [] : [`Two builds differ from byte ${at} on, of ${one.length} and ${other.length}.`]
}

/** Where two files begin to differ. */
export function firstDifference(one: Buffer, other: Buffer): number | undefined {
  if (one.equals(other)) return undefined
  const at = one.findIndex((byte, index) => byte !== other[index])
  return at === -1 ? one.length : at
}

/** Builds the program in a folder, and gives the path of the binary. */
export async function buildIn(folder: string): Promise<string> {
  for (const part of PARTS) cpSync(ROOT + part, join(folder, part), { recursive: true })
  linkTree(`${ROOT}node_modules`, join(folder, 'node_modules'))
  const child = Bun.spawn([process.execPath, 'scripts/build.ts'], { cwd: folder, stdout: 'ignore', stderr: 'pipe' })
  const [complaint, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (code !== 0) throw new Error(`The build failed: ${complaint}`)
  return join(folder, 'dist/nexcode')
}

/** A copy without a second set of bytes. A symbolic link would not do: the compiler names files by where they really lie. */
function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) linkTree(source, target)
    else if (entry.isFile()) linkOrCopy(source, target)
  }
}

/** Another file system has no hard links into this one. */
function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch {
    cpSync(source, target)
  }
}
