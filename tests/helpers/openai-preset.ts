import { type ConfigFile, writeConfigFile } from './config-file.ts'

/** A file by which the environment's upstream is OpenAI, so that a request's shape is refused before it. */
export function openAiPreset(): ConfigFile {
  return writeConfigFile(`upstreams: { openai: { preset: openai, auth: caller, base_url: "\${OPENAI_API_BASE}" } }`)
}
