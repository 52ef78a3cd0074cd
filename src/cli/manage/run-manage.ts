import { OpenLedgerError } from '../../ledger/ledger.ts'
import { INVALID } from '../../process/start-failure.ts'
import { describeCause } from '../../telemetry/describe-error.ts'
import type { Flags } from '../flags.ts'
import { writeOut } from '../write-out.ts'
import { type AdminClient, openAdminClient } from './admin-client.ts'
import { InvalidConfiguration, ManageProblem } from './ask-admin.ts'

const FAILED = 1

/**
 * Runs a command of the administration, and prints the text that it gives. Gives the exit code: 0; 1 where it is refused, or the ledger fails;
 * 2 for an invalid command or configuration.
 *
 * @example
 * return runManage('keys', flags, (client) => listKeys(client, flags))
 */
export async function runManage(
  command: string,
  flags: Flags,
  act: (client: AdminClient) => Promise<string>,
): Promise<number> {
  let client: AdminClient | undefined
  try {
    client = await openAdminClient(flags)
    await writeOut(process.stdout, await act(client))
    return 0
  } catch (thrown) {
    if (thrown instanceof InvalidConfiguration) return INVALID
    if (thrown instanceof ManageProblem)
      return fail(command, thrown.message, thrown.status === undefined ? INVALID : FAILED)
    if (thrown instanceof OpenLedgerError) return fail(command, `the ledger ${thrown.wrong}. ${thrown.cure}`, INVALID)
    return fail(command, `the ledger does not do what it was asked for: ${describeCause(thrown)}`, FAILED)
  } finally {
    await client?.close()
  }
}

function fail(command: string, text: string, code: number): number {
  process.stderr.write(`nexcode ${command}: ${text}\n`)
  return code
}
