/** The command line that starts this very program, compiled or from source, before its arguments. */
export function ownCommand(): string[] {
  const isCompiled = import.meta.url.includes('/$bunfs/') || import.meta.path.startsWith('/$bunfs/')
  return [process.execPath, ...(isCompiled ? [] : [...process.execArgv, process.argv[1] ?? ''])]
}
