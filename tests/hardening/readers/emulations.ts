/** Which readers of the grammar's suite stand for a real one, where they are not of its name. */
export const EMULATIONS: Readonly<Record<string, readonly string[]>> = {
  fastapi: ['starlette'],
  busboy: ['express'],
  go: ['go', 'go-map'],
  gin: ['go', 'go-map'],
  jsoniter: ['go', 'go-map'],
  sonic: ['go', 'go-map'],
  // It refuses a name that occurs twice where a struct has it, and has no more than what Python's readers have.
  serde: ['aiohttp'],
  nlohmann: ['llamacpp', 'aiohttp'],
}
