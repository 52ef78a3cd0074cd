import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'

/** An installed package, or why there is none. */
export type NpmPackage =
  /** The `node_modules` that it is in, with all that it needs. */
  | { readonly folder: string }
  /** One line: what is missing, and how to get it. */
  | { readonly missing: string }

const ROOT = new URL('../../', import.meta.url).pathname

/**
 * Installs a package from npm into a folder of its own below `.cache/`, once for each version: for programs and libraries that only a
 * test or two need. No script of a package is run.
 */
export async function installFromNpm(name: string, version: string): Promise<NpmPackage> {
  const place = `${ROOT}.cache/npm/${name.replace('/', '+')}-${version}`
  const folder = `${place}/node_modules`
  if (existsSync(folder)) return { folder }
  if (Bun.which('node') === null || Bun.which('npm') === null) {
    return { missing: 'node and npm are missing: install Node 20 or later, and run again' }
  }
  // Made beside its place, and moved there when it is complete, so that two test runs don't see half of one.
  const draft = `${place}-${process.pid}`
  await mkdir(draft, { recursive: true })
  const npm = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', draft]
  const child = Bun.spawn([...npm, `${name}@${version}`], { cwd: draft, stdout: 'ignore', stderr: 'pipe' })
  const stderr = await new Response(child.stderr).text()
  if ((await child.exited) === 0) await rename(draft, place).catch(() => undefined)
  await rm(draft, { recursive: true, force: true })
  if (existsSync(folder)) return { folder }
  const reason = stderr.trim().split('\n').at(0) ?? 'npm did not start'
  return { missing: `${name} ${version} can't be installed (${reason}): make npm reachable, and run again` }
}
