import { ownCommand } from './own-command.ts'

/** The runtime's own limit of requests in flight, of which its default is 256, with the others queued in silence. */
const VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'
const REQUESTS_MAX = '65535'
const COMMANDS_THAT_SEND = new Set(['serve', 'demo'])

/**
 * Lets the runtime send as many requests at once as we admit: it reads its limit from the environment at its very
 * start, so this program replaces itself by itself with the variable set. Same process id, same arguments.
 *
 * Does nothing for commands that send one request, or where the variable is set, as in the container image.
 */
export function raiseRequestCapacity(args: readonly string[]): void {
  const command = args.find((arg) => !arg.startsWith('-')) ?? 'serve'
  if (process.env[VARIABLE] !== undefined || !COMMANDS_THAT_SEND.has(command) || process.execve === undefined) return
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  process.execve(process.execPath, [...ownCommand(), ...args], { ...env, [VARIABLE]: REQUESTS_MAX })
}
