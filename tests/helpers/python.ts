import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises'

/** A Python that has the packages which the tests need, or why there is none. */
export type Python =
  | { readonly executable: string }
  /** One line: what is missing, and how to get it. */
  | { readonly missing: string }

const ROOT = new URL('../../', import.meta.url).pathname
const REQUIREMENTS = `${ROOT}tests/contract/python/requirements.txt`
const VENV = `${ROOT}.cache/venv`

/** Makes the virtual environment `.cache/venv`, once for each version of its requirements. */
export async function preparePython(): Promise<Python> {
  const executable = `${VENV}/bin/python`
  const wanted = await readFile(REQUIREMENTS, 'utf8')
  const made = await readFile(`${VENV}/requirements.txt`, 'utf8').catch(() => undefined)
  if (made === wanted && existsSync(executable)) return { executable }

  const version = await run(['python3', '-c', 'import sys; sys.exit(sys.version_info < (3, 10))'])
  if (version === undefined) return { missing: 'python3 is missing: install Python 3.10 or later, and run again' }
  if (version.code !== 0) return { missing: 'python3 is older than 3.10: install a later one, and run again' }
  return makeVenv(executable)
}

/** Made beside its place and moved there when it is complete, so that two test runs don't see half of one. */
async function makeVenv(executable: string): Promise<Python> {
  const draft = `${VENV}-${process.pid}`
  await mkdir(`${ROOT}.cache`, { recursive: true })
  const created = await run(['python3', '-m', 'venv', draft])
  if (created?.code !== 0) {
    await rm(draft, { recursive: true, force: true })
    return {
      missing: 'python3 has no venv: install it (Debian and Ubuntu: apt-get install python3-venv), and run again',
    }
  }
  const installed = await run([`${draft}/bin/python`, '-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS])
  if (installed?.code !== 0) {
    await rm(draft, { recursive: true, force: true })
    const reason = installed?.stderr.trim().split('\n').at(-1) ?? 'pip did not start'
    return {
      missing: `the packages that the tests need can't be installed (${reason}): make PyPI or a mirror reachable, and run again`,
    }
  }
  await copyFile(REQUIREMENTS, `${draft}/requirements.txt`)
  await rm(VENV, { recursive: true, force: true })
  await rename(draft, VENV).catch((cause: unknown) => {
    // Another run was quicker, which made the same.
    if (!existsSync(executable)) throw cause
  })
  await rm(draft, { recursive: true, force: true })
  return { executable }
}

async function run(command: readonly string[]): Promise<{ code: number; stderr: string } | undefined> {
  if (Bun.which(command[0] ?? '') === null) return undefined
  const child = Bun.spawn([...command], { stdout: 'ignore', stderr: 'pipe' })
  const stderr = await new Response(child.stderr).text()
  return { code: await child.exited, stderr }
}
