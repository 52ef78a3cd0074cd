import { ownCommand } from '../process/program.ts'
import { readCommandLine } from './command-line/read-command-line.ts'

/** The variable of the runtime's limit on requests in flight: 256 by default, and the runtime queues the others in silence. */
const VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'
const REQUESTS_MAX = '65535'
/** A shell's path of a pipe that it has opened for a program. */
const PIPE = /^(?:--config=|-c)?\/(?:dev|proc\/self)\/fd\/\d/

/**
 * Lets the runtime send as many requests at once as the gateway admits. The runtime reads its limit from the environment at its start,
 * so this program replaces itself by a new start with the variable set, under the same process id and with the same arguments.
 *
 * Does nothing for commands that send one request, or when the variable is set, as in the container image; nor when a file comes
 * through a pipe (`--config <(decrypt …)`), which the new start would not have.
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
