import { jsonSchema } from '../config/file/schema.ts'

/** Prints the JSON Schema of the configuration file, for editors that complete and check it. */
export async function schema(): Promise<number> {
  process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`)
  return 0
}
