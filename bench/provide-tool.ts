import { Unavailable } from './unavailable.ts'

let isListUpdated = false
const notToBeHad = new Set<string>()

function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return Bun.spawnSync(['apt-get', ...args], { env, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }).success
}

/** Says where a program is; installs the Debian package of the same or the given name where we may. Throws `Unavailable`. */
export function provideTool(program: string, debianPackage = program): string {
  const found = Bun.which(program)
  if (found !== null) return found
  const mayInstall = !notToBeHad.has(program) && process.getuid?.() === 0
  if (mayInstall && Bun.which('apt-get') !== null) {
    process.stderr.write(`Installing ${debianPackage}…\n`)
    if (!isListUpdated) isListUpdated = apt('update')
    apt('install', '-y', '--no-install-recommends', debianPackage)
    const installed = Bun.which(program)
    if (installed !== null) return installed
  }
  notToBeHad.add(program)
  throw new Unavailable(`${program} is missing`)
}

/** The first version number in what a program prints about itself. */
export function readVersion(command: readonly string[]): string {
  const { stdout, stderr } = Bun.spawnSync([...command])
  return /\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown'
}
