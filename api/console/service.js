// SPDX-License-Identifier: Apache-2.0
// What is public about the service: its model, what its weights may keep, its log.
import { get } from './api.js'
import { floorTo, makeChart, stepOf, steps, timeBars } from './charts.js'
import { badge, briefTime, by, count, counted, el, localTime, note, short, size, table, terms, time } from './dom.js'
import { erasedIn } from './entry.js'
import { available } from './hashes.js'

const ACTS = {
  init: 'The log begins',
  start: 'The service starts',
  model: 'Another model takes over',
  restore: 'A backup is restored',
  enroll: 'Enrolment',
  erase: 'Erasure',
  not_held: 'Erasure asked for; nothing was held',
  restrict: 'Restriction',
  unrestrict: 'Restriction lifted',
  audit: 'Audit of the memory',
  rotate: 'A signing key changes',
}
const ENTRY_BYTES = 400 // about

const charts = {
  instances: makeChart('Instances', 'held by the memory, as the log states'),
  erasures: makeChart('Erasures', 'answered requests, by when'),
  entries: makeChart('Log', 'entries, which nobody can take back'),
}

function verdictOf(residual) {
  if (!residual)
    return el('p', { class: 'soft' }, 'No audit of this model is published here: what its weights may keep of the ' +
      'images that they were trained on is not stated. ', el('code', {}, 'munkey-eval audit'), ' measures it.')
  return el('div', {},
    el('ul', { class: 'verdict' }, residual.verdict.map((sentence) => el('li', {}, sentence))),
    el('p', { class: 'soft' }, `Measured ${residual.date}, on ${count(residual.rows.tests)} test images and ` +
      `${count(residual.rows.seen)} that the weights were trained on.`))
}

async function showVersion() {
  const { version, model } = await get('/version')
  by('model').replaceChildren(
    terms([
      ['Model', model.name],
      ['Its file, SHA-256', short(model.digest.replace(/^sha256:/, ''))],
      ['Labels', model.labels === 'open' ? 'open: they come and go with instances' : 'closed: those of the model'],
      ['Program', `munkeyd ${version}`],
    ]),
    el('h4', {}, 'What the weights may keep'),
    verdictOf(model.residual),
  )
}

async function showReady() {
  const pill = by('ready')
  try {
    await get('/readyz')
    pill.textContent = 'ready'
    pill.className = 'pill good'
  } catch (error) {
    pill.textContent = error.status === 0 ? 'no answer' : 'not ready'
    pill.className = 'pill bad'
  }
}

const HEAD_CHECKS = { head: 'Signed head', tree: 'Tree', chain: 'Chain', growth: 'Growth' }

function showHead({ checkpoint, checks, from, vkey }) {
  const list = Object.entries(HEAD_CHECKS).map(([name, title]) =>
    el('li', {}, badge(checks[name].result), el('span', {}, el('strong', {}, title), el('br'), checks[name].why)))
  by('head').replaceChildren(
    terms([
      ['Origin', el('span', { class: 'wrap' }, checkpoint.origin)],
      ['Entries', count(checkpoint.size)],
      ['Root', short(checkpoint.note.split('\n')[2])],
      ['Key', short(vkey.slice(vkey.indexOf('+') + 1), 12)],
    ]),
    el('h4', {}, 'Checked by this browser'),
    el('ul', { class: 'checks small', id: 'head-checks' }, list),
    from > 0 ? note('', `The last ${count(checkpoint.size - from)} entries were read; of the others, their hashes.`) : '',
  )
}

// The state at the beginning and after each entry, one point a second at most.
function history(entries, value) {
  const points = []
  for (const entry of entries) {
    if (points.at(-1)?.[0] === entry.iat) points.pop()
    points.push([entry.iat, value(entry)])
  }
  return points
}

function drawInstances(entries, now) {
  const points = history(entries, (entry) => entry.n[1])
  const last = points.at(-1)[1]
  charts.instances.draw(steps({
    points, to: now, unit: 'instances', columns: ['Time', 'Instances'],
    sentence: `${counted(last, 'instance')} now; ${count(Math.max(...points.map(([, n]) => n)))} at most.`,
  }))
}

function drawEntries(entries, now) {
  const points = history(entries, (entry) => entry.index + 1)
  charts.entries.draw(steps({
    points, to: now, unit: 'entries', columns: ['Time', 'Entries'],
    sentence: `${count(points.at(-1)[1])} entries; the last one of ${localTime(points.at(-1)[0])}.`,
  }))
}

export const isErasure = (entry) => entry.act === 'erase' || entry.act === 'not_held'

// Erasures in bars of equal time, and their table.
export function erasureBars(entries, from, to) {
  const step = stepOf(from, to, 40)
  const bars = new Map()
  const first = floorTo(from, step)
  for (const entry of entries.filter((one) => isErasure(one) && one.iat >= from)) {
    const start = first + Math.floor((entry.iat - first) / step) * step
    const bar = bars.get(start) ?? { from: start, to: start + step, value: 0, instances: 0 }
    bar.value++
    bar.instances += erasedIn(entry)
    bars.set(start, bar)
  }
  const list = [...bars.values()]
  for (const bar of list)
    bar.words = `from ${localTime(bar.from)}: ${counted(bar.value, 'request')}, ${counted(bar.instances, 'instance')}`
  return {
    bars: list, from: first, to: Math.max(to, first + step),
    columns: ['From', 'Requests', 'Instances'],
    rows: list.map((bar) => [localTime(bar.from), count(bar.value), count(bar.instances)]),
  }
}

function drawErasures(entries, now) {
  const erasures = entries.filter(isErasure)
  const erased = erasures.filter((entry) => entry.act === 'erase')
  const instances = erased.reduce((sum, entry) => sum + erasedIn(entry), 0)
  charts.erasures.draw(timeBars({
    ...erasureBars(entries, entries[0].iat, now),
    sentence: erasures.length === 0
      ? 'Nobody has asked yet.'
      : `${counted(erased.length, 'erasure')} of ${counted(instances, 'instance')}; ` +
        `${counted(erasures.length - erased.length, 'request')} found nothing to erase.`,
  }))
}

function change([before, after]) {
  if (after === before) return '±0'
  return after > before ? `+${count(after - before)}` : `−${count(before - after)}`
}

const showEntries = (entries) =>
  by('entries').replaceChildren(table('The newest entries; none of them names anybody', ['Entry', 'When', 'What', 'Instances'],
    entries.slice(-8).reverse().map((entry) => [
      count(entry.index), time(entry.iat, briefTime), ACTS[entry.act], `${change(entry.n)} → ${count(entry.n[1])}`,
    ])))

function showFigures({ checkpoint, entries }) {
  const last = entries.at(-1)
  const erased = entries.filter((entry) => entry.act === 'erase').length
  const figures = [
    [count(last.n[1]), 'instances held'],
    [count(erased), `erasure${erased === 1 ? '' : 's'} logged`],
    [count(checkpoint.size), 'log entries'],
  ]
  by('origin').textContent = checkpoint.origin
  by('figures').replaceChildren(...figures.map(([value, name]) =>
    el('div', {}, el('dt', {}, name), el('dd', {}, value))))
}

function offerRest(log, { from, checkpoint }) {
  const button = by('read-all')
  button.hidden = from === 0
  button.textContent = `Read all ${count(checkpoint.size)} entries (about ${size(from * ENTRY_BYTES)} more)`
  button.onclick = () => showLog(log, checkpoint.size)
}

function showClosedLog(error) {
  const why = error.status === 401 || error.status === 403
    ? 'The log is not public here. A token with the scope audit opens it, under “Operate”.'
    : `The log could not be read: ${error.message}.`
  by('head').replaceChildren(note('bad', why))
  for (const id of ['figures', 'entries', 'origin']) by(id).replaceChildren()
  for (const chart of Object.values(charts)) chart.clear()
}

async function showLog(log, most) {
  if (!available()) {
    by('head').replaceChildren(note('bad', 'The browser’s cryptography is switched off: nothing of the log was checked.'))
    return
  }
  try {
    const head = await log.read(most)
    const now = Date.now() / 1000
    showHead(head)
    offerRest(log, head)
    if (head.entries.length > 0) {
      showFigures(head)
      showEntries(head.entries)
      drawInstances(head.entries, now)
      drawErasures(head.entries, now)
      drawEntries(head.entries, now)
    }
  } catch (error) {
    showClosedLog(error)
  }
}

// Shows it, and again whenever it is called.
export async function showService(log) {
  const page = by('public-charts')
  if (!page.hasChildNodes()) page.append(charts.instances.figure, charts.erasures.figure, charts.entries.figure)
  const version = showVersion().catch((error) => by('model').replaceChildren(note('bad', `${error.message}.`)))
  await Promise.all([showReady(), version, showLog(log)])
}
