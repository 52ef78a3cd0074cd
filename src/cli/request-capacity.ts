import { ownCommand } from '../process/program.ts'
import { readCommandLine } from './command-line/read-command-line.ts'

/** The runtime's own limit of requests in flight, of which its default is 256, with the others queued in silence. */
const VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'
const REQUESTS_MAX = '65535'
/** What a shell calls a pipe that it has opened for a program. */
const PIPE = /^(?:--config=|-c)?\/(?:dev|proc\/self)\/fd\/\d/

/**
 * Lets the runtime send as many requests at once as we admit: it reads its limit from the environment at its very
 * start, so this program replaces itself by itself with the variable set. Same process id, same arguments.
 *
 * Does nothing for commands that send one request, or where the variable is set, as in the container image; nor where a file comes
 * through a pipe (`--config <(decrypt …)`), which the program that takes this one's place would not have.
 */
export function raiseRequestCapacity(args: readonly string[]): void {
  if (process.env[VARIABLE] !== undefined || process.execve === undefined) return
  const asked = readCommandLine(args)
  if (asked.kind !== 'run' || asked.command.sendsMany !== true) return
  if ([...args, ...Object.values(process.env)].some((text) => text !== undefined && PIPE.test(text))) return
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  process.execve(process.execPath, [...ownCommand(), ...args], { ...env, [VARIABLE]: REQUESTS_MAX })
}
