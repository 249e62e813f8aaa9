// SPDX-License-Identifier: Apache-2.0
// Elements, and how figures, times and sizes are written.
const SVG = 'http://www.w3.org/2000/svg'

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== null && value !== false)
      element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined))
  return element
}

// el('a', { href: '/' }, 'text', otherElement)
export const el = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children)
export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children)

export const by = (id) => document.getElementById(id)

const integers = new Intl.NumberFormat('en')
export const count = (number) => integers.format(number)
export const counted = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`
export const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 2 : 1)} %`

export function seconds(time) {
  if (time === 0) return '0 s'
  if (time < 0.001) return `${Number((time * 1e6).toPrecision(3))} µs`
  if (time < 1) return `${Number((time * 1e3).toPrecision(3))} ms`
  return `${Number(time.toPrecision(3))} s`
}

const SPANS = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]

// The largest unit and the one below it: 3 d 4 h.
export function span(time) {
  const rest = Math.max(0, Math.round(time))
  const largest = Math.max(0, SPANS.findIndex(([size]) => rest >= size))
  const parts = SPANS.slice(largest, largest + 2).map(([size, name], i) =>
    [Math.floor((i === 0 ? rest : rest % SPANS[largest][0]) / size), name])
  const [first, second] = rest > 0 ? parts : [[0, 's']]
  return `${first.join(' ')}${second?.[0] > 0 ? ` ${second.join(' ')}` : ''}`
}

export function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024
  return `${unit > 0 && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`
}

const local = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
})
export const localTime = (unix) => local.format(new Date(unix * 1000))
export const utcTime = (unix) => new Date(unix * 1000).toISOString().replace('T', ' ').replace(/\.000Z$/, ' UTC')

const brief = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
export const briefTime = (unix) => brief.format(new Date(unix * 1000))
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
export const dayOf = (unix) => day.format(new Date(unix * 1000))

// Local time, with UTC in its title.
export const time = (unix, write = localTime) =>
  el('time', { datetime: new Date(unix * 1000).toISOString(), title: utcTime(unix) }, write(unix))

// The beginning of a long hash; all of it in its title.
export const short = (hash, length = 16) =>
  el('code', { title: hash }, hash.length > length ? `${hash.slice(0, length)}…` : hash)

// rows: arrays of cells; the first is the row's heading.
export function table(caption, columns, rows) {
  const head = columns.map((name) => el('th', { scope: 'col' }, name))
  const body = rows.map(([first, ...rest]) =>
    el('tr', {}, el('th', { scope: 'row' }, first), rest.map((cell) => el('td', {}, cell))),
  )
  return el(
    'div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption },
    el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, head)), el('tbody', {}, body)),
  )
}

// terms: [name, value] pairs.
export const terms = (pairs) =>
  el('dl', {}, pairs.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))))

const MARKS = { passed: ['✓', 'Passed'], failed: ['✕', 'Failed'], skipped: ['–', 'Not checked'] }

// A result as a mark and a word: never colour alone.
export function badge(result) {
  const [mark, word] = MARKS[result]
  return el('span', { class: `badge ${result}` }, el('span', { 'aria-hidden': 'true' }, mark), ` ${word}`)
}

// What is bad is said at once to those who do not see it appear.
export const note = (kind, ...children) =>
  el('p', { class: `note ${kind}`, role: kind === 'bad' && 'alert' }, ...children)

// A zone that takes files by drop and by its input.
export function dropZone(zone, input, onfiles) {
  const over = (event) => {
    event.preventDefault()
    zone.classList.toggle('over', event.type === 'dragover')
  }
  for (const type of ['dragover', 'dragleave']) zone.addEventListener(type, over)
  zone.addEventListener('drop', (event) => {
    over(event)
    onfiles(event.dataTransfer.files)
  })
  input.addEventListener('change', () => {
    if (input.files.length > 0) onfiles(input.files)
    input.value = '' // the same file can be chosen again
  })
}
