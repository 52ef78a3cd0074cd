import { createCassettes } from '../cassettes/cassettes.ts'
import { openFolder } from '../process/cassettes/open-folder.ts'
import { openWriterAt } from '../process/cassettes/open-writer.ts'
import { createProcessRecorder, serveCassettes } from '../process/cassettes/serve-cassettes.ts'
import { serverSecrets } from '../process/cassettes/server-secrets.ts'
import { readWholeConfiguration } from '../process/configuration.ts'
import { INVALID } from '../process/start-failure.ts'
import type { Flags } from './flags.ts'

/** The flags of `nexcode record`. */
export interface RecordFlags extends Pick<Flags, 'config'> {
  /** The folder for the cassettes. */
  readonly to: string | undefined
}

/** Serves as usual until a signal ends it, and writes each exchange to a file. Gives the exit code when it can't start. */
export async function record({ to, config: flag }: RecordFlags): Promise<number | undefined> {
  if (to === undefined || to === '') {
    process.stderr.write('nexcode record: say which folder the cassettes go into: nexcode record --to cassettes/\n')
    return INVALID
  }
  const configuration = await readWholeConfiguration(process.env, flag)
  if (configuration === undefined) return INVALID
  const writer = await openWriterAt(to, openFolder(to))
  if (writer === undefined) return INVALID
  const secrets = new Set<string>()
  return serveCassettes({
    configuration,
    cassettesFor(log) {
      return createCassettes({ recorder: createProcessRecorder(writer, { log, secrets: () => [...secrets] }) })
    },
    onConfig(config) {
      // Former secrets stay in the set: a call under way may still have one.
      for (const secret of serverSecrets(config)) secrets.add(secret)
      return config
    },
    describe: ({ upstream }) => ({ upstream: `${upstream}; recording to ${to}` }),
  })
}
