// Installs what the project needs, once: with npm where that is, else with bun. Runs before start, demo, test and build.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'

const read = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** Whether every direct dependency is there in the version that package.json names. */
function isInstalled() {
  const { dependencies, devDependencies } = read('package.json')
  try {
    return Object.entries({ ...dependencies, ...devDependencies }).every(
      ([name, version]) => read(`node_modules/${name}/package.json`).version === version,
    )
  } catch {
    return false
  }
}

const INSTALLERS = [
  ['npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']],
  ['bun', ['install', '--frozen-lockfile']],
  ['bun', ['install']],
]

function install() {
  process.stderr.write('Installing the dependencies, once…\n')
  const options = { stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' }
  if (INSTALLERS.some(([command, args]) => spawnSync(command, args, options).status === 0)) return
  process.stderr.write('The dependencies could not be installed: neither npm nor bun succeeded. See the lines above.\n')
  process.exitCode = 1
}

if (!isInstalled()) install()
