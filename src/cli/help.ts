import { renderEnvHelp } from '../config/help-text.ts'

/** What `nexcode --help` prints. */
export function renderHelp(version: string): string {
  return `NexCode ${version}: an OpenAI-compatible gateway in one binary

Usage
  nexcode [--config FILE] start the server; FILE says what goes where (nexcode.yaml)
  nexcode demo [--once]   try it: a simulated OpenAI behind it, one streamed chat through it; no key, no network
  nexcode check [--config FILE]
                          validate the configuration, and ask each upstream whether it answers
  nexcode explain REQUEST.json [--config FILE] [--path /v1/...] [--json]
                          say, without sending, what would go where and why, rule by rule; - reads standard input
  nexcode record --to FOLDER
                          start the server, and keep each exchange as a file
  nexcode replay --from FOLDER [--pace instant|original] [--on-miss fail|forward|record] [--ignore a,b.c] [--blank REGEX]
                          answer from these files; no key, no network
  nexcode init extension MY.ts
                          begin an extension: your own logic in one TypeScript file, and a nexcode.d.ts for your editor
  nexcode cache stats [--json] | purge [--scope token-1 | --key KEY]
                          say what a cache in SQLite or Redis holds, or empty it: all, one token's answers, or one answer
  nexcode schema          print the JSON Schema of the configuration file
  nexcode import litellm CONFIG.yaml
                          translate a LiteLLM proxy's file, and list what could not be
  nexcode healthcheck     exit 0 if the server on this machine is healthy (for containers)
  nexcode --help | --version

Exit codes
  0 all is well   1 it did not work, or is refused   2 the configuration or the command line is not valid

Configuration, by environment
${renderEnvHelp()}
`
}
