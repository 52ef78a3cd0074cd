/** The command line that starts this very program, compiled or from source, before its arguments. */
export function ownCommand(): string[] {
  return [process.execPath, ...(isCompiled() ? [] : [...process.execArgv, process.argv[1] ?? ''])]
}

/** Whether this is the compiled program, which brings the runtime along. */
export function isCompiled(): boolean {
  return import.meta.url.includes('/$bunfs/') || import.meta.path.startsWith('/$bunfs/')
}
