// SPDX-License-Identifier: Apache-2.0
// The console in a real Chromium: everything on it is used once.  Writes "ok - NAME" or
// "not ok - NAME" a line, and screenshots; tests/story_console.sh sets the service up.
//
//     node console.mjs open URL FOLDER SCREENSHOTS SOURCE
//     node console.mjs closed URL FOLDER ...              the log is not public
//
// FOLDER holds what an operator and a data subject have: *.token, replies, pictures, old keys.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const [mode, url, folder, screenshots, source] = process.argv.slice(2)
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const file = (name) => `${folder}/${name}`
const read = (name) => readFileSync(file(name), 'utf8').trim()
const port = new URL(url).port

const complaints = [] // console errors, violations of the policy, requests to elsewhere
let failures = 0

async function check(name, run) {
  let why = ''
  try {
    const result = await run()
    if (result !== true) why = `it is ${JSON.stringify(result)}`
  } catch (error) {
    why = error.message
  }
  if (why) failures++
  console.log(`${why ? 'not ok' : 'ok'} - ${name}`)
  if (why) console.log(why.split('\n').slice(0, 6).join(' | '))
}

// ---- browsers and pages

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--no-first-run', '--host-resolver-rules=MAP munkeyd.test 127.0.0.1',
  ],
})

function watch(page, expected) {
  const complain = (what) => expected.some((one) => what.includes(one)) || complaints.push(what)
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complain(`${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => complain(error.stack))
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('blob:')) complain(`a request to ${request.url()}`)
  })
}

// options: those of a context; init: run in the page before anything else; expected: complaints
// that a test provokes; at: another address.
async function open({ init, expected = [], at = `${url}/`, route, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(15000)
  watch(page, expected)
  if (init) await page.addInitScript(init)
  if (route) await page.route(...route)
  await page.goto(at)
  await page.waitForFunction(() => document.documentElement.dataset.loaded)
  return page
}

const textOf = (page, selector) => page.locator(selector).innerText()

// What axe finds, as one line; nothing when it finds nothing.
async function barriers(page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(', ')}`).join('; ')
}

async function shoot(page, name, width, height) {
  await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }))
  if (width) await page.setViewportSize({ width, height })
  await page.waitForTimeout(250) // charts are drawn at their new width
  await page.screenshot({ path: `${screenshots}/console-${name}.png`, fullPage: true })
}

const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)

// ---- receipts

const results = (page) =>
  page.evaluate(() => Object.fromEntries([...document.querySelectorAll('#verdict .checks li')].map((one) => [one.dataset.check, one.dataset.result])))

const ALL = { known_key: 'passed', signature: 'passed', commitment: 'passed', leaf_in_log: 'passed', checkpoint: 'passed', digest_chain: 'passed' }
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other) || one

async function clear(page) {
  if (await page.locator('#clear').isVisible()) await page.click('#clear')
}

// Gives pieces to the page, each as a file; waits for the verdict.
async function give(page, ...pieces) {
  await clear(page)
  await page.setInputFiles('#files', pieces.map((piece, i) => ({
    name: `piece-${i}`, mimeType: 'text/plain',
    buffer: Buffer.from(typeof piece === 'string' ? piece : JSON.stringify(piece)),
  })))
  await page.waitForSelector('#headline, #verdict .note')
}

async function verdictOn(page, ...pieces) {
  await give(page, ...pieces)
  return results(page)
}

async function fails(page, names, ...pieces) {
  const found = await verdictOn(page, ...pieces)
  const failed = Object.keys(found).filter((name) => found[name] === 'failed')
  const headline = await textOf(page, '#headline')
  return (failed.join() === names && headline === 'This receipt does not hold') || `${headline}: ${JSON.stringify(found)}`
}

// A real drop: files travel in a DataTransfer.
async function drop(page, selector, name, mimeType) {
  const bytes = readFileSync(file(name)).toString('base64')
  const transfer = await page.evaluateHandle(([base64, fileName, type]) => {
    const data = new DataTransfer()
    data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], fileName, { type }))
    return data
  }, [bytes, name, mimeType])
  for (const type of ['dragover', 'drop']) await page.dispatchEvent(selector, type, { dataTransfer: transfer })
}

const edited = (reply, edit) => {
  const copy = structuredClone(reply)
  edit(copy)
  return copy
}
const replacedAt = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
// The last character of base64 has bits that say nothing: not there.
const inPart = (jws, part) => {
  const parts = jws.split('.')
  parts[part] = replacedAt(parts[part], 30)
  return parts.join('.')
}
const line = (text, number, edit) => {
  const lines = text.split('\n')
  lines[number] = edit(lines[number])
  return lines.join('\n')
}
// The signed entry with another count: what somebody might wish that it said.
const recounted = (jws) => {
  const parts = jws.split('.')
  const entry = Buffer.from(parts[1], 'base64url').toString().replace(/"exact":\d+/, '"exact":9999')
  parts[1] = Buffer.from(entry).toString('base64url')
  return parts.join('.')
}

async function withReceipts(page, reply) {
  const { receipt, opening, log } = reply
  const OTHER = readFileSync(`${source}/tests/vectors.json`, 'utf8')
  const other = JSON.parse(OTHER)
  const jwks = JSON.parse(read('jwks.json'))
  await check('a receipt that was cut is not read, and it says so', async () => {
    await give(page, receipt.slice(0, -5))
    return (await textOf(page, '#headline')) === 'This is not a receipt that can be read'
  })
  await check('a changed signature is refused by the check of the signature', () =>
    fails(page, 'signature', edited(reply, (it) => { it.receipt = inPart(receipt, 2) })))
  await check('a changed count is refused by signature, tree and chain', () =>
    fails(page, 'signature,leaf_in_log,digest_chain', edited(reply, (it) => { it.receipt = recounted(receipt) })))
  await check('another subject is refused by the commitment', () =>
    fails(page, 'commitment', edited(reply, (it) => { it.opening.subject = 'seller-999' })))
  await check('... and the page does not then name anybody', async () =>
    !(await textOf(page, '#verdict')).includes('seller-999'))
  await check('another request is refused by the commitment', () =>
    fails(page, 'commitment', edited(reply, (it) => { it.opening.request += 'x' })))
  await check('another salt is refused by the commitment', () =>
    fails(page, 'commitment', edited(reply, (it) => { it.opening.salt = replacedAt(opening.salt, 5) })))
  await check('a changed hash of the proof is refused by the tree', () =>
    fails(page, 'leaf_in_log', edited(reply, (it) => { it.log.proof = line(log.proof, 2, (one) => replacedAt(one, 7)) })))
  await check('a proof for another entry is refused', () =>
    fails(page, 'leaf_in_log,digest_chain', edited(reply, (it) => { it.log.proof = line(log.proof, 1, () => 'index 1') })))
  await check('another root is refused by tree and checkpoint', () =>
    fails(page, 'leaf_in_log,checkpoint', edited(reply, (it) => {
      const at = log.proof.split('\n').indexOf('', 2) + 3
      it.log.proof = line(log.proof, at, (one) => replacedAt(one, 7))
    })))
  await check('a forged signature of the checkpoint is refused by the checkpoint', () =>
    fails(page, 'checkpoint', edited(reply, (it) => {
      const lines = log.proof.split('\n')
      it.log.proof = line(log.proof, lines.length - 2, (one) => replacedAt(one, one.length - 20))
    })))
  await check('a key set that lies about a name is refused by the known key', () =>
    fails(page, 'known_key', reply, edited(jwks, (it) => { it.keys[0].x = other.receipt_key.jwk.x })))
  await check('a key set of somebody else is refused by the known key', () =>
    fails(page, 'known_key', reply, { keys: [other.receipt_key.jwk] }))
  await check('the log key of somebody else is refused by the checkpoint', () =>
    fails(page, 'checkpoint', reply, other.log.vkey))
  await check('every failure says what it means', async () =>
    (await textOf(page, '[data-result=failed]')).includes('What it means.'))
}

async function receiptStories() {
  const reply = JSON.parse(read('erased.json'))
  const page = await open()
  await drop(page, '#drop', 'erased.json', 'application/json')
  await page.waitForSelector('#headline')
  await check('a reply that is dropped is checked, and holds', async () =>
    (await textOf(page, '#headline')) === 'This receipt holds' && same(await results(page), ALL))
  await check('it says in words what was stated, and about whom', async () => {
    const said = await textOf(page, '.statement')
    return (/stated that it erased \d+ instances of “seller-000”/.test(said) && said.includes('enrolled after training')) || said
  })
  await check('each check says what it shows and what it does not', async () =>
    (await page.locator('#verdict .checks li').count()) === 6 &&
    (await textOf(page, '#verdict')).split('What it does not show.').length === 7)
  await check('times are local, with UTC in their title', async () => {
    const title = await page.getAttribute('.statement time', 'title')
    const at = await page.getAttribute('.statement time', 'datetime')
    return (title.endsWith(' UTC') && title.slice(0, 10) === at.slice(0, 10)) || title
  })
  await check('it says that the browser’s own Ed25519 was used', async () =>
    (await page.getAttribute('#engine', 'data-engine')) === 'webcrypto')
  await check('axe finds no barrier in a receipt that holds', async () => (await barriers(page)) || true)
  await check('the receipt stays on the page when it is read again', async () => {
    await clear(page)
    return (await page.locator('#verdict').innerText()) === '' && !(await page.locator('#pieces-box').isVisible())
  })
  await withReceipts(page, reply)
  await check('axe finds no barrier in a receipt that does not hold', async () => (await barriers(page)) || true)
  await shoot(page, 'refused')

  await check('pieces may be pasted one after the other', async () => {
    await clear(page)
    for (const [piece, left] of [[reply.receipt, 'commitment'], [JSON.stringify(reply.opening), ''], [reply.log.proof, '']]) {
      await page.fill('#paste', piece)
      await page.click('#paste-form button')
      await page.waitForSelector('#headline')
      await page.waitForFunction((name) => !name || document.querySelector(`#verdict [data-check=${name}]`)?.dataset.result === 'skipped', left)
    }
    await page.waitForFunction(() => document.querySelector('#verdict [data-check=commitment]')?.dataset.result === 'passed')
    return same(await results(page), ALL)
  })
  await check('without its proof a receipt is found in the log, and that is said', async () => {
    const found = await verdictOn(page, reply.receipt, JSON.stringify(reply.opening))
    return same(found, ALL) === true && (await textOf(page, '.remarks')).includes('it was fetched from this server')
  })
  await check('without the opening the commitment is left out, and that is said', async () => {
    const found = await verdictOn(page, edited(reply, (it) => { delete it.opening }))
    return same(found, { ...ALL, commitment: 'skipped' }) === true &&
      (await textOf(page, '#headline')).includes('1 check could not be made')
  })
  await check('keys that were kept are used instead of the server’s', async () => {
    const found = await verdictOn(page, reply, read('jwks.json'), read('old-vkey'))
    return same(found, ALL) === true && (await textOf(page, '.remarks')).includes('key set that you gave')
  })
  await check('a receipt from before the log changed its key holds, and the new key alone does not speak for it', async () => {
    const found = await verdictOn(page, reply, read('new-vkey'))
    return same(found, { ...ALL, checkpoint: 'failed' })
  })
  for (const [name, words] of [['not-held', 'held nothing about “nobody”'], ['restricted', 'stopped using what it holds about “seller-035”'], ['trained', 'that the weights were trained on']])
    await check(`a receipt of another kind holds: ${name}`, async () => {
      const found = await verdictOn(page, read(`${name}.json`))
      return same(found, ALL) === true ? (await textOf(page, '.statement')).includes(words) || (await textOf(page, '.statement')) : found
    })
  await check('a receipt of another service is checked by its own keys', async () => {
    const other = JSON.parse(readFileSync(`${source}/tests/vectors.json`, 'utf8'))
    const keys = { keys: [{ ...other.receipt_key.jwk, kid: other.receipt_key.kid }] }
    const { subject, request, salt } = other.commitment
    const found = await verdictOn(page, other.receipt_jws, { subject, request, salt }, other.tlog_proof, keys, other.log.vkey)
    return same(found, ALL)
  })
  await check('a reply that says something else than its receipt is warned of', async () => {
    await give(page, edited(reply, (it) => { it.erased = 7 }))
    return (await textOf(page, '#verdict')).includes('Only the receipt is signed')
  })
  await check('what is no receipt is said to be none', async () => {
    await give(page, 'dear sirs')
    return (await textOf(page, '#verdict')).includes('could not be read')
  })
  await check('lines of replies are checked one by one, and those that fail come first', async () => {
    const bad = edited(reply, (it) => { it.opening.subject = 'x' })
    await give(page, [reply, bad, JSON.parse(read('not-held.json'))].map((one) => JSON.stringify(one)).join('\n'))
    await page.waitForSelector('.receipts')
    const said = await textOf(page, '#receipts')
    const first = (await textOf(page, '.receipts li:first-child')).includes('Receipt 2')
    await page.click('.receipts li:nth-child(2) button')
    await page.waitForFunction(() => document.querySelector('#headline').textContent === 'This receipt holds')
    return (said.includes('3 receipts: 2 hold, 1 do not, or could not be checked') && first) || said
  })
  await page.context().close()
}

async function fallbackStory() {
  const reply = JSON.parse(read('erased.json'))
  const page = await open({
    init: () => {
      const importKey = SubtleCrypto.prototype.importKey
      SubtleCrypto.prototype.importKey = function (format, key, algorithm, ...rest) {
        if ((algorithm.name ?? algorithm) === 'Ed25519') return Promise.reject(new DOMException('not here', 'NotSupportedError'))
        return importKey.call(this, format, key, algorithm, ...rest)
      }
    },
  })
  await check('a browser without Ed25519 uses the fallback, says so, and agrees', async () => {
    const found = await verdictOn(page, reply)
    return same(found, ALL) === true && (await page.getAttribute('#engine', 'data-engine')) === 'fallback' &&
      (await textOf(page, '#engine')).includes('a fallback, a program of this page')
  })
  await check('... on a changed signature, too', () =>
    fails(page, 'signature', edited(reply, (it) => { it.receipt = inPart(reply.receipt, 2) })))
  await check('... and on a forged checkpoint', () =>
    fails(page, 'checkpoint', edited(reply, (it) => {
      const lines = reply.log.proof.split('\n')
      it.log.proof = line(reply.log.proof, lines.length - 2, (one) => replacedAt(one, one.length - 20))
    })))
  await page.context().close()
}

// ---- a server that lies, a connection that is open to all

async function lyingStory() {
  const lie = async (route) => {
    const response = await route.fetch()
    const body = await response.body()
    const at = body.indexOf('"n":[', body.length - 400)
    body[at + 5] = body[at + 5] === 0x31 ? 0x32 : 0x31
    await route.fulfill({ response, body })
  }
  const page = await open({ route: ['**/log/tile/entries/**', lie] })
  await check('entries that are not those of the signed head are noticed', async () => {
    const said = await textOf(page, '#head-checks')
    return (said.includes('not those whose root is signed') && said.includes('contradict each other')) || said
  })
  await page.context().close()
  const cut = await open({ route: ['**/log/checkpoint', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, body: (await response.text()).replace(/\n\d+\n/, '\n3\n') })
  }] })
  await check('a head whose size was changed is noticed', async () =>
    (await textOf(cut, '#head-checks')).includes('cannot be relied on'))
  await cut.context().close()
}

async function insecureStory() {
  const page = await open({ at: `http://munkeyd.test:${port}/`, expected: ['munkeyd.test', 'Cross-Origin-Opener-Policy'] })
  await check('without a secure connection the page says that nothing can be checked, and why', async () =>
    (await page.locator('#insecure').isVisible()) && !(await page.locator('#receipt-form').isVisible()) &&
    (await textOf(page, '#insecure')).includes('crypto.subtle'))
  await check('... and does not pretend to have checked the log', async () =>
    (await textOf(page, '#head')).includes('cryptography'))
  await page.context().close()
}

// ---- what is public

async function publicStory() {
  const page = await open()
  const size = Number((await (await fetch(`${url}/log/checkpoint`)).text()).split('\n')[1])
  await check('the page shows the head of the log and its size', async () =>
    (await textOf(page, '#figures')).includes(size.toLocaleString('en')) && (await textOf(page, '#head')).includes('example.org/console'))
  await check('this browser has checked head, tree, chain and growth', async () =>
    (await page.locator('#head-checks .badge.passed').count()) === 4)
  await check('the model’s residual verdict is shown in its three sentences', async () => {
    const { model } = await (await fetch(`${url}/version`)).json()
    const shown = await page.locator('#model .verdict li').allInnerTexts()
    return shown.join() === model.residual.verdict.join() || shown
  })
  await check('three charts show instances, erasures and the log, each with a sentence', async () => {
    const labels = await page.locator('#public-charts svg[role=img]').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))
    return (labels.length === 3 && labels.every((one) => one.length > 10) && /erasures? of/.test(labels[1])) || labels
  })
  await check('each chart has a table of its figures', async () => {
    for (const summary of await page.locator('#public-charts summary').all()) await summary.click()
    await page.waitForFunction(() => document.querySelectorAll('#public-charts table').length === 3)
    const last = await textOf(page, '#public-charts figure:nth-child(3) tbody tr:first-child td')
    return last === size.toLocaleString('en') || last
  })
  await check('axe finds no barrier in it', async () => (await barriers(page)) || true)
  for (const summary of await page.locator('#public-charts summary').all()) await summary.click()
  await check('the pointer reads a chart', async () => {
    await page.locator('#public-charts svg').first().hover({ position: { x: 200, y: 80 } })
    const said = await page.locator('.readout').first().textContent()
    return /instances$/.test(said) || said
  })
  await check('the newest entries are listed, and name nobody', async () => {
    const said = await textOf(page, '#entries')
    return (said.includes('The service starts') && !said.includes('seller')) || said
  })
  await check('keys and head can be taken along', async () => {
    await page.click('summary:has-text("do not trust")')
    for (const link of await page.locator('.aside a').all()) {
      const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
      const kept = readFileSync(await download.path(), 'utf8')
      if (kept !== (await (await fetch(url + (await link.getAttribute('href')))).text())) return await link.innerText()
    }
    return true
  })
  await check('nothing is kept in the browser', async () =>
    (await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length)) === 0)
  await page.context().close()
}

async function themeStory() {
  const page = await open({ colorScheme: 'dark' })
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme)
  await check('a dark system gets a dark page', async () => (await theme()) === 'dark')
  await check('axe finds no barrier in the dark', async () => (await barriers(page)) || true)
  await page.click('#theme')
  await check('the switch makes it light, and says so', async () =>
    (await theme()) === 'light' && (await page.getAttribute('#theme', 'aria-pressed')) === 'false')
  await page.reload()
  await check('... for good', async () => (await theme()) === 'light')
  await page.emulateMedia({ colorScheme: 'light' })
  await page.emulateMedia({ colorScheme: 'dark' })
  await check('... also when the system changes', async () => (await theme()) === 'light')
  await page.context().close()
  const calm = await open({ reducedMotion: 'reduce' })
  await check('who wants no motion gets none', async () =>
    (await calm.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior)) === 'auto')
  await calm.context().close()
}

async function policyStory() {
  const page = await open({ expected: ['Content Security Policy', 'violates the following', 'TrustedScriptURL', 'https://example.org/'] })
  // Trusted types refuse a script at once, the policy what comes from elsewhere or stands in the page.
  const refuses = (directive, tag, name, value) =>
    page.evaluate((it) => new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => event.effectiveDirective.startsWith(it.directive) && resolve(true))
      setTimeout(() => resolve(false), 3000)
      try {
        const element = document.createElement(it.tag)
        element.setAttribute(it.name, it.value)
        document.body.append(element)
      } catch {
        resolve(it.tag === 'script')
      }
    }), { directive, tag, name, value })
  await check('the policy refuses a script from elsewhere', () =>
    refuses('script-src', 'script', 'src', 'https://example.org/x.js'))
  await check('... a picture from elsewhere', () => refuses('img-src', 'img', 'src', 'https://example.org/x.png'))
  await check('... and styles in the page', () => refuses('style-src', 'div', 'style', 'color: red'))
  await page.context().close()
}

// ---- by keyboard

async function keyboardStory() {
  const page = await open()
  const active = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim())
  const tabTo = async (id) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab')
      if ((await active()) === id) return true
    }
    return `never reached ${id}`
  }
  await page.keyboard.press('Tab')
  await check('the first key leads past the bar', async () => {
    const first = await active()
    await page.keyboard.press('Enter')
    return first === 'To the content' || first
  })
  await page.evaluate(() => document.activeElement.blur())
  await check('the theme is switched by keyboard', async () => {
    const before = await page.evaluate(() => document.documentElement.dataset.theme)
    await page.evaluate(() => document.querySelector('.skip').focus())
    const reached = await tabTo('theme')
    await page.keyboard.press('Space')
    return reached === true ? (await page.evaluate(() => document.documentElement.dataset.theme)) !== before : reached
  })
  await check('a receipt is pasted and checked by keyboard, and the result has the focus', async () => {
    for (const id of ['files', 'paste']) {
      const reached = await tabTo(id)
      if (reached !== true) return reached
    }
    await page.keyboard.insertText(read('erased.json'))
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#headline')
    await page.waitForFunction(() => document.activeElement.id === 'headline')
    return same(await results(page), ALL)
  })
  await check('a token is given and taken back by keyboard', async () => {
    const reached = await tabTo('token')
    if (reached !== true) return reached
    await page.keyboard.insertText(read('all.token'))
    await page.keyboard.press('Enter')
    await page.waitForSelector('#figures-panel:not([hidden])')
    await page.waitForFunction(() => document.activeElement.id === 'forget')
    const image = await tabTo('image')
    if (image !== true) return image
    await page.evaluate(() => document.querySelector('#keep-fresh').focus())
    await tabTo('forget')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#token-form:not([hidden])')
    return (await active()) === 'token'
  })
  await page.context().close()
}

// ---- operators

async function giveToken(page, name) {
  await page.fill('#token', name.includes('.token') ? read(name) : name)
  await page.click('#token-form button')
}

const stats = async () =>
  (await fetch(`${url}/stats`, { headers: { Authorization: `Bearer ${read('all.token')}` } })).json()

async function operatorStory() {
  const page = await open({ expected: ['status of 401', 'status of 403', 'status of 422'] })
  await check('without a token no figure is shown', async () =>
    !(await page.locator('#figures-panel').isVisible()) && !(await page.locator('#predict-panel').isVisible()))
  await giveToken(page, 'mkt_wrong')
  await page.waitForSelector('#token-said .note')
  await check('a wrong token is refused, with a sentence, and not kept', async () =>
    (await textOf(page, '#token-said')).includes('does not know this token') && (await page.locator('#token-form').isVisible()))
  await giveToken(page, 'predict.token')
  await page.waitForSelector('#token-held:not([hidden])')
  await check('a token without the scope audit shows no figures, and says which scope it takes', async () =>
    (await textOf(page, '#token-said')).includes('scope audit') && !(await page.locator('#figures-panel').isVisible()))
  await check('... but predicts', async () => {
    await page.setInputFiles('#image', file('boot.png'))
    await page.waitForSelector('#predicted')
    return true
  })
  await page.click('#forget')
  await check('a token that is forgotten takes the prediction along', async () =>
    (await textOf(page, '#prediction').catch(() => '')) === '' && !(await page.locator('#predict-panel').isVisible()))
  await giveToken(page, 'audit.token')
  await page.waitForSelector('#figures-panel:not([hidden])')
  await check('a token without the scope predict shows figures', async () => (await page.locator('#health dt').count()) === 5)
  await check('... and says which scope a prediction takes', async () => {
    await page.setInputFiles('#image', file('boot.png'))
    await page.waitForSelector('#prediction .note')
    return (await textOf(page, '#prediction')).includes('scope predict')
  })
  await page.click('#forget')

  await giveToken(page, 'all.token')
  await page.waitForSelector('#figures-panel:not([hidden])')
  const { instances, erasures } = await stats()
  await check('what is held stands there by class', async () => {
    const said = await textOf(page, '#held dl')
    return ([instances.total, instances.exact, instances.trained, instances.masked].every((n) => said.includes(n.toLocaleString('en'))) &&
      instances.trained > 0 && instances.masked > 0) || said
  })
  await check('... and by label', async () => {
    const rows = await page.locator('#held tbody tr').evaluateAll((all) => all.map((row) => [...row.children].slice(0, 3).map((cell) => cell.textContent).join()))
    return rows.join(' ') === instances.labels.map((one) => `${one.label},${one.exact},${one.trained}`).join(' ') || rows
  })
  await check('held requests stand there with their due dates, the soonest first', async () => {
    const dates = await page.locator('#erasures tbody th time').evaluateAll((all) => all.map((one) => Date.parse(one.dateTime)))
    return (dates.length === 3 && dates.join() === erasures.held.map((one) => Date.parse(one.due)).join()) || dates
  })
  await check('... with one that is overdue, in words', async () => {
    const said = await textOf(page, '#erasures')
    return (said.includes('overdue by') && said.includes('LGPD') && said.includes('GDPR')) || said
  })
  await check('... and as marks beside the erasures', async () => (await page.locator('#due-chart .due-mark').count()) === 3)
  await check('latency is shown, for the route that is chosen', async () => {
    await page.selectOption('#route', 'DELETE /subjects/{id}')
    const said = await page.locator('#time-charts .sentence').first().innerText()
    return /DELETE \/subjects\/\{id\}: \d+ requests?; half took at most .+s, 99 %/.test(said) || said
  })
  await check('batches are shown', async () => {
    const said = await page.locator('#time-charts .sentence').last().innerText()
    return /requests? with \d+ images; half had at most/.test(said) || said
  })
  await check('queues are shown, lane by lane', async () => (await page.locator('#queues tbody tr').count()) === (await stats()).queues.length)
  await check('replies are shown by route and status', async () => /DELETE \/subjects\/\{id\}\s+\d+\s+200: \d+/.test(await textOf(page, '#requests')))
  await check('the size of the log is that of its head, also after its key was changed', async () => {
    const { log } = await stats()
    return (String(log.size) === (await (await fetch(`${url}/log/checkpoint`)).text()).split('\n')[1] &&
      (await textOf(page, '#health')).includes(String(log.size))) || log
  })
  await check('health is shown', async () => /keys (are locked|could reach)/.test(await textOf(page, '#health')))
  await check('axe finds no barrier for operators', async () => (await barriers(page)) || true)
  await check('the figures are fetched again when asked', async () => {
    const [response] = await Promise.all([page.waitForResponse(/\/stats$/), page.click('#refresh')])
    return response.status() === 200
  })
  await check('... and by themselves', async () => {
    await page.uncheck('#keep-fresh')
    await page.check('#keep-fresh')
    return (await page.waitForResponse(/\/stats$/, { timeout: 14000 })).status() === 200
  })
  await check('... and not when told not to', async () => {
    await page.uncheck('#keep-fresh')
    await page.waitForTimeout(300)
    return page.waitForRequest(/\/stats$/, { timeout: 11000 }).then(() => 'asked', () => true)
  })
  await predictions(page)
  await check('axe finds no barrier in a prediction', async () => (await barriers(page)) || true)
  await check('the token is in no storage, no cookie and no part of the page', async () =>
    page.evaluate((token) => !JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie }).includes(token) &&
      !document.documentElement.outerHTML.includes(token) && document.querySelector('#token').value === '', read('all.token')))
  await page.click('#forget')
  await check('when it is forgotten, what it showed is gone', async () =>
    page.evaluate(() => ['health', 'held', 'erasures', 'queues', 'requests', 'prediction', 'preview'].every((id) => document.getElementById(id).textContent.trim() === '') &&
      !document.querySelector('#figures-panel').checkVisibility()))
  await giveToken(page, 'all.token')
  await page.waitForSelector('#figures-panel:not([hidden])')
  await page.reload()
  await check('a reload forgets it, too', async () => page.locator('#token-form').isVisible())
  await page.context().close()
}

async function predictions(page) {
  for (const [name, media] of [['boot.png', 'image/png'], ['boot.jpeg', 'image/jpeg']])
    await check(`an image that is dropped is predicted: ${media}`, async () => {
      await drop(page, '#image-drop', name, media)
      await page.waitForSelector('#predicted')
      const response = await fetch(`${url}/predict?explain=1`, {
        method: 'POST', body: readFileSync(file(name)), headers: { 'Content-Type': media, Authorization: `Bearer ${read('all.token')}` },
      })
      const [{ label, explain }] = (await response.json()).predictions
      const said = await textOf(page, '#prediction')
      return (said.startsWith(label) && said.includes(`${explain.exact} exact`) && said.includes(`${explain.trained} trained`) && !said.includes('seller')) || said
    })
  await check('its picture is shown, from the browser itself', async () =>
    (await page.getAttribute('#preview img', 'src')).startsWith('blob:') &&
    (await page.locator('#preview img').evaluate((one) => one.naturalWidth)) === 28)
  await check('what is no picture is not sent', async () => {
    await page.setInputFiles('#image', file('erased.json'))
    await page.waitForSelector('#prediction .note')
    return (await textOf(page, '#prediction')).includes('nothing was sent')
  })
  await check('a picture that the server refuses: its sentence is shown', async () => {
    await page.setInputFiles('#image', `${source}/tests/cases/image-png-of-another-size/body`)
    await page.waitForSelector('#prediction .note.bad')
    return (await textOf(page, '#prediction')).length > 20
  })
  await page.setInputFiles('#image', file('boot.png'))
  await page.waitForSelector('#predicted')
}

// ---- the looks, kept

async function looksStory() {
  for (const [name, colorScheme, width] of [['light', 'light', 1280], ['dark', 'dark', 1280], ['phone', 'light', 360], ['phone-dark', 'dark', 320]]) {
    const page = await open({ colorScheme, viewport: { width, height: 800 } })
    await give(page, read('erased.json'))
    await page.waitForSelector('#headline')
    await giveToken(page, 'all.token')
    await page.waitForSelector('#figures-panel:not([hidden])')
    await page.setInputFiles('#image', file('boot.png'))
    await page.waitForSelector('#predicted')
    await shoot(page, name)
    if (width < 400) {
      for (const summary of await page.locator('summary').all()) await summary.click()
      await check(`at ${width} pixels nothing has to be scrolled sideways`, () => fits(page))
      await check(`axe finds no barrier at ${width} pixels`, async () => (await barriers(page)) || true)
    }
    await page.context().close()
  }
}

async function closedStory() {
  const page = await open({ expected: ['status of 401'] })
  await check('a log that is not public is said not to be, and what opens it', async () =>
    (await textOf(page, '#head')).includes('not public'))
  await giveToken(page, 'audit.token')
  await page.waitForSelector('#figures-panel:not([hidden])')
  await page.waitForSelector('#head-checks')
  await check('a token opens it', async () => (await page.locator('#head-checks .badge.passed').count()) === 4)
  await check('... and a receipt is checked with the keys that the token opens', async () =>
    same(await verdictOn(page, JSON.parse(read('erased.json'))), ALL))
  await page.context().close()
}

const STORIES = {
  open: [publicStory, themeStory, policyStory, receiptStories, fallbackStory, lyingStory, insecureStory, keyboardStory, operatorStory, looksStory],
  closed: [closedStory],
}
for (const story of STORIES[mode])
  await story().catch((error) => {
    failures++
    console.log(`not ok - ${story.name} ended early`)
    console.log(error.message.split('\n').slice(0, 6).join(' | '))
  })
await browser.close()
await check('no error in the console, no violation of the policy, no request to elsewhere', () => complaints.length === 0 || complaints)
process.exit(failures ? 1 : 0)
