// The talk with the test that started this script: one line of JSON each way (node.py is the other end).
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const hear = async () => JSON.parse((await lines.next()).value)

export const tell = (what) => console.log(JSON.stringify(what))

// Sends the person's browser to a URL; the address it came back to.
export const open = async (url) => {
  tell({ open: String(url) })
  return new URL(await hear())
}

// issuer, client_id, secret (null for a public client), redirect_uri, post_logout_redirect_uri, scope
export const told = await hear()
