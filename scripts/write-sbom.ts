/**
 * Writes `dist/nexcode.cdx.json`, or with `--stdout` prints it: what the binary is made of, as CycloneDX 1.5. The list is npm's own, of the
 * lockfile; what npm makes up anew each time (a serial number, the time) is left out, so that one lockfile gives one file. The runtime, which
 * is compiled into the binary although it is a tool of development to npm, is added.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

/** A package in a CycloneDX document. */
interface Component {
  readonly 'bom-ref': string
  readonly name: string
  readonly [member: string]: unknown
}

/** What is needed of a CycloneDX document here. */
interface Bom {
  readonly metadata: { readonly component: Component; readonly lifecycles: unknown }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
  readonly [member: string]: unknown
}

const ROOT = new URL('..', import.meta.url).pathname

/** What npm says of the lockfile. */
function readBom(...options: string[]): Bom {
  const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', ...options]
  const { success, stdout, stderr } = Bun.spawnSync(['npm', ...args], { cwd: ROOT, stderr: 'pipe' })
  if (!success) throw new Error(`npm could not list the packages: ${stderr.toString()}`)
  return JSON.parse(stdout.toString()) as Bom
}

function findRuntime(): Component {
  const runtime = readBom().components.find(({ name }) => name === 'bun')
  if (runtime === undefined) throw new Error('The lockfile has no runtime: there is no package `bun` in it.')
  return { ...runtime, type: 'platform', scope: 'required', properties: [] }
}

function makeSbom(): string {
  const { serialNumber: _random, metadata, components, dependencies, ...rest } = readBom('--omit=dev')
  const runtime = findRuntime()
  const { name } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { readonly name: string }
  const root = metadata.component['bom-ref']
  return `${JSON.stringify(
    {
      ...rest,
      // npm names the whole after the folder that it lies in.
      metadata: { lifecycles: metadata.lifecycles, component: { ...metadata.component, type: 'application', name } },
      components: [...components, runtime].toSorted((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
      dependencies: [
        ...dependencies.map(({ ref, dependsOn }) => ({
          ref,
          dependsOn: ref === root ? [...dependsOn, runtime['bom-ref']].toSorted() : dependsOn,
        })),
        { ref: runtime['bom-ref'], dependsOn: [] },
      ],
    },
    undefined,
    2,
  )}\n`
}

const sbom = makeSbom()
if (process.argv.includes('--stdout')) process.stdout.write(sbom)
else {
  mkdirSync(`${ROOT}dist`, { recursive: true })
  writeFileSync(`${ROOT}dist/nexcode.cdx.json`, sbom)
  process.stdout.write(`dist/nexcode.cdx.json ${(JSON.parse(sbom) as Bom).components.length} packages\n`)
}
