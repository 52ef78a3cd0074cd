import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A configuration file of a test's own. */
export interface ConfigFile {
  readonly path: string
  readonly write: (text: string) => void
  readonly remove: () => void
}

/** Writes a configuration file into a folder of its own. JSON is YAML: an object does as well as a text. */
export function writeConfigFile(content: string | object): ConfigFile {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-config-'))
  const path = join(folder, 'nexcode.yaml')
  const write = (text: string): void => writeFileSync(path, text)
  write(typeof content === 'string' ? content : JSON.stringify(content))
  return { path, write, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
