// SPDX-License-Identifier: Apache-2.0
// Requests to the server that this page comes from.  The token lives in this variable alone: it
// is gone when the page is closed, reloaded, or told to forget it.
let token = null

export const setToken = (value) => {
  token = value
}
export const hasToken = () => token !== null

// A reply that is none: `status`, and the server's sentence as the message.
export class Refused extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

async function refusal(response) {
  const problem = await response.json().catch(() => null)
  return new Refused(response.status, problem?.detail ?? `the server answers ${response.status}`)
}

async function request(path, options = {}) {
  const headers = { ...options.headers }
  if (token !== null) headers.Authorization = `Bearer ${token}`
  let response
  try {
    response = await fetch(path, { ...options, headers, credentials: 'omit' })
  } catch {
    throw new Refused(0, 'the server cannot be reached')
  }
  if (!response.ok) throw await refusal(response)
  return response
}

const READERS = {
  json: (response) => response.json(),
  text: (response) => response.text(),
  bytes: async (response) => new Uint8Array(await response.arrayBuffer()),
}

export const get = async (path, kind = 'json') => READERS[kind](await request(path))

export async function post(path, media, body) {
  const options = { method: 'POST', headers: { 'Content-Type': media }, body }
  return (await request(path, options)).json()
}
