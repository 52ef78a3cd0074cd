import packageJson from '../../package.json' with { type: 'json' }

/** The version of this program, from package.json. */
export const VERSION: string = packageJson.version

/** Gives the command that starts this program, compiled or from source, without its arguments. */
export function ownCommand(): string[] {
  return [process.execPath, ...(isCompiled() ? [] : [...process.execArgv, process.argv[1] ?? ''])]
}

/** Whether this is the compiled program, which contains the runtime. */
export function isCompiled(): boolean {
  return import.meta.url.includes('/$bunfs/') || import.meta.path.startsWith('/$bunfs/')
}
