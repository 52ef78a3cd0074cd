/** A request id that is safe to log and to echo. */
const SAFE_ID = /^[A-Za-z0-9._:-]{1,128}$/

/** What the ids of this process begin with, and what they count. */
const IDS_BEGIN = `req_${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`
let idsGiven = 0

/** An id that came in a header, where it is safe; undefined: it is not. */
export function safeRequestId(value: string | null): string | undefined {
  return value !== null && SAFE_ID.test(value) ? value : undefined
}

/** Makes an id of OpenAI's form (`req_…`); unique, and no secret. */
export function newRequestId(): string {
  idsGiven += 1
  return IDS_BEGIN + idsGiven.toString(16).padStart(12, '0')
}
