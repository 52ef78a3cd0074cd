import { ROOT } from './root.ts'

/** The bill of materials, as `npm run sbom` writes it. */
export async function readSbom(): Promise<string> {
  const child = Bun.spawn([process.execPath, 'scripts/write-sbom.ts', '--stdout'], { cwd: ROOT, stderr: 'pipe' })
  const [text, complaint, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new Error(complaint)
  return text
}

/** The packages with a line in the bundle that the bill of materials does not have, or has without version, digest or licence. */
export async function findUnlisted(sbom: string): Promise<string[]> {
  const { components } = JSON.parse(sbom) as { readonly components: readonly Record<string, unknown>[] }
  const listed = new Map(components.map((component) => [component['name'], component]))
  const bundled = ['bun', ...(await bundledPackages())]
  return bundled.flatMap((name) => {
    const component = listed.get(name)
    if (component === undefined) return [`${name} is in the binary, and not in the bill of materials.`]
    const missing = ['version', 'hashes', 'licenses'].filter((member) => !hasContent(component[member]))
    return missing.map((member) => `${name} has no ${member} in the bill of materials.`)
  })
}

function hasContent(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== ''
}

/** What the compiler takes from node_modules, by the map that it makes for errors. */
async function bundledPackages(): Promise<string[]> {
  const built = await Bun.build({ entrypoints: [`${ROOT}src/main.ts`], target: 'bun', sourcemap: 'external' })
  const names = new Set<string>()
  for (const output of built.outputs.filter(({ kind }) => kind === 'sourcemap')) {
    const { sources } = (await output.json()) as { readonly sources: readonly string[] }
    for (const source of sources) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1]
      if (name !== undefined) names.add(name)
    }
  }
  if (names.size === 0) throw new Error('The bundle names no package: its map is not read rightly.')
  return [...names].toSorted()
}
