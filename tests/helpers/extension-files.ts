import { afterAll } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Extensions of one test file, in a folder of their own, which is removed behind the last test. */
export interface ExtensionFiles {
  readonly folder: string
  /** Writes an extension whose `fetch(request, next, context)` has this body, and gives its path. */
  readonly write: (name: string, body: string, head?: string) => string
  /** Writes any file, and gives its path. */
  readonly writeText: (fileName: string, text: string) => string
}

/** Makes a folder for extensions; call it at the top of a test file. */
export function extensionFiles(): ExtensionFiles {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-extensions-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const writeText = (fileName: string, text: string): string => {
    const path = join(folder, fileName)
    writeFileSync(path, text)
    return path
  }
  return {
    folder,
    writeText,
    write: (name, body, head = '') =>
      writeText(
        `${name}.ts`,
        `${head}\nexport default { name: '${name}', async fetch(request, next, context) { ${body} } }\n`,
      ),
  }
}
