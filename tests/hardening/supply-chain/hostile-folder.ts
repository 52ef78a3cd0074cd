import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Something in the folder that a server is started in, which would change what the server does if it were read. */
export interface Trap {
  readonly id: string
  /** Its files, by their names. */
  readonly files: Readonly<Record<string, string>>
}

const PORT = '61234'
const CANARY = 'canary-of-the-folder'
const VARIABLES = `PORT=${PORT}\nOPENAI_API_KEY=${CANARY}\nNODE_OPTIONS=--require=./evil.cjs\nBUN_OPTIONS=--preload=./evil.ts\n`

/** A module that leaves a mark where it is run. */
const EVIL = "require('node:fs').writeFileSync('loaded', import.meta.url)\n"
const EVIL_CJS = "require('node:fs').writeFileSync('loaded', __filename)\nmodule.exports = {}\n"

/** A package of the binary's, as a folder could have it. */
function impostor(name: string): Readonly<Record<string, string>> {
  return {
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '99.0.0', main: 'index.js' }),
    [`node_modules/${name}/index.js`]: EVIL_CJS,
  }
}

/** What is laid out; each of these is read by the runtime, or by tools around it, in some situation. */
export const TRAPS: readonly Trap[] = [
  ...['.env', '.env.local', '.env.production', '.env.development', '.env.test'].map((name) => ({
    id: `dotenv${name.slice('.env'.length).replace('.', '-')}`,
    files: { [name]: VARIABLES, 'evil.ts': EVIL, 'evil.cjs': EVIL_CJS },
  })),
  {
    id: 'bunfig-preload',
    files: { 'bunfig.toml': 'preload = ["./evil.ts"]\n[run]\npreload = ["./evil.ts"]\n', 'evil.ts': EVIL },
  },
  { id: 'hidden-bunfig', files: { '.bunfig.toml': 'preload = ["./evil.ts"]\n', 'evil.ts': EVIL } },
  {
    id: 'package-json',
    files: {
      'package.json': JSON.stringify({
        main: './evil.ts',
        type: 'module',
        imports: { '#*': './evil.ts' },
        preload: ['./evil.ts'],
      }),
      'evil.ts': EVIL,
    },
  },
  {
    id: 'tsconfig-paths',
    files: {
      'tsconfig.json': JSON.stringify({ compilerOptions: { baseUrl: '.', paths: { '*': ['./evil.ts'] } } }),
      'evil.ts': EVIL,
    },
  },
  {
    id: 'node-modules',
    files: { ...impostor('pino'), ...impostor('elysia'), ...impostor('yaml'), ...impostor('lru-cache') },
  },
  {
    id: 'modules-beside',
    files: { 'main.ts': EVIL, 'src/main.ts': EVIL, 'index.ts': EVIL, 'index.js': EVIL_CJS, 'nexcode.ts': EVIL },
  },
]

/** What each command is started with: nothing of this process's. */
const ENV = { PATH: process.env['PATH'] ?? '', OPENAI_API_BASE: 'http://127.0.0.1:1/v1', HOST: '127.0.0.1' }

/** With these the program reads what it would for a server: its environment, its file, and all of its modules that a file needs. */
const ARGUMENTS: readonly (readonly string[])[] = [['check'], ['demo', '--once'], ['--version']]

/** Lays a trap in a folder, runs a program in it, and says what of the trap the program has read. */
export async function findLoaded(trap: Trap, folder: string, command: readonly string[]): Promise<string[]> {
  for (const [name, text] of Object.entries({ ...trap.files, 'nexcode.yaml': 'params: []\n' })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const found: string[] = []
  for (const args of ARGUMENTS) {
    const child = Bun.spawn([...command, ...args], {
      cwd: folder,
      env: ENV,
      stdout: 'pipe',
      stderr: 'pipe',
      stdin: 'ignore',
    })
    const said = (await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])).join('')
    await child.exited
    if (said.includes(PORT) || said.includes(CANARY))
      found.push(`${args[0]}: a value of the folder's was taken: ${trap.id}`)
    if (existsSync(join(folder, 'loaded'))) found.push(`${args[0]}: a module of the folder's was run: ${trap.id}`)
  }
  return found
}
