import { ignoreHangUp } from '../process/end-on-signals.ts'
import { VERSION } from '../process/program.ts'
import { INVALID } from '../process/start-failure.ts'
import { readCommandLine } from './command-line/read-command-line.ts'

/**
 * Runs a command line. A command that gives an exit code has ended; one that gives none goes on as a server.
 *
 * @example
 * await run(process.argv.slice(2))
 */
export async function runCommand(args: readonly string[]): Promise<void> {
  const asked = readCommandLine(args)
  switch (asked.kind) {
    case 'version':
      return void process.stdout.write(`nexcode ${VERSION}\n`)
    case 'help':
      return help(asked.topic)
    case 'wrong': {
      const [{ explainUsage }, { renderCommandHelp, renderCommandList }] = await Promise.all([
        import('./command-line/usage-problem.ts'),
        import('./command-line/help.ts'),
      ])
      const { command, problem } = asked
      const known = command === undefined ? renderCommandList() : renderCommandHelp(command)
      return refuse(`${known}\n${explainUsage(problem, command)}\n`)
    }
    case 'run': {
      if (asked.command.serves === true) ignoreHangUp()
      const code = await asked.command.run(asked.flags)
      if (code !== undefined) process.exit(code)
    }
  }
}

/** Prints the help about a command or a variable, or all of it. */
async function help(topic: string | undefined): Promise<void> {
  const [{ renderCommandHelp, renderHelp, renderVariableHelp, VERSION_HELP }, { COMMANDS }] = await Promise.all([
    import('./command-line/help.ts'),
    import('./command-line/commands.ts'),
  ])
  if (topic === undefined || topic === 'help') return void process.stdout.write(renderHelp(VERSION))
  if (topic === 'version') return void process.stdout.write(VERSION_HELP)
  const command = COMMANDS.get(topic)
  const text = command === undefined ? renderVariableHelp(topic) : renderCommandHelp(command)
  if (text !== undefined) return void process.stdout.write(text)
  const { explainTopic } = await import('./command-line/usage-problem.ts')
  return refuse(`${explainTopic(topic)}\n`)
}

/** What is wrong stands last, where it is seen. */
function refuse(text: string): void {
  process.stderr.write(text)
  process.exit(INVALID)
}
