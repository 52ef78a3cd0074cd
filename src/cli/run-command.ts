import { ignoreHangUp } from '../process/end-on-signals.ts'
import { VERSION } from '../process/program.ts'
import { INVALID } from '../process/start-failure.ts'
import { readCommandLine } from './command-line/read-command-line.ts'

/**
 * Runs the command of a command line. Ends the process with the command's exit code; a command without one goes on as a server.
 *
 * @example
 * await runCommand(process.argv.slice(2))
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

/** Prints the help for a command or a variable, or the whole help. */
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

/** Prints a problem and ends the process. The problem comes last, where it is seen. */
function refuse(text: string): void {
  process.stderr.write(text)
  process.exit(INVALID)
}
