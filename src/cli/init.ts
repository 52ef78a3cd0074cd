import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { describeSystemError } from '../config/system-errors.ts'
import { renderTemplate } from '../extensions/load/extension-template.ts'
import { renderTypesFile } from '../extensions/load/types-file.ts'
import { INVALID } from '../process/start-failure.ts'

const DONE = 0
const TYPES_FILE = 'nexcode.d.ts'
const USAGE = 'nexcode init takes what to begin and its file: init extension my.ts, or init ledger nexcode.yaml'
const LEDGER_FILE = `# Each caller has a key of its own, with limits and budgets; what was used and what it cost is in the ledger.
ledger:
  store: sqlite:nexcode.db
`

/**
 * Creates a new file to start from, which is never written over. `args` are `extension` and the path of a TypeScript file, which gets comments,
 * and a `nexcode.d.ts` beside it by which an editor knows all types (one that is there is updated); or `ledger` and the path of a
 * configuration file, which gets a ledger.
 *
 * Gives the exit code: 0; 2 when a file can't be written, or the arguments are invalid.
 *
 * @example
 * process.exit(await init(['extension', 'my.ts']))
 */
export async function init(args: readonly string[]): Promise<number> {
  const [what, path, ...others] = args
  if (what === 'ledger' && others.length === 0) return initLedger(path ?? 'nexcode.yaml')
  if (what !== 'extension' || path === undefined || others.length > 0) return refuse(USAGE)
  const name = basename(path, extname(path))
  if (extname(path) !== '.ts' || path.endsWith('.d.ts')) {
    return refuse(`nexcode init: ${path} is no name of a TypeScript file, such as my.ts.`)
  }
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) {
    return refuse(`nexcode init: an extension's file has a name of letters, digits, ".", "_" and "-", not "${name}".`)
  }
  if (existsSync(path)) return refuse(`nexcode init: ${path} is there already. Take another name, or remove it first.`)
  const typesPath = join(dirname(path), TYPES_FILE)
  const types = await renderTypesFile()
  if (existsSync(typesPath) && !isOurs(await readFile(typesPath, 'utf8'), types)) {
    return refuse(`nexcode init: ${typesPath} is there already, and is none of ours. Move it away first.`)
  }
  try {
    await writeFile(path, renderTemplate(name), { flag: 'wx' })
    await writeFile(typesPath, types)
  } catch (cause) {
    return refuse(`nexcode init: ${path} and ${typesPath} can't be written: ${describeSystemError(cause)}.`)
  }
  process.stdout.write(`${path} and ${typesPath} written. Start with: EXTENSIONS=${path} nexcode\n`)
  return DONE
}

/** Writes a configuration file that has a ledger, and says how to make a first key. */
async function initLedger(path: string): Promise<number> {
  if (!/\.ya?ml$/.test(path))
    return refuse(`nexcode init: ${path} is no name of a configuration file, such as nexcode.yaml.`)
  if (existsSync(path))
    return refuse(`nexcode init: ${path} is there already. Add this line to it: ledger: { store: "sqlite:nexcode.db" }`)
  try {
    await writeFile(path, LEDGER_FILE, { flag: 'wx' })
  } catch (cause) {
    return refuse(`nexcode init: ${path} can't be written: ${describeSystemError(cause)}.`)
  }
  const option = path === 'nexcode.yaml' ? '' : ` --config ${path}`
  process.stdout.write(`${path} written: its ledger is nexcode.db, in the folder that NexCode is started in.

A first key, which is shown once
  nexcode keys create --name alice --budget 5/month${option}

The server, with your provider's key, which no caller sees
  REQUIRE_AUTH=true OPENAI_API_KEY=sk-... nexcode${option}
`)
  return DONE
}

/** Whether some version of NexCode has written a types file: its first two lines say so. */
function isOurs(found: string, types: string): boolean {
  const firstLines = (text: string): string => text.split('\n', 2).join('\n')
  return firstLines(found) === firstLines(types)
}

function refuse(message: string): number {
  process.stderr.write(`${message}\n`)
  return INVALID
}
