import { readFileSync } from 'node:fs'
import { ROOT } from './root.ts'

/** What a lockfile (version 3) says of one package. */
export interface LockedPackage {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly hasInstallScript?: boolean
  readonly [member: string]: unknown
}

/** npm's lockfile, as far as it is looked at. */
export interface Lock {
  readonly lockfileVersion: number
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly allowScripts: Readonly<Record<string, boolean>>
}

/** Reads the project's lockfile. */
export function readLock(): Lock {
  return JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8')) as Lock
}

/** What is loose about a lockfile: a version that is a range, no digest, another registry, a script that nobody allowed, another version installed. */
export function lockProblems(lock: Lock): string[] {
  const { dependencies, devDependencies, allowScripts } = readJson<Manifest>('package.json')
  const asked = Object.entries({ ...dependencies, ...devDependencies })
  const problems = asked
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
    .map(([name, version]) => `package.json asks for ${name} ${version}, which is no exact version.`)
  for (const [name, version] of asked) {
    const locked = lock.packages[`node_modules/${name}`]?.version
    if (locked !== version) problems.push(`package.json asks for ${name} ${version}, the lockfile has ${locked}.`)
  }
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path !== '') problems.push(...packageProblems(path, entry, allowScripts))
  }
  return problems
}

function packageProblems(path: string, entry: LockedPackage, allowed: Manifest['allowScripts']): string[] {
  const { version, resolved, integrity = '', hasInstallScript } = entry
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const problems: string[] = []
  if (!integrity.startsWith('sha512-')) problems.push(`${name} has no SHA-512 in the lockfile.`)
  // Without an address it is the registry's, and the digest decides what is taken.
  if (resolved?.startsWith('https://registry.npmjs.org/') === false) problems.push(`${name} comes from ${resolved}.`)
  if (hasInstallScript === true && allowed[name] !== true) problems.push(`${name} runs a script when it is installed.`)
  const installed = installedVersion(path)
  if (installed !== undefined && installed !== version) {
    problems.push(`${name} is installed as ${installed}, and locked as ${version}.`)
  }
  return problems
}

/** None for what is for other machines, and so is not installed. */
function installedVersion(path: string): string | undefined {
  try {
    return readJson<{ readonly version: string }>(`${path}/package.json`).version
  } catch {
    return undefined
  }
}

function readJson<Value>(path: string): Value {
  return JSON.parse(readFileSync(ROOT + path, 'utf8')) as Value
}
