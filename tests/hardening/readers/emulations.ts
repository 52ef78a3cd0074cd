/** Which readers of the grammar's suite stand for a real one, where they are not of its name. */
export const EMULATIONS: Readonly<Record<string, readonly string[]>> = {
  fastapi: ['starlette'],
  busboy: ['express'],
  go: ['go', 'go-map'],
  gin: ['go', 'go-map'],
  jsoniter: ['go', 'go-map'],
  sonic: ['go', 'go-map'],
}
