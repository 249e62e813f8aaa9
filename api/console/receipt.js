// SPDX-License-Identifier: Apache-2.0
// Checking a receipt: whatever was dropped or pasted, check by check, each with a sentence about
// what it shows and what it does not.
import { get } from './api.js'
import { sortPieces } from './claim.js'
import { badge, by, count, counted, dropZone, el, note, short, terms, time } from './dom.js'
import { erasedIn } from './entry.js'
import { available } from './hashes.js'
import { ed25519 } from './signature.js'
import { entryOf, parseReceipt, verifyReceipt } from './verify.js'

const LARGEST = 64 << 20 // bytes of one file
const LISTED = 100 // receipts in the list

// In the order in which one reads them: what a check is called, what it shows and does not, and
// what it means when it fails.
const ABOUT = {
  known_key: {
    title: 'A known key',
    shows: 'So the signature can be checked by a key that is published, and not by one that the receipt brings along.',
    not: 'Whose key it is. A key set that you kept from the first day says more than one that is fetched today from the server that is being checked.',
    means: 'Another service may have signed it, or the key set is not the one that belongs to it. Ask for the key set of that time.',
  },
  signature: {
    title: 'Signature',
    shows: 'Exactly these words were signed: what was done, when, and what the memory was before and after. The service cannot deny having said so.',
    not: 'That the words are true.',
    means: 'As it stands it proves nothing. Ask for the receipt as it was first sent.',
  },
  commitment: {
    title: 'About this person',
    shows: 'The entry names nobody; only the opening, which you hold, ties it to this name, and nobody can open it to another.',
    not: 'That this name is yours, or the only one under which the service knew you.',
    means: 'It is somebody else’s receipt, or subject, request or salt are not spelt as they were then: every character counts.',
  },
  leaf_in_log: {
    title: 'Stands in the log',
    shows: 'The public tree contains the entry: it cannot be changed or taken back without changing the root that is signed.',
    not: 'That everybody is shown the same tree. Whoever kept an earlier checkpoint can compare.',
    means: 'The proof belongs to another entry, was changed, or the log was rewritten since. Keep the receipt: if it is signed, it is evidence.',
  },
  checkpoint: {
    title: 'Checkpoint',
    shows: 'The root that the proof leads to was published by the log, whose key is not the receipt’s.',
    not: 'That the log has no second version for others.',
    means: 'The checkpoint is forged, or was signed by a key that this page does not know. If the log’s key has changed, give the one of that time.',
  },
  digest_chain: {
    title: 'Chain of digests',
    shows: 'The count changes by exactly what was erased, and the entry fits between those before and after it.',
    not: 'That this digest is that of the memory which answers: that is what audits compare, with the service’s files at hand.',
    means: 'The entry contradicts itself or its neighbours: such a log does not describe one memory.',
  },
}

const pieces = [] // texts: whatever was dropped or pasted
let log // see log.js
let shown = 0 // which check of which pieces is the latest

// ---- what the receipt says

const CLASSES = {
  exact: 'enrolled after training, and so gone without a trace',
  trained: 'that the weights were trained on: their keys are gone, what the weights keep is another matter',
}

function statement(entry, opening) {
  const whom = opening ? el('strong', {}, `“${opening.subject}”`) : 'a person who is named in no entry'
  const about = {
    erase: () => [`erased ${counted(erasedIn(entry), 'instance')} of `, whom],
    not_held: () => ['held nothing about ', whom],
    restrict: () => ['stopped using what it holds about ', whom],
    unrestrict: () => ['uses again what it holds about ', whom],
  }[entry.act]
  if (!about) return el('p', {}, 'The entry says what munkeyd gives no receipts for.')
  const classes = Object.entries(entry.classes ?? {}).map(([name, n]) => el('li', {}, `${count(n)} ${CLASSES[name]}`))
  return el('div', { class: 'statement' },
    el('p', {}, `On `, time(entry.iat), `, `, el('strong', { class: 'wrap' }, entry.iss), ' stated that it ', ...about(), '.'),
    classes.length > 0 ? el('ul', {}, classes) : null,
    terms([
      ['Instances', `${count(entry.n[0])} before, ${count(entry.n[1])} after`],
      ['Digest before', short(entry.mem[0])],
      ['Digest after', short(entry.mem[1])],
      ...(opening ? [['Request', el('span', { class: 'wrap' }, opening.request)]] : []),
      ...(entry.model ? [['Model', short(entry.model.replace(/^sha256:/, ''))]] : []),
    ]))
}

const STATUS = { erase: 'erased', not_held: 'not_held', restrict: 'restricted', unrestrict: 'unrestricted' }

// What stands around a receipt in its reply is not signed: whether it says the same.
function contradicts(reply, { entry, index }) {
  if (!reply || !entry) return false
  const said = [
    [reply.status, STATUS[entry.act]],
    [reply.erased, erasedIn(entry)],
    [reply.receipt_id, index === undefined ? undefined : String(index)],
    [reply.log?.index, index],
    [reply.log?.origin, entry.iss],
  ]
  return said.some(([one, other]) => one !== undefined && other !== undefined && one !== other)
}

// ---- the keys, and the log of today

async function serverKeys(found) {
  const jwks = found.jwks ?? (await get('/.well-known/jwks.json').catch(() => undefined))
  if (!log.head()) await log.read().catch(() => undefined)
  return { jwks, vkeys: found.vkeys.length > 0 ? found.vkeys : log.head() ? log.vkeys() : [] }
}

// The neighbours of an entry, if this server's log is the one that the proof is about.
async function logAt(index, origin) {
  if (log.head()?.checkpoint.origin !== origin) return undefined
  return log.at(index).catch(() => undefined)
}

// A receipt without its proof can still be found in the log of today.
async function fetchProof(claim) {
  try {
    const receipt = parseReceipt(claim.receipt)
    if (entryOf(receipt)?.iss !== log.head()?.checkpoint.origin) return undefined
    const index = await log.find(receipt.payload)
    return index === undefined ? undefined : await get(`/log/proof/${index}`, 'text')
  } catch {
    return undefined
  }
}

const failsAt = (verdict, name) => verdict.checks.some((one) => one.name === name && one.result === 'failed')

async function check(claim, found, trust) {
  const fetched = claim.proof === undefined ? await fetchProof(claim) : undefined
  const whole = { ...claim, proof: claim.proof ?? fetched }
  let verdict = await verifyReceipt(whole, { ...trust, logAt })
  if (failsAt(verdict, 'checkpoint') && found.vkeys.length === 0 && log.head()?.from > 0) {
    await log.read(log.head().checkpoint.size) // an older key may stand further back
    verdict = await verifyReceipt(whole, { ...trust, vkeys: log.vkeys(), logAt })
  }
  return { claim, ...verdict, fetched: fetched !== undefined }
}

// ---- showing it

function headline({ valid, checks }) {
  const left = checks.filter((one) => one.result === 'skipped').length
  if (!valid) return ['bad', 'This receipt does not hold']
  if (failsOrSkips(checks, 'signature')) return ['', 'This receipt could not be checked']
  if (left > 0) return ['good', `What could be checked holds; ${counted(left, 'check')} could not be made`]
  return ['good', 'This receipt holds']
}

const failsOrSkips = (checks, name) => checks.find((one) => one.name === name).result !== 'passed'

function checkItem({ name, result, why }) {
  const about = ABOUT[name]
  const sentence = `${why[0].toUpperCase()}${why.slice(1)}.`
  return el('li', { 'data-check': name, 'data-result': result },
    badge(result),
    el('div', {},
      el('h4', {}, about.title),
      el('p', {}, sentence),
      result === 'failed'
        ? el('p', {}, el('strong', {}, 'What it means. '), about.means)
        : el('p', { class: 'soft' }, about.shows),
      el('p', { class: 'soft' }, el('strong', {}, 'What it does not show. '), about.not)))
}

const ENGINE = {
  webcrypto: 'Ed25519 signatures were checked by this browser’s own cryptography (WebCrypto).',
  fallback: 'This browser’s cryptography does not know Ed25519: the signatures were checked by a fallback, a program of this page (ed25519.js).',
}

async function remarks(result, found) {
  const { name } = await ed25519()
  const list = [
    found.jwks ? 'The receipt’s key is from the key set that you gave.' : 'The receipt’s key is from the key set that this server gives today.',
    found.vkeys.length > 0 ? 'The log’s key is the one that you gave.' : 'The log’s key is the one that this server gives today, or one before it that its log names.',
    ...(result.fetched ? ['The proof was not in what you gave: it was fetched from this server’s log.'] : []),
  ]
  return el('div', { class: 'soft remarks' }, el('p', { id: 'engine', 'data-engine': name }, ENGINE[name]),
    list.map((sentence) => el('p', {}, sentence)))
}

async function detail(result, found) {
  if (result.error)
    return [el('h3', { class: 'bad', id: 'headline', tabindex: -1 }, 'This is not a receipt that can be read'), note('bad', `${result.error}.`)]
  const [kind, words] = headline(result)
  const order = Object.keys(ABOUT).map((name) => result.checks.find((one) => one.name === name))
  return [
    el('h3', { class: kind, id: 'headline', tabindex: -1 }, words),
    contradicts(result.claim.reply, result)
      ? note('bad', 'The reply around the receipt says something else than the receipt does. Only the receipt is signed.') : null,
    result.entry ? statement(result.entry, failsOrSkips(result.checks, 'commitment') ? undefined : result.claim.opening) : null,
    el('ol', { class: 'checks' }, order.map(checkItem)),
    await remarks(result, found),
  ].filter(Boolean)
}

async function open(result, found) {
  by('verdict').replaceChildren(...(await detail(result, found)))
  by('headline').focus({ preventScroll: true })
  by('headline').scrollIntoView({ block: 'nearest' })
}

// One whose signature could not be checked, without the keys, is as good as none.
const isGood = (result) => result.valid === true && !failsOrSkips(result.checks, 'signature')

// Of many receipts, those that fail come first.
function list(results, found) {
  const good = results.filter(isGood).length
  const rows = results
    .map((result, i) => ({ result, number: i + 1 }))
    .sort((a, b) => isGood(a.result) - isGood(b.result) || a.number - b.number)
    .slice(0, LISTED)
  by('receipts').replaceChildren(
    el('p', {}, `${counted(results.length, 'receipt')}: ${count(good)} hold, ${count(results.length - good)} do not, or could not be checked.`),
    el('ol', { class: 'receipts' }, rows.map(({ result, number }) =>
      el('li', {}, el('button', { type: 'button', onclick: () => open(result, found) },
        badge(isGood(result) ? 'passed' : 'failed'), ` Receipt ${number}`)))))
}

async function checkAll(found, mine) {
  const trust = await serverKeys(found)
  const results = []
  for (const [i, claim] of found.claims.entries()) {
    results.push(await check(claim, found, trust).catch((error) => ({ claim, valid: false, error: error.message })))
    if (i % 50 === 49) {
      by('verdict').replaceChildren(note('', `Checked ${count(i + 1)} of ${count(found.claims.length)} …`))
      await new Promise((resolve) => setTimeout(resolve))
    }
    if (mine !== shown) return
  }
  by('receipts').replaceChildren()
  if (results.length > 1) list(results, found)
  await open(results.find((result) => !isGood(result)) ?? results[0], found)
}

const piece = (has, name, hint) =>
  el('li', { class: has ? 'has' : '' }, el('span', { 'aria-hidden': 'true' }, has ? '✓ ' : '○ '), name, has ? '' : el('small', {}, ` ${hint}`))

function showPieces(found) {
  const [claim] = found.claims
  by('pieces').replaceChildren(
    piece(claim, found.claims.length > 1 ? counted(found.claims.length, 'receipt') : 'receipt', 'still missing'),
    piece(claim?.opening ?? found.openings[0], 'opening', 'says whom it is about'),
    piece(claim?.proof ?? found.proofs[0], 'proof', 'else asked of the log'),
    piece(found.jwks, 'your own key set', 'else this server’s'),
    piece(found.vkeys.length > 0, 'your own log key', 'else this server’s'),
  )
  by('pieces-box').hidden = pieces.length === 0
}

async function update() {
  const found = sortPieces(pieces)
  shown++
  showPieces(found)
  by('receipts').replaceChildren()
  by('verdict').replaceChildren()
  if (found.unknown > 0)
    by('verdict').append(note('bad', `${counted(found.unknown, 'piece')} could not be read: it is neither a reply, receipt, opening or proof, nor a key set or log key.`))
  if (found.claims.length > 0) await checkAll(found, shown)
}

function take(texts) {
  pieces.push(...texts.filter((one) => one.trim() !== ''))
  return update()
}

async function takeFiles(files) {
  const large = [...files].find((file) => file.size > LARGEST)
  if (large) {
    by('verdict').replaceChildren(note('bad', 'That file is larger than any reply: nothing was read.'))
    return
  }
  await take(await Promise.all([...files].map((file) => file.text())))
}

export function startReceipts(openedLog) {
  log = openedLog
  by('insecure').hidden = available()
  by('receipt-form').hidden = !available()
  dropZone(by('drop'), by('files'), takeFiles)
  by('paste-form').addEventListener('submit', (event) => {
    event.preventDefault()
    const text = by('paste').value
    by('paste').value = ''
    take([text])
  })
  by('clear').addEventListener('click', () => {
    pieces.length = 0
    update()
    by('files').focus()
  })
}
