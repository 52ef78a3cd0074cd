// Installs what the project needs, once: with npm where that is, else with bun. Runs before start, demo, test and build.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'

if (existsSync('node_modules/pino/package.json') && existsSync('node_modules/fast-check/package.json')) process.exit(0)

const installers = [
  ['npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']],
  ['bun', ['install', '--frozen-lockfile']],
  ['bun', ['install']],
]
process.stderr.write('Installing the dependencies, once…\n')
for (const [command, args] of installers) {
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status === 0) process.exit(0)
}
process.stderr.write('The dependencies could not be installed: neither npm nor bun succeeded. See the lines above.\n')
process.exit(1)
