import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { provideTool } from '../provide-tool.ts'
import { CACHE_DIR } from '../run-process.ts'
import { Unavailable } from '../unavailable.ts'

/** Installs a package from PyPI into a virtual environment of its own, once, and says where its programs are. */
export function prepareVenv(name: string, requirement: string): string {
  const dir = join(CACHE_DIR, name)
  const bin = join(dir, 'bin')
  const done = join(dir, 'installed')
  if (existsSync(done)) return bin
  process.stderr.write(`Installing ${requirement}…\n`)
  const run = (...command: string[]) =>
    Bun.spawnSync(command, { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }).success
  const python = provideTool('python3')
  if (!run(python, '-c', 'import ensurepip, venv')) provideTool('python3-venv')
  const isInstalled =
    run(python, '-m', 'venv', dir) && run(join(bin, 'pip'), 'install', '--disable-pip-version-check', requirement)
  if (!isInstalled) throw new Unavailable(`pip could not install ${requirement}`)
  Bun.spawnSync(['touch', done])
  return bin
}
