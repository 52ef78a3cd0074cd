/** How the writing of a response ended. */
export type Written =
  /** All of it is written: the connection is in step. */
  | 'complete'
  /** It broke off: the end of the connection has to tell. */
  | 'broken'
  /** It broke off, and where the end of the connection is the proper end of the body, only a reset tells (HTTP/1.0). */
  | 'reset'
