import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BUILT = resolve(ROOT, 'dist/nexcode')

/** The binary under test: the one that NEXCODE_BINARY names, else dist/nexcode, built where sources are newer. Throws where it can't be. */
export function provideBinary(): string {
  const { NEXCODE_BINARY: named = '' } = process.env
  if (named !== '') {
    if (!existsSync(named)) throw new Error(`NEXCODE_BINARY: there is no ${named}.`)
    return resolve(named)
  }
  if (!isFresh()) {
    process.stderr.write('building dist/nexcode …\n')
    const build = Bun.spawnSync([process.execPath, 'scripts/build.ts'], {
      cwd: ROOT,
      stdout: 'ignore',
      stderr: 'inherit',
    })
    if (!build.success) throw new Error('The binary could not be built.')
  }
  return BUILT
}

function isFresh(): boolean {
  if (!existsSync(BUILT)) return false
  const builtAt = statSync(BUILT).mtimeMs
  const sources = [...new Bun.Glob('src/**/*').scanSync(ROOT), 'package.json', 'package-lock.json', 'scripts/build.ts']
  return sources.every((path) => statSync(resolve(ROOT, path)).mtimeMs < builtAt)
}
