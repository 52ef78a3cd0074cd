import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

const PROGRAMS = programsFolder()
/** The user and group `nobody`: the server refuses to run as root. */
const NOBODY = 65_534

/** Why tests with Postgres are skipped, as the end of their name; undefined: they are not. */
export const POSTGRES_MISSING =
  PROGRAMS === undefined
    ? 'postgresql is missing: install it (Debian and Ubuntu: apt-get install postgresql), and run again'
    : undefined

/** A Postgres of a test's own. */
export interface PostgresServer {
  readonly port: number
  /** Makes an empty database and gives its URL. */
  readonly database: () => Promise<string>
  /** Lets its processes stand still: connections stay, and nothing is answered. */
  readonly pause: () => void
  readonly resume: () => void
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>
  /** Starts it again at the same port, with its data. */
  readonly restart: () => Promise<void>
  /** Ends it for good, and removes its data. */
  readonly stop: () => Promise<void>
}

/** Starts a Postgres on a free port of 127.0.0.1, with the user `nexcode` and no password. */
export async function startPostgres(): Promise<PostgresServer> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-postgres-'))
  if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY)
  const data = join(folder, 'data')
  await finish(asNobody('initdb', '-D', data, '-A', 'trust', '-U', 'nexcode', '-N', '-E', 'UTF8', '--locale=C'))
  let child = await launch(port, folder)
  let databases = 0
  return {
    port,
    async database() {
      databases += 1
      const name = `ledger_${databases}`
      await finish([...asNobody('createdb'), '-h', '127.0.0.1', '-p', String(port), '-U', 'nexcode', name])
      return `postgres://nexcode@127.0.0.1:${port}/${name}`
    },
    pause: () => signal(child, 'SIGSTOP'),
    resume: () => signal(child, 'SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await child.exited
    },
    async restart() {
      child = await launchAgain(port, folder)
    },
    async stop() {
      child.kill('SIGKILL')
      await child.exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Processes of one that was killed end a moment behind it, and hold its memory until then. */
async function launchAgain(port: number, folder: string): ReturnType<typeof launch> {
  for (;;) {
    try {
      return await launch(port, folder)
    } catch (cause) {
      if (!String(cause).includes('is still in use')) throw cause
      await Bun.sleep(20)
    }
  }
}

function programsFolder(): string | undefined {
  const versions = folderNames('/usr/lib/postgresql').toSorted((one, other) => Number(other) - Number(one))
  const found = versions
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
    .find((path) => folderNames(path).includes('initdb'))
  const onPath = Bun.which('initdb')
  return found ?? (onPath === null ? undefined : join(onPath, '..'))
}

function folderNames(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function asNobody(program: string, ...args: readonly string[]): string[] {
  if (PROGRAMS === undefined) throw new Error(POSTGRES_MISSING)
  const command = [join(PROGRAMS, program), ...args]
  return process.getuid?.() === 0
    ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--', ...command]
    : command
}

async function finish(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { cwd: tmpdir(), stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
  const said = await new Response(child.stderr).text()
  if ((await child.exited) !== 0) throw new Error(`${command[0]} failed: ${said}`)
}

type Child = Bun.Subprocess<'ignore', 'ignore', 'pipe'>

/** Resolves when it says that it takes connections. */
async function launch(port: number, folder: string): Promise<Child> {
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'max_connections=200',
  ]
  const command = asNobody(
    'postgres',
    '-D',
    join(folder, 'data'),
    '-p',
    String(port),
    ...settings.flatMap((one) => ['-c', one]),
  )
  const child = Bun.spawn(command, { cwd: tmpdir(), stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
  let said = ''
  const decoder = new TextDecoder()
  const errors = child.stderr.getReader()
  while (!said.includes('ready to accept connections')) {
    const { value, done } = await errors.read()
    if (done) throw new Error(`postgres ended: ${said}`)
    said += decoder.decode(value, { stream: true })
  }
  void drain(errors)
  return child
}

/** Each of its connections has a process of its own. */
function signal({ pid }: Child, name: NodeJS.Signals): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  for (const one of [pid, ...children.filter((child) => child !== '').map(Number)]) process.kill(one, name)
}

/** Its further words have to go somewhere, or it would stand still when the pipe is full. */
async function drain(output: { read: () => Promise<{ done: boolean }> }): Promise<void> {
  while (!(await output.read()).done);
}
