import { renderEnvHelp } from '../config/help-text.ts'

/** What `nexcode --help` prints. */
export function renderHelp(version: string): string {
  return `NexCode ${version}: an OpenAI-compatible gateway in one binary

Usage
  nexcode                 start the server
  nexcode demo [--once]   try it: a simulated OpenAI behind it, one streamed chat through it; no key, no network
  nexcode check           validate the configuration, and ask the upstream whether it answers
  nexcode healthcheck     exit 0 if the server on this machine is healthy (for containers)
  nexcode --help | --version

Exit codes
  0 all is well   1 it did not work   2 the configuration or the command line is not valid

Configuration, by environment
${renderEnvHelp()}
`
}
